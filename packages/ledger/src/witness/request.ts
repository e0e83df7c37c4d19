/** The body of add-checkpoint: an old size, a consistency proof, a checkpoint (C2SP tlog-witness v1.0.0). Pure. */
import { base64, fromBase64, LedgerError, LIMITS, SealaneError } from '@sealane/core';

/** A request to cosign `note`, with the proof that it extends the tree of `oldSize` entries. */
export interface AddCheckpoint {
  readonly oldSize: number;
  /** At most 63 hashes of 32 bytes. */
  readonly proof: readonly Uint8Array[];
  /** The signed checkpoint, not taken apart yet. */
  readonly note: string;
}

/** C2SP tlog-witness: the client must not send more; a tree of 2^63 entries needs no more. */
const MAX_PROOF = 63;

/** A body can be no longer: the checkpoint's own bound, and 64 short lines. */
export const MAX_REQUEST_BYTES = LIMITS.checkpointBytes + 4096;

/** Writes a request. */
export function formatAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): string {
  return `old ${oldSize}\n${proof.map((hash) => `${base64(hash)}\n`).join('')}\n${note}`;
}

/**
 * Reads a request. What it returns, written again, gives the same body.
 *
 * @throws LedgerError `WITNESS_REQUEST` not of the form
 */
export function parseAddCheckpoint(body: string): AddCheckpoint {
  // the first blank line ends the proof: the checkpoint has one of its own
  const split = body.indexOf('\n\n');
  if (split < 0 || body.length > MAX_REQUEST_BYTES) throw malformed('"old N", hashes, a blank line and a checkpoint');
  const [first = '', ...lines] = body.slice(0, split).split('\n');
  const [, size] = /^old (0|[1-9]\d{0,15})$/.exec(first) ?? [];
  if (size === undefined || !Number.isSafeInteger(Number(size))) throw malformed('"old" and a size in decimal');
  if (lines.length > MAX_PROOF) throw malformed(`at most ${MAX_PROOF} hashes, got ${lines.length}`);
  return { oldSize: Number(size), proof: lines.map(parseHash), note: body.slice(split + 2) };
}

function parseHash(line: string): Uint8Array {
  try {
    const hash = fromBase64(line);
    if (hash.length === 32) return hash;
  } catch (error) {
    // reported below, with hashes of a wrong length
    if (!(error instanceof SealaneError)) throw error;
  }
  throw malformed('hashes of 32 bytes in base64');
}

function malformed(expected: string): LedgerError {
  return new LedgerError('WITNESS_REQUEST', `read a witness request: expected ${expected}`);
}
