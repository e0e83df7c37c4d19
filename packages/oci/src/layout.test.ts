import { execFileSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdir, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, sha256, utf8 } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import { tempFolder } from '../../../test/support/temp-folder.js';
import type { Descriptor } from './descriptor.js';
import { type Layout, openLayout } from './layout.js';
import { REF_NAME } from './layout-index.js';
import { OCI_MANIFEST } from './media-types.js';
import { collect } from './verified-stream.js';

const HELLO = utf8('hello');
const DIGEST = sha256(HELLO);

async function emptyLayout(): Promise<Layout> {
  return openLayout(join(await tempFolder(), 'content'), { create: 'if-missing' });
}

async function* stream(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) yield new Uint8Array(1024);
}

const blobNames = (layout: Layout): Promise<string[]> => readdir(join(layout.dir, 'blobs', 'sha256'));

describe('image layout', () => {
  test('a new one has the files of image-spec 1.1', async () => {
    const layout = await emptyLayout();
    expect(JSON.parse(await readFile(join(layout.dir, 'oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' });
    expect(JSON.parse(await readFile(join(layout.dir, 'index.json'), 'utf8'))).toMatchObject({ schemaVersion: 2, manifests: [] });
    expect((await readdir(layout.dir)).toSorted()).toEqual(['blobs', 'index.json', 'oci-layout']);
  });

  test('opening what is none fails and makes nothing', async () => {
    const dir = join(await tempFolder(), 'none');
    await expect(openLayout(dir)).rejects.toMatchObject({ code: 'CONTENT_MISSING' });
    await expect(stat(dir)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('another version of the format is refused', async () => {
    const { dir } = await emptyLayout();
    await writeFile(join(dir, 'oci-layout'), '{"imageLayoutVersion":"2.0.0"}');
    await expect(openLayout(dir)).rejects.toMatchObject({ code: 'CONTENT_MALFORMED' });
  });

  test('a blob put as bytes or as a stream is read back, readable by all', async () => {
    const layout = await emptyLayout();
    expect(await layout.putBlob(HELLO, { maxBytes: 10 })).toEqual({ digest: DIGEST, size: 5 });
    expect(await layout.putBlob(stream(utf8('hel'), utf8('lo')), { expected: DIGEST, size: 5, maxBytes: 5 })).toEqual({
      digest: DIGEST,
      size: 5,
    });
    expect(await layout.readBlob(DIGEST, 5)).toEqual(HELLO);
    expect(layout.readBlobSync(DIGEST, 5)).toEqual(HELLO);
    expect(await collect(layout.openBlob(DIGEST))).toEqual(HELLO);
    expect((await stat(layout.blobPath(DIGEST))).mode & 0o777).toBe(0o644);
  });

  test.for([
    ['other bytes', () => utf8('jello'), 'CONTENT_DIGEST'],
    ['fewer bytes', () => utf8('hell'), 'CONTENT_LENGTH'],
    ['more bytes', () => utf8('hello!'), 'CONTENT_LENGTH'],
    ['no end', endless, 'CONTENT_LENGTH'],
  ] as const)('a put of %s leaves nothing and says %s', async ([, source, code]) => {
    const layout = await emptyLayout();
    await expect(layout.putBlob(source(), { expected: DIGEST, size: 5, maxBytes: 5 })).rejects.toMatchObject({ code });
    expect(await blobNames(layout)).toEqual([]);
  });

  test('a put whose source breaks leaves the old blob and no temporary file', async () => {
    const layout = await emptyLayout();
    await layout.putBlob(HELLO, { maxBytes: 5 });
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield utf8('he');
      throw new Error('cut');
    }
    await expect(layout.putBlob(broken(), { expected: DIGEST, maxBytes: 5 })).rejects.toThrow('cut');
    expect(await blobNames(layout)).toEqual([DIGEST.slice(7)]);
    expect(await layout.verifyBlob(DIGEST)).toBe(true);
  });

  test('a blob corrupted in place is seen by every reader, and mended by a put', async () => {
    const layout = await emptyLayout();
    await layout.putBlob(HELLO, { maxBytes: 5 });
    await writeFile(layout.blobPath(DIGEST), 'jello');

    expect(await layout.hasBlob(DIGEST)).toBe(true);
    expect(await layout.verifyBlob(DIGEST)).toBe(false);
    await expect(layout.readBlob(DIGEST, 5)).rejects.toMatchObject({ code: 'CONTENT_DIGEST', data: { path: layout.blobPath(DIGEST) } });
    expect(() => layout.readBlobSync(DIGEST, 5)).toThrow(expect.objectContaining({ code: 'CONTENT_DIGEST' }));
    await expect(collect(layout.openBlob(DIGEST))).rejects.toMatchObject({ code: 'CONTENT_DIGEST' });

    await layout.putBlob(HELLO, { expected: DIGEST, maxBytes: 5 });
    expect(await layout.verifyBlob(DIGEST)).toBe(true);
  });

  test('a reader takes no more than its bound and no other length than told', async () => {
    const layout = await emptyLayout();
    await layout.putBlob(HELLO, { maxBytes: 5 });
    await expect(layout.readBlob(DIGEST, 4)).rejects.toMatchObject({ code: 'CONTENT_LENGTH' });
    expect(() => layout.readBlobSync(DIGEST, 4)).toThrow(expect.objectContaining({ code: 'CONTENT_LENGTH' }));
    await expect(collect(layout.openBlob(DIGEST, 6))).rejects.toMatchObject({ code: 'CONTENT_LENGTH' });
    expect(await layout.verifyBlob(DIGEST, 6)).toBe(false);
  });

  test.for([
    ['nothing', async () => undefined],
    ['a folder', async (path: string) => mkdir(path)],
    ['a link to a good blob', async (path: string, good: string) => symlink(good, path)],
    ['a fifo, which would block for ever', async (path: string) => execFileSync('mkfifo', [path])],
  ] as const)('%s in the place of a blob is a missing blob', async ([, lay]) => {
    const layout = await emptyLayout();
    await layout.putBlob(HELLO, { maxBytes: 5 });
    const good = join(layout.dir, 'good');
    await rename(layout.blobPath(DIGEST), good);
    await lay(layout.blobPath(DIGEST), good);
    await expect(layout.readBlob(DIGEST, 5)).rejects.toMatchObject({ code: 'CONTENT_MISSING' });
    expect(() => layout.readBlobSync(DIGEST, 5)).toThrow(expect.objectContaining({ code: 'CONTENT_MISSING' }));
    expect(await layout.hasBlob(DIGEST)).toBe(false);
    expect(await layout.verifyBlob(DIGEST)).toBe(false);
  });

  test('many puts of one blob at once leave one good blob', async () => {
    const layout = await emptyLayout();
    await Promise.all(Array.from({ length: 20 }, () => layout.putBlob(stream(HELLO), { expected: DIGEST, maxBytes: 5 })));
    expect(await blobNames(layout)).toEqual([DIGEST.slice(7)]);
    expect(await layout.verifyBlob(DIGEST)).toBe(true);
  });

  test('flushes before it renames', async () => {
    const layout = await emptyLayout();
    const seen: unknown[] = [];
    const listen = (message: unknown): void => void seen.push(message, existsNow());
    const existsNow = (): boolean => execFileSync('ls', [join(layout.dir, 'blobs', 'sha256')]).includes(DIGEST.slice(7));
    subscribe('sealane:point', listen);
    await layout.putBlob(HELLO, { maxBytes: 5 });
    unsubscribe('sealane:point', listen);
    expect(seen).toEqual([{ name: 'oci:blob-flushed' }, false, { name: 'oci:blob-renamed' }, true]);
  });
});

describe('index.json', () => {
  const entry = (text: string, name?: string): Descriptor => ({
    mediaType: OCI_MANIFEST,
    digest: sha256(utf8(text)),
    size: text.length,
    ...(name !== undefined && { annotations: { [REF_NAME]: name } }),
  });
  const digests = async (layout: Layout): Promise<Digest[]> => (await layout.index()).map(({ digest }) => digest);

  test('keeps entries in order, and an entry added twice once', async () => {
    const layout = await emptyLayout();
    await layout.addToIndex(entry('a', 'x'));
    await layout.addToIndex(entry('b'));
    await layout.addToIndex(entry('a', 'x'));
    expect(await layout.index()).toEqual([entry('b'), entry('a', 'x')]);
  });

  test('a name moves to another digest; the nameless stay', async () => {
    const layout = await emptyLayout();
    await layout.addToIndex(entry('a', 'x'));
    await layout.addToIndex(entry('c'));
    await layout.addToIndex(entry('b', 'x'));
    expect(await digests(layout)).toEqual([entry('c').digest, entry('b').digest]);
  });

  test('additions at the same time are all kept', async () => {
    const layout = await emptyLayout();
    await Promise.all(Array.from({ length: 12 }, (_, at) => layout.addToIndex(entry(`${at}`, `n${at}`))));
    expect(await layout.index()).toHaveLength(12);
  });

  test('an addition over a malformed index fails, leaves it, and stops no later one', async () => {
    const layout = await emptyLayout();
    const path = join(layout.dir, 'index.json');
    const good = await readFile(path, 'utf8');
    await writeFile(path, '{"schemaVersion":2,"manifests":[{}]}');
    await expect(layout.addToIndex(entry('a'))).rejects.toMatchObject({ code: 'CONTENT_MALFORMED' });
    expect(await readFile(path, 'utf8')).toBe('{"schemaVersion":2,"manifests":[{}]}');
    await writeFile(path, good);
    await layout.addToIndex(entry('a'));
    expect(await layout.index()).toHaveLength(1);
  });

  test('what others wrote into it survives an addition', async () => {
    const layout = await emptyLayout();
    const path = join(layout.dir, 'index.json');
    const theirs = { ...entry('a'), urls: ['https://x.example/a'] };
    await writeFile(path, JSON.stringify({ schemaVersion: 2, annotations: { by: 'them' }, manifests: [theirs] }));
    await layout.addToIndex(entry('b'));
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
      schemaVersion: 2,
      annotations: { by: 'them' },
      manifests: [theirs, entry('b')],
    });
  });
});
