/** Asks witnesses to cosign a checkpoint, and puts their lines under it (C2SP tlog-witness v1.0.0). */
import { LedgerError, parseNote, verifyCosignatures, type Vkey } from '@sealane/core';
import { formatAddCheckpoint } from './request.js';

/** Sends a POST; resolves with status and body (bounded), rejects when the witness cannot be reached in time. */
export type Post = (url: string, body: string, signal: AbortSignal) => Promise<{ readonly status: number; readonly body: string }>;

export interface WitnessAddress {
  readonly vkey: Vkey;
  readonly url: string;
}

export interface CosignRequest {
  readonly witness: WitnessAddress;
  /** The log-signed checkpoint. */
  readonly note: string;
  readonly size: number;
  /** The size that this witness is believed to have seen; it corrects us once if we are wrong. */
  readonly believedSize: number;
  readonly consistencyProof: (size1: number, size2: number) => readonly Uint8Array[];
  readonly post: Post;
  readonly signal: AbortSignal;
}

/**
 * One witness's cosignature line for the checkpoint, verified.
 *
 * @throws LedgerError `WITNESS_UNREACHABLE` no answer; `LOG_FORK` the witness saw another log or a longer one; `LOG_WITNESS` any other refusal
 */
export async function requestCosignature(request: CosignRequest): Promise<string> {
  const first = await ask(request, request.believedSize);
  // 409 carries the size that the witness has seen: ask once more from there
  const answer = first.status === 409 ? await ask(request, seenSize(request, first.body)) : first;
  if (answer.status !== 200) throw refused(request, answer);
  const note = `${request.note}${answer.body}`;
  if (verifyCosignatures(note, [request.witness.vkey]).length !== 1) {
    throw new LedgerError('LOG_WITNESS', `ask witness ${request.witness.vkey.name}: expected its cosignature, got something else`);
  }
  return answer.body;
}

async function ask(request: CosignRequest, oldSize: number): Promise<{ readonly status: number; readonly body: string }> {
  const { witness, note, size, post, signal } = request;
  const proof = oldSize === 0 || oldSize === size ? [] : request.consistencyProof(oldSize, size);
  try {
    return await post(`${witness.url.replace(/\/$/, '')}/add-checkpoint`, formatAddCheckpoint({ oldSize, proof, note }), signal);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LedgerError('WITNESS_UNREACHABLE', `ask witness ${witness.vkey.name} at ${witness.url}: ${why}`, { witness: witness.vkey.name }, { cause });
  }
}

function seenSize({ witness, size }: CosignRequest, body: string): number {
  const seen = /^(0|[1-9]\d*)\n?$/.test(body) ? Number(body) : NaN;
  if (!(seen <= size)) {
    throw new LedgerError('LOG_FORK', `ask witness ${witness.vkey.name}: expected it to have seen at most ${size} entries, it says ${JSON.stringify(body.slice(0, 40))}`);
  }
  return seen;
}

function refused({ witness }: CosignRequest, answer: { readonly status: number; readonly body: string }): LedgerError {
  const code = answer.status === 422 ? 'LOG_FORK' : 'LOG_WITNESS';
  return new LedgerError(code, `ask witness ${witness.vkey.name}: expected 200, got ${answer.status} ${JSON.stringify(answer.body.slice(0, 80))}`);
}

/** A note with further signature lines under it, each once. */
export function addLines(note: string, lines: readonly string[]): string {
  const have = new Set(parseNote(note).signatures.map(({ name, blob }) => `${name} ${Buffer.from(blob).toString('hex')}`));
  const fresh = lines.filter((line) => !parseNote(`x\n\n${line}`).signatures.some(({ name, blob }) => have.has(`${name} ${Buffer.from(blob).toString('hex')}`)));
  return note + fresh.join('');
}
