/** Gunzips a stream (RFC 1952, concatenated members too), strictly: a cut member, a wrong CRC or bytes after the last are refused. */
import { createGunzip, type Gunzip } from 'node:zlib';
import { OciError } from '@sealane/core';
import { unsafe } from './tar-header.js';

/** Output per step: a bomb is seen before much more than this is held. Smaller steps cost more than the work in them (measured: 64 KiB twice the time). */
const CHUNK_BYTES = 256 * 1024;

/**
 * Yields the content of a gzip stream. How much comes out is for the reader to bound: it stops the stream by leaving it. A chunk of the source has been used up when the
 * next one is asked for.
 *
 * @throws OciError `CONTENT_UNSAFE` no gzip, cut, wrong checksum, trailing bytes; errors of `source` as they are
 */
export async function* gunzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const unzip = createGunzip({ chunkSize: CHUNK_BYTES });
  let fedBytes = 0;
  const feeding = feed(source, unzip, (bytes) => (fedBytes += bytes));
  try {
    yield* unzip;
    await feeding;
  } catch (cause) {
    throw isZlibError(cause)
      ? new OciError('CONTENT_UNSAFE', `gunzip: expected a whole gzip stream, got ${cause.code}`, {}, { cause })
      : cause;
  } finally {
    unzip.destroy();
    // left early by the reader, the feed ends too: that is no failure of its own
    await Promise.allSettled([feeding]);
  }
  // Zlib stops without a word where zeros follow the last member.
  if (unzip.bytesWritten !== fedBytes) throw unsafe('gunzip', `the end after ${unzip.bytesWritten} bytes`, `${fedBytes} bytes`);
}

/** Writes one chunk after the other. A failure of the source is what the stream ends with; a stream that takes no more ends the source. */
async function feed(source: AsyncIterable<Uint8Array>, unzip: Gunzip, count: (bytes: number) => void): Promise<void> {
  let given: (isTaken: boolean) => void = () => undefined;
  // a stream that is closed forgets who waits
  unzip.once('close', () => given(false));
  try {
    for await (const chunk of source) {
      count(chunk.length);
      const taken = new Promise<boolean>((resolve) => (given = resolve));
      unzip.write(chunk, (error) => given(error === null || error === undefined));
      if (!(await taken)) return;
    }
    unzip.end();
  } catch (error) {
    unzip.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

/** The stream as it is or gunzipped, by its first two bytes (RFC 1952, section 2.3.1: 1f 8b). */
export async function* gunzipIfNeeded(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let ended = false;
  try {
    while (!ended && Buffer.concat(first).length < 2) {
      const step = await chunks.next();
      if (step.done === true) ended = true;
      else first.push(Uint8Array.from(step.value));
    }
    const head = Buffer.concat(first);
    const whole = resume(head, chunks);
    yield* head[0] === 0x1f && head[1] === 0x8b ? gunzip(whole) : whole;
  } finally {
    await chunks.return?.();
  }
}

async function* resume(head: Uint8Array, chunks: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  for (let step = await chunks.next(); step.done !== true; step = await chunks.next()) yield step.value;
}

function isZlibError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_');
}
