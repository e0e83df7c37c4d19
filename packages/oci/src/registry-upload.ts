/** Bringing a blob into a repository: not at all where it is there, by a mount where the registry has it, else in pieces that can be resumed. */
import { isDigest, OciError } from '@sealane/core';
import type { Descriptor } from './descriptor.js';
import { MAX_TOKEN_BYTES, UPLOAD_CHUNK_BYTES } from './limits.js';
import { hasBlob } from './registry-blob.js';
import { isPassing } from './registry-http.js';
import { pauseAfter } from './registry-retry.js';
import type { RegistryRequest, Session } from './registry-session.js';
import { digestError } from './verified-stream.js';

/** Gives `length` bytes of a blob from `from` on. */
export type BlobBytes = (from: number, length: number) => Promise<Uint8Array>;

/** How something came to be in a repository: it was there, the registry linked it from another repository, or its bytes were sent. */
export type Arrival = 'there' | 'mounted' | 'sent';

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
  const { retries } = session;
  for (let attempts = 1; ; attempts += 1) {
    try {
      await upload(session, repository, descriptor, bytes);
      return 'sent';
    } catch (error) {
      if (attempts >= retries.attempts || !isWorthRestarting(error)) throw error;
      await retries.pause(pauseAfter(attempts, retries));
    }
  }
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

async function upload(session: Session, repository: string, descriptor: Descriptor, bytes: BlobBytes): Promise<void> {
  const { digest, size } = descriptor;
  const doing = `upload blob ${digest} to ${session.registry}/${repository}`;
  const started = await send(session, { repository, target: 'blobs/uploads/', method: 'POST', expected: [202] });
  const start = session.follow(started.location, doing);
  const isWhole = size <= UPLOAD_CHUNK_BYTES;
  const place = isWhole ? start : await sendChunks(session, repository, descriptor, bytes, start);
  const target = new URL(place);
  target.searchParams.set('digest', digest);
  const body = isWhole ? await bytes(0, size) : new Uint8Array();
  const finished = await send(session, { repository, target, method: 'PUT', headers: OCTETS, body, expected: [201], once: true });
  if (isDigest(finished.digest) && finished.digest !== digest) throw digestError(doing, digest, finished.digest);
}

/** Sends the pieces in order and returns where to finish. After a fault the registry is asked how much it has. */
async function sendChunks(session: Session, repository: string, { size }: Descriptor, bytes: BlobBytes, start: URL): Promise<URL> {
  const { retries } = session;
  let place = start;
  let faults = 0;
  let returns = 0;
  for (let from = 0; from < size;) {
    const before = from;
    const body = await bytes(from, Math.min(UPLOAD_CHUNK_BYTES, size - from));
    const headers = { ...OCTETS, 'content-range': `${from}-${from + body.length - 1}` };
    try {
      const answer = await send(session, { repository, target: place, method: 'PATCH', headers, body, expected: [202], once: true });
      place = session.follow(answer.location, 'upload a blob');
      from = answer.next ?? from + body.length;
      faults = 0;
      if (from <= before) returns += 1;
    } catch (error) {
      faults += 1;
      if (faults >= retries.attempts || !isWorthResuming(error)) throw error;
      await retries.pause(pauseAfter(faults, retries));
      const answer = await send(session, { repository, target: place, expected: [204] });
      place = answer.location === undefined ? place : session.follow(answer.location, 'resume an upload');
      from = answer.next ?? 0;
      if (from < before) returns += 1;
    }
    // a registry may lose what it has, but one that does so each time would have us send for ever
    if (returns >= retries.attempts) throw notKept(session.registry, repository, returns);
  }
  return place;
}

function notKept(registry: string, repository: string, times: number): OciError {
  return new OciError(
    'REGISTRY_UNAVAILABLE',
    `upload a blob to ${registry}/${repository}: expected what was sent to be kept, got asked for it again ${times} times`,
  );
}

const OCTETS = { 'content-type': 'application/octet-stream' };

interface UploadAnswer {
  readonly location: string | undefined;
  readonly digest: unknown;
  /** The first byte that the registry does not have yet, where it says so. */
  readonly next: number | undefined;
}

async function send(session: Session, request: Omit<RegistryRequest, 'maxBytes'>): Promise<UploadAnswer> {
  const answer = await session.send({ ...request, maxBytes: MAX_TOKEN_BYTES });
  await answer.dump();
  const { location, range, 'docker-content-digest': digest } = answer.headers;
  const last = Number(/^(?:bytes=)?0-(\d{1,15})$/.exec(range ?? '')?.[1] ?? Number.NaN);
  // "0-0" is how registries say that nothing came yet
  return { location, digest, next: Number.isNaN(last) ? undefined : last === 0 ? 0 : last + 1 };
}

/** The connection broke, or the registry has another opinion about what came (416). */
const isWorthResuming = (error: unknown): boolean => isPassing(error) || statusOf(error) === 416;

/** The connection broke, or the registry no longer knows the upload. */
const isWorthRestarting = (error: unknown): boolean => isPassing(error) || statusOf(error) === 404;

const statusOf = (error: unknown): unknown => (error instanceof OciError ? error.data['status'] : undefined);
