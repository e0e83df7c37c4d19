/**
 * The rule of a witness: it cosigns a checkpoint only when that extends the last one it cosigned (C2SP tlog-witness v1.0.0, add-checkpoint).
 *
 * Pure, over what is remembered; the server persists and answers.
 */
import {
  type Checkpoint,
  equalBytes,
  isBy,
  openNote,
  parseCheckpoint,
  parseNote,
  SealaneError,
  signatureLine,
  verifyConsistency,
  type Vkey,
} from '@sealane/core';
import { type AddCheckpoint, parseAddCheckpoint } from './request.js';

/** What a witness remembers of a log: size and root of the last checkpoint it cosigned. */
export interface Remembered {
  readonly size: number;
  readonly root: Uint8Array;
}

/** What to answer. With 200 the cosigned `note` must be durable before its cosignature leaves. */
export type Judgement =
  /** `note`: the checkpoint with its log's signatures and nobody else's. */
  | { readonly status: 200; readonly log: Vkey; readonly checkpoint: Checkpoint; readonly note: string }
  | { readonly status: 400 | 403 | 404 | 422; readonly why: string }
  /** The old size is not what we remember; `size` is, and is the body (text/x.tlog.size). */
  | { readonly status: 409; readonly size: number };

/**
 * Judges a request body. A log that replaces its key has two keys of one name for a while: either will do, and what is remembered is of the log, not of a
 * key. `remembered` gives what was seen of a log, undefined when nothing.
 */
export function judgeRequest(body: string, logs: readonly Vkey[], remembered: (log: Vkey) => Remembered | undefined): Judgement {
  const request = orUndefined(() => parseAddCheckpoint(body));
  if (request === undefined) return { status: 400, why: 'malformed request' };
  const text = orUndefined(() => parseNote(request.note))?.text;
  if (text === undefined) return { status: 400, why: 'malformed note' };
  const [origin, size] = text.split('\n');
  const keys = logs.filter(({ name }) => name === origin);
  if (keys.length === 0) return { status: 404, why: 'unknown log' };
  // no signature by a key of the log, or one that claims to be and is wrong
  const [log, ...others] = orUndefined(() => openNote(request.note, keys))?.verified ?? [];
  if (log === undefined) return { status: 403, why: 'not signed by the log' };
  const checkpoint = orUndefined(() => parseCheckpoint(request.note));
  // an empty tree with another root than that of the empty tree is well-formed, and inconsistent
  if (checkpoint === undefined)
    return size === '0' ? { status: 422, why: 'wrong root of the empty tree' } : { status: 400, why: 'malformed checkpoint' };
  return judgeCheckpoint(request, checkpoint, [log, ...others], remembered(log));
}

function judgeCheckpoint(
  request: AddCheckpoint,
  checkpoint: Checkpoint,
  signers: readonly [Vkey, ...Vkey[]],
  remembered: Remembered | undefined,
): Judgement {
  if (request.oldSize > checkpoint.size) return { status: 400, why: 'old size beyond the checkpoint' };
  const seenSize = remembered?.size ?? 0;
  if (request.oldSize !== seenSize) return { status: 409, size: seenSize };
  if (!extendsRemembered(request, checkpoint, remembered))
    return { status: 422, why: 'not consistent with the checkpoint cosigned before' };
  return { status: 200, log: signers[0], checkpoint, note: `${checkpoint.text}\n${logLines(request.note, signers)}` };
}

function extendsRemembered({ proof }: AddCheckpoint, { size, root }: Checkpoint, remembered: Remembered | undefined): boolean {
  // the empty tree is a prefix of every tree: the proof must be empty
  if (remembered === undefined || remembered.size === 0) return proof.length === 0;
  if (size === remembered.size) return proof.length === 0 && equalBytes(root, remembered.root);
  const verified = orUndefined(() => {
    verifyConsistency({ size1: remembered.size, size2: size, root1: remembered.root, root2: root, proof });
    return true;
  });
  return verified === true;
}

/** Only what was verified is kept and served again: no line of anybody else. */
function logLines(note: string, signers: readonly Vkey[]): string {
  const { signatures } = parseNote(note);
  const own = signers.flatMap((vkey) => signatures.find((signature) => isBy(signature, vkey)) ?? []);
  return own.map(({ name, keyHash, blob }) => signatureLine(name, keyHash, blob)).join('');
}

function orUndefined<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    // every named refusal is the requester's fault and becomes a status
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}
