/** The requests of an upload (distribution-spec 1.1, "Pushing blobs"): how it starts, goes on and ends. */
import { isDigest, OciError } from '@sealane/core';
import type { Descriptor } from './descriptor.js';
import { MAX_TOKEN_BYTES } from './limits.js';
import type { StreamedBody } from './registry-http.js';
import type { RegistryRequest, Session } from './registry-session.js';
import { digestError } from './verified-stream.js';

/** Gives `length` bytes of a blob from `from` on. */
export type BlobBytes = (from: number, length: number) => Promise<Uint8Array>;

/** What registries answer to something that they have taken; the specification says 201, Quay says 202 of manifests. */
export const TAKEN: readonly number[] = [200, 201, 202, 204];

export const OCTETS = { 'content-type': 'application/octet-stream' };

/** A blob on its way. */
export interface Upload {
  readonly session: Session;
  readonly repository: string;
  readonly descriptor: Descriptor;
  readonly bytes: BlobBytes;
}

/** Opens an upload: where it goes on, and the least length of a piece there. */
export async function startUpload({ session, repository, descriptor }: Upload): Promise<{ location: URL; minPieceBytes: number }> {
  const { location, minPieceBytes } = await ask(session, { repository, target: 'blobs/uploads/', method: 'POST', expected: [202] });
  return { location: session.follow(location, `upload blob ${descriptor.digest} to ${session.registry}/${repository}`), minPieceBytes };
}

/** Ends an upload with the last or all of its bytes; the registry then has the blob. @throws OciError `CONTENT_DIGEST`; as `Session.send` */
export async function finishUpload(
  { session, repository, descriptor: { digest } }: Upload,
  location: URL,
  body: Uint8Array | StreamedBody,
): Promise<void> {
  const target = new URL(location);
  target.searchParams.set('digest', digest);
  const finished = await ask(session, { repository, target, method: 'PUT', headers: OCTETS, body, expected: TAKEN, once: true });
  if (isDigest(finished.digest) && finished.digest !== digest)
    throw digestError(`upload blob ${digest} to ${session.registry}/${repository}`, digest, finished.digest);
}

/** What a registry says of an upload. */
export interface UploadAnswer {
  readonly location: string | undefined;
  readonly digest: unknown;
  /** The first byte that the registry does not have yet, where it says so. */
  readonly next: number | undefined;
  /** Shorter pieces, but for the last, it refuses; 0 where it says nothing. */
  readonly minPieceBytes: number;
}

/** One request of an upload. @throws as `Session.send` */
export async function ask(session: Session, request: Omit<RegistryRequest, 'maxBytes'>): Promise<UploadAnswer> {
  const answer = await session.send({ ...request, maxBytes: MAX_TOKEN_BYTES });
  await answer.dump();
  const { location, range, 'docker-content-digest': digest, 'oci-chunk-min-length': least } = answer.headers;
  const last = Number(/^(?:bytes=)?0-(\d{1,15})$/.exec(range ?? '')?.[1] ?? Number.NaN);
  return {
    location,
    digest,
    // "0-0" is how registries say that nothing came yet
    next: Number.isNaN(last) ? undefined : last === 0 ? 0 : last + 1,
    minPieceBytes: typeof least === 'string' && /^\d{1,12}$/.test(least) ? Number(least) : 0,
  };
}

/** The status that an error stands for. */
export const statusOf = (error: unknown): unknown => (error instanceof OciError ? error.data['status'] : undefined);
