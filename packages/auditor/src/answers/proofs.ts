/** Proves what an answer cites: each entry in its lowest tile, and each such tile once, under the latest cosigned checkpoint. */
import { AuditorError, base64, type Checkpoint, type Digest, equalBytes, TILE_WIDTH, verifyInclusion } from '@sealane/core';
import type { Ledger } from '@sealane/ledger';
import { quorumOf, type VerifyTrust, verifyTrustOf } from '@sealane/trust';
import type { AuditContext } from './context.js';
import { isPrefix, type ProvedLeaves, provedLeaves, rememberLeaf } from './proved-leaves.js';
import { quorumKnown } from './quorums.js';
import type { EntryBytes } from './signatures.js';
import { treeRoot } from './tree-root.js';

const HASH_BYTES = 32;
/** Tiles that are remembered: 8 KiB each. */
const MAX_TILES = 1024;

/** A statement that an answer rests on, by digest and place in the log. */
export interface Citation {
  readonly digest: Digest;
  readonly logIndex: number;
}

/** What an answer cites, by the bytes that it read: the entry itself may be large, and is not kept. */
export interface CitedEntry extends Citation {
  readonly bytes: EntryBytes;
}

/** `unproved`: logged, and not under the checkpoint. */
interface Proved {
  readonly note: string;
  readonly statements: readonly Citation[];
  readonly unproved: readonly Citation[];
}

/**
 * Verifies the latest cosigned checkpoint's quorum, and the inclusion of every cited entry that it covers.
 *
 * @throws AuditorError `LOG_WITNESS` no cosigned checkpoint; `LOG_NOT_INCLUDED` an entry that the log does not have there, or a head of before that today's does
 * not begin with; CoreError `PROOF_MISMATCH`
 */
export async function proveAll({ ledger, policies, present }: AuditContext, cited: readonly CitedEntry[]): Promise<Proved> {
  const note = await ledger.latestCosigned();
  const trust = policies[0] === undefined ? undefined : verifyTrustOf(policies[0]);
  if (note === null || trust?.logs.every(({ origin }) => origin !== ledger.origin) !== false) {
    throw new AuditorError('LOG_WITNESS', `prove ${cited.length} statements: expected a cosigned checkpoint of ${ledger.origin}, got none`);
  }
  const checkpoint = present === undefined ? headOf(note, ledger.origin, trust) : await pastHeadOf(note, present, trust);
  const isCovered = ({ logIndex }: Citation): boolean => logIndex < checkpoint.size;
  const leaves = await provedLeaves(ledger, checkpoint);
  for (const one of cited.filter(isCovered)) await prove(ledger, one, checkpoint, leaves);
  const named = (all: readonly Citation[]): readonly Citation[] => all.map(({ digest, logIndex }) => ({ digest, logIndex }));
  return { note, statements: named(cited.filter(isCovered)), unproved: named(cited.filter((one) => !isCovered(one))) };
}

/** The last head that was verified, by the very trust: most questions are asked of one head. */
const knownHeads = new WeakMap<VerifyTrust, Checkpoint>();

function headOf(note: string, origin: string, trust: VerifyTrust): Checkpoint {
  const log = trust.logs.find((each) => each.origin === origin);
  const known = knownHeads.get(trust);
  if (known?.note === note && known.origin === origin) return known;
  if (log === undefined) throw new AuditorError('LOG_WITNESS', `prove statements: expected the log ${origin} in policy, got none`);
  const { checkpoint } = quorumOf(note, log, trust);
  knownHeads.set(trust, checkpoint);
  return checkpoint;
}

/**
 * A head of before, which keys of then may have signed that were replaced since: who finds one of these makes no other past with it, as the head of today has to
 * begin with it.
 */
async function pastHeadOf(note: string, present: Ledger, trust: VerifyTrust): Promise<Checkpoint> {
  const { origin } = present;
  const [latest, log] = [await present.latestCosigned(), trust.logs.find((each) => each.origin === origin)];
  if (latest === null || log === undefined)
    throw new AuditorError('LOG_WITNESS', `prove statements: expected a cosigned checkpoint of ${origin} and its log in policy, got none`);
  const today = headOf(latest, origin, trust);
  const { checkpoint } = quorumKnown(note, log, trust);
  if (await isPrefix(present, checkpoint, today)) return checkpoint;
  throw new AuditorError(
    'LOG_NOT_INCLUDED',
    `prove the log of ${checkpoint.size} entries: expected the one that today's of ${today.size} begins with, got another`,
  );
}

async function prove(
  ledger: Ledger,
  { digest, logIndex: index, bytes: { leafHash, statementDigest } }: CitedEntry,
  checkpoint: Checkpoint,
  leaves: ProvedLeaves,
): Promise<void> {
  if (statementDigest !== digest)
    throw new AuditorError('LOG_NOT_INCLUDED', `prove entry ${index}: expected statement ${digest}, got ${statementDigest}`, { index });
  const known = leaves.get(index);
  if (known !== undefined && equalBytes(known, leafHash)) return;
  const tile = await provedTile(ledger, Math.floor(index / TILE_WIDTH), checkpoint);
  const at = (index % TILE_WIDTH) * HASH_BYTES;
  if (!equalBytes(tile.subarray(at, at + HASH_BYTES), leafHash))
    throw new AuditorError('LOG_NOT_INCLUDED', `prove entry ${index}: expected it in the log of ${checkpoint.size} entries, got another`, {
      index,
    });
  rememberLeaf(leaves, index, leafHash);
}

/** Tiles that were proved, by the root under which they were. */
const provedTiles = new Map<string, Uint8Array>();
/** Roots of tiles, which do not change while the log grows. */
const tileRoots = new WeakMap<Uint8Array, Uint8Array>();

/** The leaf hashes of a lowest tile of the checkpoint's tree. @throws CoreError `PROOF_MISMATCH`, `PROOF_LENGTH` */
async function provedTile(ledger: Ledger, index: number, { size, root }: Checkpoint): Promise<Uint8Array> {
  const name = `${index} ${size} ${base64(root)}`;
  const known = provedTiles.get(name);
  if (known !== undefined) return known;
  const { data, proof } = await ledger.leafTile(index, size);
  verifyInclusion({ leafHash: rootOf(data), index, size: Math.ceil(size / TILE_WIDTH), proof, root });
  if (provedTiles.size >= MAX_TILES) provedTiles.clear();
  provedTiles.set(name, data);
  return data;
}

function rootOf(tile: Uint8Array): Uint8Array {
  const hashes = Array.from({ length: tile.length / HASH_BYTES }, (_, at) => tile.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
  const root = tileRoots.get(tile) ?? treeRoot(hashes);
  tileRoots.set(tile, root);
  return root;
}
