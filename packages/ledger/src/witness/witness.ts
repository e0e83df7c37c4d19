/**
 * A witness: it cosigns a checkpoint only when that extends the last one it saw, and remembers before it answers (C2SP tlog-witness v1.0.0).
 *
 * `step` is the rule, a pure function over the remembered state; the server carries out what it says.
 */
import { type Checkpoint, emptyRoot, equalBytes, fromBase64, openNote, parseCheckpoint, SealaneError, verifyConsistency, type Vkey } from '@sealane/core';
import { type AddCheckpoint, parseAddCheckpoint } from './request.js';

/** What a witness remembers of a log: size and root (base64) of the last checkpoint it cosigned. */
export interface WitnessState {
  readonly size: number;
  readonly root: string;
}

/** What to answer. With `cosign`, the new state must be durable before the cosignature of `text` is sent. */
export type WitnessAnswer =
  | { readonly status: 200; readonly cosign: { readonly text: string; readonly note: string; readonly next: WitnessState } }
  | { readonly status: 400 | 403 | 404 | 422; readonly body: string }
  /** The caller's old size is not ours; `size` is the body, of type text/x.tlog.size. */
  | { readonly status: 409; readonly size: number };

/** Judges one request against the remembered state; `state` is undefined when nothing was seen yet. */
export function step(state: WitnessState | undefined, body: string, log: Vkey): WitnessAnswer {
  const read = refusing(() => ({ request: parseAddCheckpoint(body), checkpoint: parseCheckpoint(parseAddCheckpoint(body).note) }));
  if (read === undefined) return { status: 400, body: 'malformed request\n' };
  const { request, checkpoint } = read;
  if (checkpoint.origin !== log.name) return { status: 404, body: 'unknown log\n' };
  // a bad signature by the known key condemns the note; no signature by it is the same to us
  if (refusing(() => openNote(request.note, [log]))?.verified.length !== 1) return { status: 403, body: 'not signed by the log\n' };
  return judge(state ?? { size: 0, root: '' }, request, checkpoint);
}

function judge(state: WitnessState, request: AddCheckpoint, checkpoint: Checkpoint): WitnessAnswer {
  if (request.oldSize > checkpoint.size) return { status: 400, body: 'old size beyond the checkpoint\n' };
  if (request.oldSize !== state.size) return { status: 409, size: state.size };
  if (!extendsState(state, request, checkpoint)) return { status: 422, body: 'not consistent with the checkpoint seen before\n' };
  const next = { size: checkpoint.size, root: Buffer.from(checkpoint.root).toString('base64') };
  return { status: 200, cosign: { text: checkpoint.text, note: checkpoint.note, next } };
}

function extendsState(state: WitnessState, { proof }: AddCheckpoint, { size, root }: Checkpoint): boolean {
  if (size === 0) return equalBytes(root, emptyRoot()) && proof.length === 0;
  // the empty tree is a prefix of every tree: the proof must be empty
  if (state.size === 0) return proof.length === 0;
  return refusing(() => {
    verifyConsistency({ size1: state.size, size2: size, root1: fromBase64(state.root), root2: root, proof });
    return true;
  }) === true;
}

function refusing<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    // every named refusal is the requester's fault and becomes a status
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}
