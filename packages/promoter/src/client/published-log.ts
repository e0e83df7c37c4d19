/**
 * The log out of the published lane: every entry from its entry bundles, what each says from `content/`, under a checkpoint that its quorum cosigned. The
 * entries are logged again into a ledger of one run, whose root must come out the same: none is missing, and none is another.
 */
import {
  type Checkpoint,
  type Digest,
  digestFromHex,
  digestHex,
  entriesPath,
  envelopePayload,
  equalBytes,
  fromUtf8,
  hex,
  INTOTO_PAYLOAD_TYPE,
  keyIdOf,
  LIMITS,
  makeEnvelope,
  pae,
  parseCheckpoint,
  parseEntryBundle,
  parseLogLeaf,
  parseStatement,
  PromoterError,
  SealaneError,
  sha256,
  type Signed,
  TILE_WIDTH,
  timestampPath,
  verifyEnvelope,
} from '@sealane/core';
import { erasedBy, type ErasedStatement, type ErasureName, type Ledger } from '@sealane/ledger';
import { parseBundle, parseWaybill, type Policy, quorumOf, quorumThen, type VerifyTrust, verifyTrustOf } from '@sealane/trust';
import type { LaneTrust } from '../trust/lane-trust.js';
import type { ReadFile } from '../tuf-client/source-shell.js';

/** Files that are fetched beside one another. */
const AT_ONCE = 8;
const MAX_BUNDLE_BYTES = TILE_WIDTH * (LIMITS.logLeafBytes + 2);
/** DSSE's pre-authentication encoding is a payload and a line before it. */
const MAX_SIGNED_BYTES = LIMITS.statementBytes + 1024;
/** What a timestamp that is not there is taken for: none, so that its statement does not count. */
const NO_TIMESTAMP = new Uint8Array();

/** The published checkpoint: signed by the log and its quorum, as the policy of every stage asks. @throws TrustError `LOG_*` */
export async function publishedCheckpoint(read: ReadFile, lane: Pick<LaneTrust, 'stages' | 'origin'>): Promise<string> {
  const bytes = await read('log/checkpoint', LIMITS.checkpointBytes);
  if (bytes === undefined) throw missing('log/checkpoint');
  const note = fromUtf8(bytes);
  for (const { policy } of lane.stages.values()) {
    const { log, trust } = logOf(policy, lane.origin);
    quorumOf(note, log, trust);
  }
  return note;
}

/**
 * Logs what the lane has published, up to `checkpoint`, into an empty ledger.
 *
 * @throws PromoterError `CONTENT_MISSING` the lane lacks a bundle of entries, or what one of them says; `LOG_NOT_INCLUDED` they are others than the
 * checkpoint commits to
 */
export async function replayPublished(
  read: ReadFile,
  { ledger, registrars }: { readonly ledger: Ledger; readonly registrars: ReadonlySet<string> },
  { size, root }: Checkpoint,
): Promise<void> {
  const erasures = erasuresIn(read, size, registrars);
  for (let index = 0; index * TILE_WIDTH < size; index += 1) {
    const leaves = await entriesAt(read, index, Math.min(TILE_WIDTH, size - index * TILE_WIDTH));
    for (let at = 0; at < leaves.length; at += AT_ONCE) {
      const begin = index * TILE_WIDTH + at;
      const some = leaves.slice(at, at + AT_ONCE);
      await appendAll(ledger, erasures, {
        begin,
        leaves: some,
        signed: await Promise.all(some.map((leaf, more) => signedIn(read, leaf, begin + more))),
      });
    }
  }
  if ((await ledger.size()) === size && equalBytes(await ledger.rootAt(size), root)) return;
  throw new PromoterError(
    'LOG_NOT_INCLUDED',
    `read the published log: expected the ${size} entries that its checkpoint commits to, got others`,
  );
}

