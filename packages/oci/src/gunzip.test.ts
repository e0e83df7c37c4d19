import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { gunzip } from './gunzip.js';
import { collect } from './verified-stream.js';

/** Far more than is under way at any time. */
const CONTENT = randomBytes(4 * 1024 * 1024);
const PACKED = gzipSync(CONTENT);

/** The bytes in chunks, and whether who reads them has let go of them. */
function source(bytes: Uint8Array, chunkBytes = 65_536, failure?: Error): { chunks: AsyncGenerator<Uint8Array>; isLetGo: () => boolean } {
  let isLetGo = false;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (let at = 0; at < bytes.length; at += chunkBytes) yield await Promise.resolve(bytes.subarray(at, at + chunkBytes));
      if (failure !== undefined) throw failure;
    } finally {
      isLetGo = true;
    }
  }
  return { chunks: chunks(), isLetGo: () => isLetGo };
}

describe('gunzip', () => {
  test('gives what was packed, of several members too, and lets go of the source', async () => {
    const { chunks, isLetGo } = source(Buffer.concat([PACKED, PACKED]), 100_000);
    expect(Buffer.concat([CONTENT, CONTENT]).equals(await collect(gunzip(chunks)))).toBe(true);
    expect(isLetGo()).toBe(true);
  });

  test('ends with a reader that has had enough', async () => {
    const { chunks, isLetGo } = source(PACKED);
    for await (const chunk of gunzip(chunks)) if (chunk.length > 0) break;
    expect(isLetGo()).toBe(true);
  });

  test.each<[string, Uint8Array]>([
    ['cut', PACKED.subarray(0, -9)],
    ['with another byte in it', Buffer.concat([PACKED.subarray(0, 1_000_000), Buffer.from([1, 2, 3]), PACKED.subarray(1_000_003)])],
    ['followed by zeros', Buffer.concat([PACKED, Buffer.alloc(200_000)])],
    ['followed by something else', Buffer.concat([PACKED, Buffer.from('more')])],
    ['of another kind', CONTENT],
  ])('refuses a stream %s, and lets go of the source', async (_, bytes) => {
    const { chunks, isLetGo } = source(bytes);
    await expect(collect(gunzip(chunks))).rejects.toMatchObject({ code: 'CONTENT_UNSAFE' });
    expect(isLetGo()).toBe(true);
  });

  test('fails as its source fails', async () => {
    const failure = new Error('the disk went away');
    await expect(collect(gunzip(source(PACKED.subarray(0, 1_000_000), 65_536, failure).chunks))).rejects.toBe(failure);
  });
});
