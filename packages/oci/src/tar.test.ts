/** Writer and reader of tars together, and against tar-stream, which shares no code with them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { extract as tarStreamExtract } from 'tar-stream';
import { Readable } from 'node:stream';
import { SealaneError, sha256 } from '@sealane/core';
import { DEFAULT_UNPACK_LIMITS } from './limits.js';
import { gzip, packedFile, type PackEntry, packTar } from './pack.js';
import { gunzipIfNeeded } from './gunzip.js';
import { readTar } from './tar-reader.js';
import { collect } from './verified-stream.js';

const limits = DEFAULT_UNPACK_LIMITS;

async function entriesOf(source: AsyncIterable<Uint8Array>): Promise<{ name: string; kind: string; text: string }[]> {
  const found = [];
  for await (const entry of readTar(source, limits)) {
    let text = '';
    // a chunk is valid until the next one
    for await (const chunk of entry.content) text += Buffer.from(chunk).toString('latin1');
    found.push({ name: entry.name, kind: entry.kind, text });
  }
  return found;
}

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** As a file that is read in place gives them: all in one buffer. */
async function* inPlace(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(size);
  for await (const chunk of inChunks(bytes, size)) {
    buffer.set(chunk);
    yield buffer.subarray(0, chunk.length);
    buffer.fill(0xff);
  }
}

const component = fc
  .string({ unit: fc.constantFrom('a', 'b', 'Z', 'é', '感', '-', '.', ' '), minLength: 1, maxLength: 60 })
  .filter((name) => name !== '.' && name !== '..');
const files = fc
  .uniqueArray(fc.tuple(fc.array(component, { minLength: 1, maxLength: 4 }), fc.uint8Array({ maxLength: 1200 })), {
    // one folder for each, so that no name can clash with another
    selector: ([path]) => path.join('/'),
    maxLength: 8,
  })
  .map((rows) => rows.map(([path, bytes], at) => ({ path: [`${at}`, ...path].join('/'), bytes })));

describe('tar', () => {
  test('what is packed is read back, whatever the size of the chunks', async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.integer({ min: 1, max: 2000 }), async (rows, chunkBytes) => {
        const tar = await collect(packTar(rows.map(({ path, bytes }) => packedFile(path, bytes))));
        const expected = rows.map(({ path, bytes }) => ({ name: path, kind: 'file', text: Buffer.from(bytes).toString('latin1') }));
        const sorted = expected.toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
        expect(await entriesOf(inChunks(tar, chunkBytes))).toEqual(sorted);
        expect(await entriesOf(inPlace(tar, chunkBytes))).toEqual(sorted);
        expect(await entriesOf(gunzipIfNeeded(inPlace(await collect(gzip(inChunks(tar, 4096))), chunkBytes)))).toEqual(sorted);
      }),
      { numRuns: 60 },
    );
  });

  test('tar-stream reads the same names and content', async () => {
    await fc.assert(
      fc.asyncProperty(files, async (rows) => {
        const tar = await collect(packTar(rows.map(({ path, bytes }) => packedFile(path, bytes))));
        const theirs: { name: string; text: string }[] = [];
        const extract = tarStreamExtract();
        Readable.from([tar]).pipe(extract);
        for await (const entry of extract)
          theirs.push({
            name: entry.header.name,
            text: Buffer.from(await collect(entry as unknown as AsyncIterable<Uint8Array>)).toString('latin1'),
          });
        expect(theirs).toEqual((await entriesOf(inChunks(tar, 4096))).map(({ name, text }) => ({ name, text })));
      }),
      { numRuns: 40 },
    );
  });

  test('any bytes are entries or a refusal, never another failure', async () => {
    const header = await collect(packTar([packedFile('a', new Uint8Array(3)), { kind: 'symlink', path: 'l', target: 'a' }]));
    const mutations = fc.array(fc.tuple(fc.nat(header.length - 1), fc.nat(255)), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(mutations, fc.nat(header.length), async (changes, length) => {
        const bytes = Uint8Array.from(header);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          await entriesOf(gunzipIfNeeded(inChunks(bytes.subarray(0, length), 512)));
        } catch (error) {
          expect(error).toBeInstanceOf(SealaneError);
          expect(error).toMatchObject({ code: 'CONTENT_UNSAFE' });
        }
      }),
      { numRuns: 300 },
    );
  });

  test('an error of the source comes out as it is', async () => {
    const fault = new Error('the disk broke');
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(100);
      throw fault;
    }
    await expect(entriesOf(broken())).rejects.toBe(fault);
  });

  test('leaving early lets go of the source', async () => {
    const tar = await collect(packTar([packedFile('a', new Uint8Array(3)), packedFile('b', new Uint8Array(3))]));
    let released = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* inChunks(tar, 512);
      } finally {
        released = true;
      }
    }
    for await (const entry of readTar(source(), limits)) {
      expect(entry.name).toBe('a');
      break;
    }
    expect(released).toBe(true);
  });
});

describe('packing', () => {
  const file = (path: string): PackEntry => packedFile(path, new TextEncoder().encode('x\n'));

  test('does not depend on the order of its entries', async () => {
    const entries = [file('b'), file('a/c'), { kind: 'dir', path: 'a' } as const];
    expect(await collect(packTar(entries))).toEqual(await collect(packTar(entries.toReversed())));
  });

  test('gives these very bytes, today and tomorrow', async () => {
    const tar = await collect(
      packTar([file('a'), packedFile('run', new Uint8Array(0), 'yes'), { kind: 'symlink', path: 'l', target: 'a' }]),
    );
    // as GNU tar 1.34 --format=ustar writes them (test/interop/oci-tar.test.ts)
    expect(sha256(tar)).toBe('sha256:2e7581553bc9b29274f5015dce02073c95f90fa860a6200472e6bf272d8a3ea1');
  });

  test('writes a gzip header without time or system', async () => {
    const packed = await collect(gzip(packTar([file('a')])));
    expect([...packed.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    expect(await entriesOf(gunzipIfNeeded(inChunks(packed, 7)))).toEqual([{ name: 'a', kind: 'file', text: 'x\n' }]);
  });

  test.for([
    ['../a', 'a way out'],
    ['/a', 'an absolute path'],
    ['a//b', 'an empty component'],
    ['./a', 'another spelling of a'],
    ['.wh.a', 'a whiteout'],
    ['a\nb', 'a control character'],
  ])('refuses %j: %s', async ([path]) => {
    await expect(collect(packTar([file(path ?? '')]))).rejects.toMatchObject({ code: 'CONTENT_UNSAFE' });
  });

  test('refuses two names that are one on some disks', async () => {
    await expect(collect(packTar([file('README'), file('readme')]))).rejects.toMatchObject({ code: 'CONTENT_UNSAFE' });
  });

  test('refuses a link that leads out', async () => {
    await expect(collect(packTar([{ kind: 'symlink', path: 'a/l', target: '../../x' }]))).rejects.toMatchObject({ code: 'CONTENT_UNSAFE' });
  });

  test.for([1, 3])('refuses a file of 2 bytes that was said to have %i', async (sizeBytes) => {
    const entry: PackEntry = { kind: 'file', path: 'a', executable: 'no', sizeBytes, open: () => inChunks(new Uint8Array(2), 1) };
    await expect(collect(packTar([entry]))).rejects.toMatchObject({ code: 'CONTENT_LENGTH' });
  });
});
