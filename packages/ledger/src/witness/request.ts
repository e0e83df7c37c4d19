/** The body of add-checkpoint: an old size, a consistency proof, a checkpoint (C2SP tlog-witness v1.0.0). */
import { base64, fromBase64, LedgerError, SealaneError } from '@sealane/core';

export interface AddCheckpoint {
  readonly oldSize: number;
  /** At most 63 hashes of 32 bytes. */
  readonly proof: readonly Uint8Array[];
  readonly note: string;
}

/** Proof lines a request may have: a tree of 2^63 entries needs no more. */
const MAX_PROOF = 63;

/** Writes a request. */
export function formatAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): string {
  return `old ${oldSize}\n${proof.map((hash) => `${base64(hash)}\n`).join('')}\n${note}`;
}

/**
 * Reads a request.
 *
 * @throws LedgerError `WITNESS_REQUEST` not of the form
 */
export function parseAddCheckpoint(body: string): AddCheckpoint {
  const split = body.indexOf('\n\n');
  const [first = '', ...lines] = body.slice(0, Math.max(split, 0)).split('\n');
  const [, size] = /^old (0|[1-9]\d*)$/.exec(first) ?? [];
  if (split < 0 || size === undefined || !Number.isSafeInteger(Number(size))) throw malformed('"old N", hashes, a blank line and a checkpoint');
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
