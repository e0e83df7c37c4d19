/**
 * Offline proofs as files (C2SP tlog-proof): that an entry is in a log, down to a checkpoint that witnesses cosigned.
 *
 * Whoever has the file, the entry and the keys needs nothing else. By custom it is named `….tlog-proof`.
 */
import { base64, fromBase64, fromUtf8 } from './bytes.js';
import { CoreError } from './errors.js';
import { LIMITS } from './limits.js';
import { leafHash, verifyInclusion } from './merkle.js';
import { type QuorumCheckpoint, verifyQuorum } from './quorum.js';
import { restate } from './restate.js';
import type { Vkey } from './signed-note.js';

/** A proof taken apart, not verified. `checkpoint` is a signed note; `extra` is opaque and not covered by any signature. */
export interface TlogProof {
  readonly extra?: Uint8Array;
  readonly index: number;
  readonly hashes: readonly Uint8Array[];
  readonly checkpoint: string;
}

const HEADER = 'c2sp.org/tlog-proof@v1';
/** A tree of 2^63 entries has paths of 63 hashes. */
const MAX_HASHES = 63;
/** Hashes and `extra` beside the largest checkpoint: enough for both. */
const MAX_BYTES = 2 * LIMITS.checkpointBytes;

/** The text of a proof file. */
export function formatTlogProof(proof: TlogProof): string {
  const extra = proof.extra === undefined ? '' : `extra ${base64(proof.extra)}\n`;
  const hashes = proof.hashes.map((hash) => `${base64(hash)}\n`).join('');
  return `${HEADER}\n${extra}index ${proof.index}\n${hashes}\n${proof.checkpoint}`;
}

/**
 * A proof out of the text of its file. What was parsed formats to the same text again. Nothing is verified: see `verifyTlogProof`.
 *
 * @throws CoreError `PROOF_MALFORMED`
 */
export function parseTlogProof(file: string | Uint8Array): TlogProof {
  if (file.length > MAX_BYTES) throw malformed(`at most ${MAX_BYTES} bytes, got ${file.length}`);
  const text = typeof file === 'string' ? file : restate('PROOF_MALFORMED', () => fromUtf8(file), 'read a tlog-proof: expected UTF-8');
  // the checkpoint's own blank line comes later: the proof ends at the first
  const end = text.indexOf('\n\n');
  if (end < 0) throw malformed('a proof, a blank line and a checkpoint');
  const [header, ...lines] = text.slice(0, end).split('\n');
  if (header !== HEADER) throw malformed(`the first line ${HEADER}`);
  const extra = lines[0]?.startsWith('extra ') === true ? bytesOf(lines.shift()?.slice('extra '.length) ?? '') : undefined;
  const index = indexOf(lines.shift() ?? '');
  if (lines.length > MAX_HASHES) throw malformed(`at most ${MAX_HASHES} hashes, got ${lines.length}`);
  return { ...(extra === undefined ? {} : { extra }), index, hashes: lines.map(hashOf), checkpoint: text.slice(end + 2) };
}

/**
 * Verifies that `entry` (the leaf's bytes) is in the log, under a checkpoint that the log signed and a quorum cosigned.
 *
 * @throws CoreError `LOG_NOT_INCLUDED`, `LOG_WITNESS` the checkpoint; `PROOF_LENGTH`, `PROOF_MISMATCH` the path to its root
 */
export function verifyTlogProof(input: {
  readonly proof: TlogProof;
  readonly entry: Uint8Array;
  readonly log: Vkey;
  readonly witnesses: readonly Vkey[];
  readonly quorum: number;
}): QuorumCheckpoint {
  const { proof, entry, log, witnesses, quorum } = input;
  const verified = verifyQuorum({ note: proof.checkpoint, logKeys: [log], witnesses, quorum });
  const { size, root } = verified.checkpoint;
  verifyInclusion({ leafHash: leafHash(entry), index: proof.index, size, proof: proof.hashes, root });
  return verified;
}

function indexOf(line: string): number {
  const [, digits] = /^index (0|[1-9]\d{0,15})$/.exec(line) ?? [];
  if (digits === undefined || !Number.isSafeInteger(Number(digits))) throw malformed('a line "index N" in decimal');
  return Number(digits);
}

function hashOf(line: string): Uint8Array {
  const hash = bytesOf(line);
  if (hash.length !== 32) throw malformed(`hashes of 32 bytes, got one of ${hash.length}`);
  return hash;
}

function bytesOf(text: string): Uint8Array {
  return restate('PROOF_MALFORMED', () => fromBase64(text), 'read a tlog-proof: expected standard base64');
}

function malformed(expected: string): CoreError {
  return new CoreError('PROOF_MALFORMED', `read a tlog-proof: expected ${expected}`);
}
