/** Reading blobs of a registry: whether one is there, and its bytes, from where a broken connection left off. */
import { isDigest, OciError } from '@sealane/core';
import type { Descriptor } from './descriptor.js';
import { deadline, type ExchangeAnswer, isPassing } from './registry-http.js';
import { pauseAfter } from './registry-retry.js';
import type { RegistryRequest, Session } from './registry-session.js';
import { digestError, lengthError, verifiedStream } from './verified-stream.js';

/**
 * Whether a repository says that it has a blob.
 *
 * @throws OciError `CONTENT_LENGTH`, `CONTENT_DIGEST` it says so of another one; `REGISTRY_*`, `FETCH_TOO_SLOW`
 */
export async function hasBlob(
  session: Session,
  repository: string,
  { digest, size }: Descriptor,
  more: Pick<RegistryRequest, 'access'> = {},
): Promise<boolean> {
  const request = { repository, target: `blobs/${digest}`, method: 'HEAD', maxBytes: 0, expected: [200, 404], ...more } as const;
  const { status, headers, dump } = await session.send(request);
  await dump();
  if (status === 404) return false;
  const name = blobName(session, repository, digest);
  const length = headers['content-length'];
  if (length !== undefined && length !== String(size)) throw lengthError(name, `${size}`, length);
  const said = headers['docker-content-digest'];
  if (isDigest(said) && said !== digest) throw digestError(name, digest, said);
  return true;
}

/**
 * The bytes of a blob, verified as `verifiedStream` does.
 *
 * @throws OciError `CONTENT_*`, `REGISTRY_*`, `FETCH_TOO_SLOW`
 */
export async function* readBlob(session: Session, repository: string, descriptor: Descriptor): AsyncGenerator<Uint8Array> {
  const { digest, size } = descriptor;
  yield* verifiedStream(resumed(session, repository, descriptor), { name: blobName(session, repository, digest), digest, size });
}

/** A connection that breaks is opened again at the byte where it broke, as long as each one brings some. */
async function* resumed(session: Session, repository: string, { digest, size }: Descriptor): AsyncGenerator<Uint8Array> {
  const { retries, patience } = session;
  // all of them together bring it at the least rate: who breaks each one off after a byte would hold us for as many as it has
  const until = deadline(patience, size, retries.attempts * (patience.idleMs + retries.longestPauseMs));
  let seen = 0;
  for (let faults = 0; ;) {
    const before = seen;
    const answer = await session.send({
      repository,
      target: `blobs/${digest}`,
      maxBytes: size,
      until,
      ...(seen > 0 && { headers: { range: `bytes=${seen}-` } }),
      expected: seen > 0 ? [200, 206] : [200],
    });
    try {
      for await (const chunk of bytesFrom(answer, seen, blobName(session, repository, digest))) {
        seen += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      faults = seen > before ? 1 : faults + 1;
      if (!isPassing(error) || faults >= retries.attempts) throw error;
      await retries.pause(pauseAfter(faults, retries));
    }
  }
}

/** The bytes of an answer from `from` on. A registry without ranges begins again: what was seen is passed over. */
async function* bytesFrom({ status, headers, body }: ExchangeAnswer, from: number, name: string): AsyncGenerator<Uint8Array> {
  const isRange = status === 206;
  if (isRange && headers['content-range']?.startsWith(`bytes ${from}-`) !== true)
    throw new OciError('REGISTRY_UNAVAILABLE', `read ${name}: expected the bytes from ${from} on, got others`);
  let skip = isRange ? 0 : from;
  for await (const chunk of body) {
    const fresh = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - fresh.length;
    if (fresh.length > 0) yield fresh;
  }
}

const blobName = ({ registry }: Session, repository: string, digest: string): string => `blob ${registry}/${repository}@${digest}`;
