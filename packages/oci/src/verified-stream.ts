/** Streams that check themselves: length while it comes, digest at the end. */
import { createDigester, type Digest, OciError } from '@sealane/core';

/** What the bytes must be; `name` says in messages which blob of which source it is. */
export interface ExpectedBytes {
  readonly name: string;
  readonly digest: Digest;
  /** Exact length in bytes, where it is known. */
  readonly size?: number;
  /** The most that is read where the length is not known. */
  readonly maxBytes?: number;
}

/**
 * Yields the chunks of `source`, and fails after the last one if they were not the expected bytes. What was yielded before
 * that is unverified: keep it where a failure removes it again.
 *
 * @throws OciError `CONTENT_LENGTH` longer (at once) or shorter than expected; `CONTENT_DIGEST`; errors of `source` as they are
 */
export async function* verifiedStream(source: AsyncIterable<Uint8Array>, expected: ExpectedBytes): AsyncGenerator<Uint8Array> {
  const { name, digest, size } = expected;
  const most = size ?? expected.maxBytes ?? Number.MAX_SAFE_INTEGER;
  const digester = createDigester();
  let seen = 0;
  for await (const chunk of source) {
    seen += chunk.length;
    // An endless stream ends here, before its bytes are kept.
    if (seen > most) throw lengthError(name, size === undefined ? `at most ${most}` : `${size}`, `at least ${seen}`);
    digester.update(chunk);
    yield chunk;
  }
  if (size !== undefined && seen !== size) throw lengthError(name, `${size}`, `${seen}`);
  const got = digester.finish();
  if (got !== digest) throw digestError(name, digest, got);
}

/** The whole of a stream that fits in memory. Bound it first. */
export async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

/**
 * Passes chunks on up to `maxBytes`.
 *
 * @throws OciError `CONTENT_LENGTH` when there is more
 */
export async function* boundedStream(
  source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  maxBytes: number,
  name: string,
): AsyncGenerator<Uint8Array> {
  let seen = 0;
  for await (const chunk of source) {
    seen += chunk.length;
    if (seen > maxBytes) throw lengthError(name, `at most ${maxBytes}`, `at least ${seen}`);
    yield chunk;
  }
}

/** A blob of a wrong length. */
export function lengthError(name: string, expected: string, got: string): OciError {
  return new OciError('CONTENT_LENGTH', `read ${name}: expected ${expected} bytes, got ${got}`, { path: name, expected, got });
}

/** A blob of a wrong digest; `data.path` names where it lies, or where it came from. */
export function digestError(name: string, expected: Digest, got: Digest): OciError {
  return new OciError('CONTENT_DIGEST', `read ${name}: expected ${expected}, got ${got}`, { path: name, expected, got });
}