async function entriesAt(read: ReadFile, index: number, width: number): Promise<readonly Uint8Array[]> {
  const partial = await read(`log/${entriesPath({ index, width })}`, MAX_BUNDLE_BYTES);
  if (partial !== undefined) return parseEntryBundle(partial, width);
  // C2SP tlog-tiles: a partial bundle may be gone once it is full
  const full = await read(`log/${entriesPath({ index, width: TILE_WIDTH })}`, MAX_BUNDLE_BYTES);
  if (full === undefined) throw missing(`log/${entriesPath({ index, width })}`);
  return parseEntryBundle(full, TILE_WIDTH).slice(0, width);
}

/** Entries in their order; `signed` has a digest for one whose blob is not there. */
interface SomeEntries {
  readonly begin: number;
  readonly leaves: readonly Uint8Array[];
  readonly signed: readonly (Signed | Digest)[];
}

/** Logs entries again: of one that is not there what its erasure says, where a registrar ordered one. @throws PromoterError `CONTENT_MISSING` */
async function appendAll(ledger: Ledger, erasures: Erasures, { begin, leaves, signed }: SomeEntries): Promise<void> {
  let there: Signed[] = [];
  for (const [at, one] of signed.entries()) {
    if (typeof one !== 'string') {
      there.push(one);
      continue;
    }
    const said = (await erasures()).get(begin + at);
    if (said === undefined) throw missing(one);
    await ledger.append(there);
    there = [];
    await ledger.appendErased(leaves[at] ?? new Uint8Array(), said.by, said.statement);
  }
  await ledger.append(there);
}

/** What registrars' erasures say of entries, by index; looked for once, and only where something is missing. */
type Erasures = () => Promise<ReadonlyMap<number, SaidOf>>;

interface SaidOf {
  readonly by: ErasureName;
  readonly statement: ErasedStatement;
}

function erasuresIn(read: ReadFile, size: number, registrars: ReadonlySet<string>): Erasures {
  let found: ReturnType<Erasures> | undefined;
  return () => (found ??= findErasures(read, size, registrars));
}

async function findErasures(read: ReadFile, size: number, registrars: ReadonlySet<string>): ReturnType<Erasures> {
  const found = new Map<number, SaidOf>();
  for (let index = 0; index * TILE_WIDTH < size; index += 1) {
    for (const [at, leaf] of (await entriesAt(read, index, Math.min(TILE_WIDTH, size - index * TILE_WIDTH))).entries()) {
      if (!registrars.has(keyIdOf(parseLogLeaf(leaf).spki))) continue;
      const erasure = index * TILE_WIDTH + at;
      const signed = await signedIn(read, leaf, erasure);
      const said = typeof signed === 'string' ? [] : saidBy(signed, erasure);
      for (const one of said) found.set(one.statement.logIndex, one);
    }
  }
  return found;
}

/** What an entry says of those before it, if it is an erasure. */
function saidBy({ envelope, spki }: Signed, erasure: number): readonly SaidOf[] {
  if (!verifyEnvelope(envelope, spki)) return [];
  const payload = envelopePayload(envelope);
  const by = { erasure, order: sha256(payload) };
  return erasedBy(parseStatement(payload)).flatMap((statement) => (statement.logIndex < erasure ? [{ by, statement }] : []));
}

/** An entry as it was signed: signature and key in the leaf, what was signed in the blob that has the leaf's digest; that digest where it is not there. */
async function signedIn(read: ReadFile, leafBytes: Uint8Array, index: number): Promise<Signed | Digest> {
  const { paeDigest, signature, spki, certificate } = parseLogLeaf(leafBytes);
  const digest = digestFromHex(hex(paeDigest));
  const bytes = await read(`content/blobs/sha256/${digestHex(digest)}`, MAX_SIGNED_BYTES);
  if (bytes === undefined || sha256(bytes) !== digest) return digest;
  const envelope = makeEnvelope(INTOTO_PAYLOAD_TYPE, payloadIn(bytes), signature);
  if (certificate === undefined) return { envelope, spki };
  const timestamp = (await read(`log/${timestampPath(index)}`, LIMITS.timestampTokenBytes)) ?? NO_TIMESTAMP;
  return { envelope, spki, certified: { certificate, timestamp } };
}

