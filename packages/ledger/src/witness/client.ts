/** Asks a witness to cosign a checkpoint (C2SP tlog-witness v1.0.0). The network is the caller's. */
import {
  equalBytes,
  type ErrorCode,
  formatVkey,
  LedgerError,
  parseNote,
  SealaneError,
  signatureLine,
  verifyCosignatures,
  type Vkey,
} from '@sealane/core';
import { formatAddCheckpoint } from './request.js';

/** Sends a POST; resolves with status and body (bounded by the caller), rejects when the witness cannot be reached before `signal` fires. */
export type Post = (url: string, body: string, signal: AbortSignal) => Promise<{ readonly status: number; readonly body: string }>;

/** A witness: its verifier key and its submission prefix. */
export interface WitnessAddress {
  readonly vkey: Vkey;
  readonly url: string;
}

/** What to ask, and how. */
export interface CosignRequest {
  readonly witness: WitnessAddress;
  /** The log-signed checkpoint, and the size it says. */
  readonly note: string;
  readonly size: number;
  /** The size that this witness is believed to have seen; it corrects us once if we are wrong. */
  readonly believedSize: number;
  /** As `Ledger.consistencyProof`. */
  readonly consistencyProof: (size1: number, size2: number) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  readonly post: Post;
  /** Ends the request, and is how long it may take. */
  readonly signal: AbortSignal;
}

/**
 * One witness's cosignature line for the checkpoint, verified; lines by anybody else are dropped.
 *
 * @throws LedgerError `WITNESS_UNREACHABLE` no answer, or 5xx; `LOG_RESTORED` the witness has seen more than this log has; `LOG_FORK` it has seen another
 *   tree; `LOG_WITNESS` any other refusal, or an answer that is no cosignature by it
 */
export async function requestCosignature(request: CosignRequest): Promise<string> {
  const first = await ask(request, request.believedSize);
  // 409 carries the size that the witness has seen: ask once more from there
  const seen = first.status === 409 ? seenSize(request, first) : request.believedSize;
  const answer = first.status === 409 ? await ask(request, seen) : first;
  if (answer.status !== 200) throw isFork(request, seen, answer) ? forked(request, answer) : refused(request, answer);
  return verifiedLine(request, answer.body);
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function ask(request: CosignRequest, oldSize: number): Promise<Answer> {
  const { witness, note, size, post, signal } = request;
  const proof = oldSize === 0 || oldSize === size ? [] : await request.consistencyProof(oldSize, size);
  const body = formatAddCheckpoint({ oldSize, proof, note });
  try {
    return await post(`${witness.url.replace(/\/+$/, '')}/add-checkpoint`, body, signal);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LedgerError(
      'WITNESS_UNREACHABLE',
      `ask witness ${witness.vkey.name} at ${witness.url}: ${why}`,
      { witness: witness.vkey.name },
      { cause },
    );
  }
}

/**
 * Whether an answer to the question from `askedFrom` says that the witness has seen another tree. Where it was asked from the very size that it was shown, and does not
 * say that it has seen another size, 409 is what tlog-witness v1.0.0 has for another root; later drafts have 422.
 */
function isFork({ size }: CosignRequest, askedFrom: number, { status, body }: Answer): boolean {
  return status === 422 || (status === 409 && askedFrom === size && [undefined, size].includes(sizeIn(body)));
}

function sizeIn(body: string): number | undefined {
  const [, digits] = /^(0|[1-9]\d{0,15})\n$/.exec(body) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** The size in the body of a 409. A size beyond ours: what it saw is lost here, so this log must not go on. */
function seenSize(request: CosignRequest, answer: Answer): number {
  const { witness, size, believedSize } = request;
  if (isFork(request, believedSize, answer)) throw forked(request, answer);
  const [asking, seen] = [`ask witness ${witness.vkey.name}`, sizeIn(answer.body)];
  if (seen === undefined)
    throw new LedgerError('LOG_WITNESS', `${asking}: expected the size it has seen, got ${JSON.stringify(answer.body.slice(0, 40))}`);
  if (seen > size) {
    throw new LedgerError(
      'LOG_RESTORED',
      `${asking}: expected it to have seen at most the ${size} entries of this log, it has seen ${seen}`,
      { seen, size },
    );
  }
  return seen;
}

function forked(request: CosignRequest, answer: Answer): LedgerError {
  return refused(request, answer, 'LOG_FORK');
}

function refused(
  { witness, size }: CosignRequest,
  { status, body }: Answer,
  code: ErrorCode = status >= 500 ? 'WITNESS_UNREACHABLE' : 'LOG_WITNESS',
): LedgerError {
  const message = `ask witness ${witness.vkey.name} to cosign ${size} entries: expected 200, got ${status} ${JSON.stringify(body.slice(0, 80))}`;
  return new LedgerError(code, message, { witness: witness.vkey.name, status });
}

function verifiedLine({ witness: { vkey, url }, note }: CosignRequest, body: string): string {
  try {
    const own = parseNote(`${note}${body}`).signatures.filter(
      ({ name, keyHash }) => name === vkey.name && equalBytes(keyHash, vkey.keyHash),
    );
    const lines = own.map(({ keyHash, blob }) => signatureLine(vkey.name, keyHash, blob)).join('');
    if (verifyCosignatures(`${note}${lines}`, [vkey]).length === 1) return lines;
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    throw new LedgerError('LOG_WITNESS', `ask witness ${vkey.name}: expected its cosignature, got: ${cause.message}`, {}, { cause });
  }
  throw new LedgerError(
    'LOG_WITNESS',
    `ask witness ${vkey.name} at ${url}: expected a cosignature by its key ${formatVkey(vkey)}, got none by that`,
  );
}
