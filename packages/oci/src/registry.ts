/** A client of one registry (distribution-spec 1.1): manifests and blobs both ways, every byte checked against its digest. */
import { type Digest, isDigest, OciError, sha256 } from '@sealane/core';
import type { Descriptor } from './descriptor.js';
import { MAX_MANIFEST_BYTES } from './limits.js';
import { MANIFEST_TYPES } from './media-types.js';
import { readBlob } from './registry-blob.js';
import { type ExchangeAnswer, readBody } from './registry-http.js';
import { listReferrers, type ListedReferrers } from './registry-referrers.js';
import { pauseAfter } from './registry-retry.js';
import { openSession, type RegistryOptions, type RegistryRequest, type Session } from './registry-session.js';
import { type Arrival, type BlobBytes, putBlob } from './registry-upload.js';
import { TAKEN } from './registry-upload-steps.js';
import { digestError } from './verified-stream.js';

export type { RegistryOptions } from './registry-session.js';

/** A manifest as a registry gave it. `mediaType` is the server's word. */
export interface ServedManifest {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  readonly mediaType: string | undefined;
}

/** A registry, until `close`. */
export interface RegistryClient {
  readonly registry: string;
  /**
   * A manifest by digest (verified) or by tag (its digest is computed from the bytes, whatever the headers say).
   * @throws OciError `CONTENT_MISSING`, `CONTENT_DIGEST`, `CONTENT_LENGTH`, `REGISTRY_*`, `FETCH_TOO_SLOW`
   */
  manifest(repository: string, reference: Digest | string): Promise<ServedManifest>;
  /** As `manifest`; undefined where there is none. */
  findManifest(repository: string, reference: Digest | string): Promise<ServedManifest | undefined>;
  /** A blob, verified while it streams: what came before a failure is not to be kept. A connection that breaks is resumed. Errors as for `manifest`. */
  blob(repository: string, descriptor: Descriptor): AsyncGenerator<Uint8Array>;
  /** Brings a blob into a repository; see `putBlob`. */
  putBlob(repository: string, descriptor: Descriptor, bytes: BlobBytes, mountFrom?: readonly string[]): Promise<Arrival>;
  /**
   * Puts a manifest under its digest, where it is not there yet, or under a tag, which it moves.
   * @throws OciError `CONTENT_DIGEST` other bytes are there under its digest, or the registry says that it took others
   */
  putManifest(repository: string, manifest: { readonly bytes: Uint8Array; readonly mediaType: string }, tag?: string): Promise<Arrival>;
  /** What refers to a manifest; see `listReferrers`. */
  referrers(repository: string, subject: Digest): Promise<ListedReferrers>;
  close(): Promise<void>;
}

/** Opens a client; plain http for registries on this machine, https for all others. Nothing is sent yet. */
export function openRegistry(registry: string, options: RegistryOptions = {}): RegistryClient {
  const session = openSession(registry, options);
  const findManifest: RegistryClient['findManifest'] = (repository, reference) => readManifest(session, repository, reference, [200, 404]);
  return {
    registry,
    findManifest,
    manifest: async (repository, reference) => {
      const found = await readManifest(session, repository, reference, [200]);
      if (found !== undefined) return found;
      throw new OciError('CONTENT_MISSING', `read manifest ${registry}/${repository}@${reference}: expected one, got none`);
    },
    blob: (repository, descriptor) => readBlob(session, repository, descriptor),
    putBlob: (repository, descriptor, bytes, mountFrom = []) => putBlob(session, repository, descriptor, bytes, mountFrom),
    putManifest: async (repository, { bytes, mediaType }, tag) => {
      const digest = sha256(bytes);
      if ((await findManifest(repository, tag ?? digest))?.digest === digest) return 'there';
      const name = `manifest ${registry}/${repository}@${tag ?? digest}`;
      const answer = await sendPatiently(session, {
        repository,
        target: `manifests/${tag ?? digest}`,
        method: 'PUT',
        headers: { 'content-type': mediaType },
        body: bytes,
        maxBytes: MAX_MANIFEST_BYTES,
        expected: TAKEN,
      });
      await answer.dump();
      const taken = answer.headers['docker-content-digest'];
      if (isDigest(taken) && taken !== digest) throw digestError(name, digest, taken);
      return 'sent';
    },
    referrers: (repository, subject) => listReferrers(session, repository, subject),
    close: () => session.close(),
  };
}

/** What a registry says of a manifest, whose digest is that of its bytes, when it does not see yet what it has just taken from us or from another (Distribution does so to several who write the same). */
const NOT_SEEN_YET: readonly unknown[] = ['MANIFEST_BLOB_UNKNOWN', 'BLOB_UNKNOWN', 'DIGEST_INVALID'];

async function sendPatiently(session: Session, request: RegistryRequest): Promise<ExchangeAnswer> {
  const { retries } = session;
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await session.send(request);
    } catch (error) {
      const complaint = error instanceof OciError ? error.data['complaint'] : undefined;
      if (attempts >= retries.attempts || !NOT_SEEN_YET.includes(complaint)) throw error;
      await retries.pause(pauseAfter(attempts, retries));
    }
  }
}

async function readManifest(
  session: Session,
  repository: string,
  reference: Digest | string,
  expected: readonly number[],
): Promise<ServedManifest | undefined> {
  const answer = await session.send({
    repository,
    target: `manifests/${reference}`,
    maxBytes: MAX_MANIFEST_BYTES,
    accept: MANIFEST_TYPES,
    expected,
  });
  if (answer.status !== 200) {
    await answer.dump();
    return undefined;
  }
  const name = `manifest ${session.registry}/${repository}@${reference}`;
  const bytes = await readBody(answer, MAX_MANIFEST_BYTES, name);
  const digest = sha256(bytes);
  if (isDigest(reference) && digest !== reference) throw digestError(name, reference, digest);
  return { bytes, digest, mediaType: bareType(answer.headers['content-type']) };
}

/** `application/json; charset=utf-8` → `application/json`. */
const bareType = (header: string | readonly string[] | undefined): string | undefined =>
  typeof header === 'string' ? header.split(';')[0]?.trim() : undefined;