/** The payload in a pre-authentication encoding: what follows the fourth space. @throws PromoterError `LOG_NOT_INCLUDED` it is of another type */
function payloadIn(bytes: Uint8Array): Uint8Array {
  const { length } = pae(INTOTO_PAYLOAD_TYPE, new Uint8Array());
  // the length of the payload is in decimal, one digit of which is in that of the empty one
  for (let digits = 1; digits <= String(LIMITS.statementBytes).length; digits += 1) {
    const payload = bytes.subarray(length + digits - 1);
    if (equalBytes(pae(INTOTO_PAYLOAD_TYPE, payload), bytes)) return payload;
  }
  throw new PromoterError('LOG_NOT_INCLUDED', 'read the published log: expected entries of in-toto statements, got one of another type');
}

/** A ledger's checkpoints, as the lane shows them. */
export type PublishedCheckpoints = Pick<Ledger, 'latestCosigned' | 'firstCosignedCovering'>;

/**
 * The checkpoints that the lane has: the one of today, and those in the waybills that channels point at, which give decisions the time at which they were
 * witnessed. One that is not of this log, or lacks its quorum, is passed over: what it would prove is proved later then.
 */
export async function publishedCheckpoints(
  read: ReadFile,
  ledger: Ledger,
  lane: Pick<LaneTrust, 'stages' | 'origin'>,
  today: string,
): Promise<PublishedCheckpoints> {
  const notes = new Map<string, number>([[today, parseCheckpoint(today).size]]);
  const waybills = [...lane.stages.values()].flatMap(({ policy, channel }) =>
    [...channel.groups, ...channel.rollback].map(({ waybill }) => ({ policy, waybill })),
  );
  for (const { policy, waybill } of waybills) {
    const bytes = await read(`content/blobs/sha256/${digestHex(waybill)}`, LIMITS.waybillBytes);
    for (const note of bytes === undefined || sha256(bytes) !== waybill ? [] : notesIn(bytes))
      if (!notes.has(note) && (await counts(ledger, note, policy, lane.origin))) notes.set(note, parseCheckpoint(note).size);
  }
  const bySize = [...notes].sort(([, left], [, right]) => left - right);
  const first = (index: number, accepts: (note: string) => boolean): string | null =>
    bySize.find(([note, size]) => size > index && accepts(note))?.[0] ?? null;
  return {
    latestCosigned: (maxSize = Number.MAX_SAFE_INTEGER) => Promise.resolve(bySize.findLast(([, size]) => size <= maxSize)?.[0] ?? null),
    firstCosignedCovering: (index, accepts = () => true) => Promise.resolve(first(index, accepts)),
  };
}

function notesIn(waybill: Uint8Array): ReadonlySet<string> {
  return new Set(parseWaybill(waybill).bundles.flatMap((bundle) => parseBundle(bundle).logged?.proof.checkpoint ?? []));
}

async function counts(ledger: Ledger, note: string, policy: Policy, origin: string): Promise<boolean> {
  const { log, trust } = logOf(policy, origin);
  try {
    const { size, root } = quorumThen(note, log, trust).checkpoint;
    return size <= (await ledger.size()) && equalBytes(await ledger.rootAt(size), root);
  } catch (error) {
    if (error instanceof SealaneError) return false;
    throw error;
  }
}

function logOf(policy: Policy, origin: string): { readonly log: VerifyTrust['logs'][number]; readonly trust: VerifyTrust } {
  const trust = verifyTrustOf(policy);
  const log = trust.logs.find((each) => each.origin === origin);
  if (log === undefined) throw new PromoterError('CONFIG_INVALID', `read the log of ${origin}: expected a policy that names it, got none`);
  return { log, trust };
}

function missing(what: string): PromoterError {
  return new PromoterError('CONTENT_MISSING', `read the published log: expected ${what} in the lane, got nothing of that digest`, {
    path: what,
  });
}
