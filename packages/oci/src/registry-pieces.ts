/** A blob in pieces (distribution-spec, "Pushing a blob in chunks"): after a fault the registry is asked how much it has. */
import { OciError } from '@sealane/core';
import { MAX_UPLOAD_PIECE_BYTES, UPLOAD_PIECE_BYTES } from './limits.js';
import { isPassing } from './registry-http.js';
import { pauseAfter } from './registry-retry.js';
import { ask, finishUpload, OCTETS, startUpload, statusOf, TAKEN, type Upload, type UploadAnswer } from './registry-upload-steps.js';

/** Sends the pieces in order, and ends the upload. @throws OciError as `putBlob` */
export async function sendPieces(upload: Upload): Promise<void> {
  const {
    session,
    repository,
    bytes,
    descriptor: { size },
  } = upload;
  const { retries } = session;
  const { location, minPieceBytes } = await startUpload(upload);
  const pieceBytes = Math.min(Math.max(UPLOAD_PIECE_BYTES, minPieceBytes), MAX_UPLOAD_PIECE_BYTES);
  let place = location;
  let faults = 0;
  let returns = 0;
  for (let from = 0; from < size;) {
    const before = from;
    const body = await bytes(from, Math.min(pieceBytes, size - from));
    const headers = { ...OCTETS, 'content-range': `${from}-${from + body.length - 1}` };
    try {
      const answer = await ask(session, { repository, target: place, method: 'PATCH', headers, body, expected: TAKEN, once: true });
      place = session.follow(answer.location, 'upload a blob');
      from = answer.next ?? from + body.length;
      faults = 0;
      if (from < before + body.length) returns += 1;
    } catch (error) {
      faults += 1;
      if (faults >= retries.attempts || !isWorthResuming(error)) throw error;
      await retries.pause(pauseAfter(faults, retries));
      ({ place, from } = await whereItStands(upload, place));
      if (from < before) returns += 1;
    }
    // a registry may lose what it has or keep a part of a piece, but one that does so each time would have us send for ever
    if (returns >= retries.attempts) throw notKept(upload, returns);
  }
  await finishUpload(upload, place, new Uint8Array());
}

/** What the registry has of an upload; a new one where it has given that up, as Distribution does when a piece broke off in the middle. */
async function whereItStands(upload: Upload, place: URL): Promise<{ place: URL; from: number }> {
  const { session, repository } = upload;
  let answer: UploadAnswer;
  try {
    answer = await ask(session, { repository, target: place, expected: TAKEN });
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    return { place: (await startUpload(upload)).location, from: 0 };
  }
  return { place: answer.location === undefined ? place : session.follow(answer.location, 'resume an upload'), from: answer.next ?? 0 };
}

function notKept({ session, repository }: Upload, times: number): OciError {
  return new OciError(
    'REGISTRY_UNAVAILABLE',
    `upload a blob to ${session.registry}/${repository}: expected what was sent to be kept, got asked for it again ${times} times`,
  );
}

/** The connection broke, or the registry has another opinion about what came (416). */
const isWorthResuming = (error: unknown): boolean => isPassing(error) || statusOf(error) === 416;
