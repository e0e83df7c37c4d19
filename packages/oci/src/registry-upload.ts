/**
 * Bringing a blob into a repository: not at all where it is there, by a mount where the registry has it, else by sending it.
 *
 * It is sent at once, which every registry takes. When the line breaks it goes in pieces, of which those that arrived stay; that many registries refuse or
 * count wrongly (Google's, Amazon's), and others, or what stands before them, take no request as long as a layer.
 */
import { OciError } from '@sealane/core';
import type { Descriptor } from './descriptor.js';
import { MAX_TOKEN_BYTES, UPLOAD_PIECE_BYTES } from './limits.js';
import { hasBlob } from './registry-blob.js';
import { isPassing, STREAM_STEP_BYTES, type StreamedBody } from './registry-http.js';
import { sendPieces } from './registry-pieces.js';
import { pauseAfter } from './registry-retry.js';
import type { Session } from './registry-session.js';
import { type BlobBytes, finishUpload, startUpload, statusOf, type Upload } from './registry-upload-steps.js';

export type { BlobBytes } from './registry-upload-steps.js';

/** How something came to be in a repository: it was there, the registry linked it from another repository, or its bytes were sent. */
export type Arrival = 'there' | 'mounted' | 'sent';

type Way = 'whole' | 'pieces';

/**
 * Brings a blob into a repository. `mountFrom` are repositories of the same registry that may have it. Run again after a fault or a kill it
 * sends nothing that is there. The registry checks the digest before it shows the blob.
 *
 * @throws OciError `CONTENT_*` of `bytes`; `CONTENT_DIGEST`, `CONTENT_LENGTH` the registry says that it has other bytes; `REGISTRY_*`
 */
export async function putBlob(
  session: Session,
  repository: string,
  descriptor: Descriptor,
  bytes: BlobBytes,
  mountFrom: readonly string[],
): Promise<Arrival> {
  if (await hasBlob(session, repository, descriptor)) return 'there';
  for (const from of mountFrom) if (await isMounted(session, repository, descriptor, from)) return 'mounted';
  await send({ session, repository, descriptor, bytes });
  return 'sent';
}

/** distribution-spec, "Mounting a blob from another repository". No right to read there, and not having it, are both "no". */
async function isMounted(session: Session, repository: string, descriptor: Descriptor, from: string): Promise<boolean> {
  if (!(await mayHave(session, from, descriptor))) return false;
  const target = `blobs/uploads/?mount=${encodeURIComponent(descriptor.digest)}&from=${encodeURIComponent(from)}`;
  const expected = [201, 202, 401, 403, 404];
  const answer = await session.send({ repository, target, method: 'POST', maxBytes: MAX_TOKEN_BYTES, expected, alsoReads: from });
  await answer.dump();
  return answer.status === 201 && (await hasBlob(session, repository, descriptor));
}

async function mayHave(session: Session, repository: string, descriptor: Descriptor): Promise<boolean> {
  try {
    return await hasBlob(session, repository, descriptor, { access: 'pull' });
  } catch (error) {
    // what it may not show or shows wrong is not mounted; the upload that follows says what is wrong with the registry
    if (error instanceof OciError && ['REGISTRY_DENIED', 'CONTENT_LENGTH', 'CONTENT_DIGEST'].includes(error.code)) return false;
    throw error;
  }
}

/** One way, and after a fault the other, unless the registry has refused it. */
async function send(upload: Upload): Promise<void> {
  const { retries } = upload.session;
  const isSmall = upload.descriptor.size <= UPLOAD_PIECE_BYTES;
  const refused = new Set<Way>();
  let way: Way = 'whole';
  for (let faults = 0; ;) {
    try {
      await (way === 'whole' ? sendWhole(upload) : sendPieces(upload));
      return;
    } catch (error) {
      if (isRefusal(error, way)) refused.add(way);
      else if (isWorthRestarting(error)) faults += 1;
      else throw error;
      if (faults >= retries.attempts || refused.size === 2) throw error;
      if (!refused.has(way)) await retries.pause(pauseAfter(faults, retries));
      way = otherWay(way, refused, isSmall);
    }
  }
}

function otherWay(way: Way, refused: ReadonlySet<Way>, isSmall: boolean): Way {
  if (refused.has('whole')) return 'pieces';
  return way === 'pieces' || refused.has('pieces') || isSmall ? 'whole' : 'pieces';
}

async function sendWhole(upload: Upload): Promise<void> {
  const { location } = await startUpload(upload);
  await finishUpload(upload, location, streamed(upload));
}

/** The whole blob as a body. */
function streamed({ descriptor: { size }, bytes }: Upload): StreamedBody {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let from = 0; from < size; from += UPLOAD_PIECE_BYTES) {
      const piece = await bytes(from, Math.min(UPLOAD_PIECE_BYTES, size - from));
      for (let at = 0; at < piece.length; at += STREAM_STEP_BYTES) yield piece.subarray(at, at + STREAM_STEP_BYTES);
    }
  }
  return { sizeBytes: size, chunks };
}

/** Whole blobs are refused for their length (413), pieces with many words: whatever is answered to them, four times where it could pass. */
function isRefusal(error: unknown, way: Way): boolean {
  if (way === 'whole') return statusOf(error) === 413;
  const isBroken = isPassing(error) && statusOf(error) === undefined;
  return error instanceof OciError && ['REGISTRY_UNAVAILABLE', 'CONTENT_MISSING'].includes(error.code) && !isBroken;
}

/** The connection broke, or the registry no longer knows the upload. */
const isWorthRestarting = (error: unknown): boolean => isPassing(error) || statusOf(error) === 404;
