import { chmodSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { utf8 } from '@sealane/core';
import { beforeEach, expect, test } from 'vitest';
import { tempFolder } from '../../../test/support/temp-folder.js';
import { extractLayer } from './extract.js';
import { packedFile, packTar } from './pack.js';

const FILES = { 'a/same': 'same bytes', 'a/other': 'these bytes', 'b/large': 'x'.repeat(300_000), empty: '' };

let folder: string;
let old: string;

async function unpack(name: string, files: Readonly<Record<string, string>>, twins?: string): Promise<string> {
  const dir = join(folder, name);
  const entries = Object.entries(files).map(([path, text]) => packedFile(path, utf8(text)));
  await extractLayer(packTar(entries), dir, twins === undefined ? {} : { twins: { dir: twins, use: 'link' } });
  return dir;
}

/** Paths of `FILES` that are one file in both. */
function shared(dir: string, files: Readonly<Record<string, string>> = FILES): readonly string[] {
  for (const [path, text] of Object.entries(files)) expect(readFileSync(join(dir, path), 'utf8')).toBe(text);
  return Object.keys(files).filter((path) => lstatSync(join(dir, path)).ino === lstatSync(join(old, path)).ino);
}

beforeEach(async () => {
  folder = await tempFolder();
  old = await unpack('old', FILES);
});

test('what is the same gets a second name, what is not is written', async () => {
  const files = { ...FILES, 'a/other': 'other bytes', 'b/large': `${'x'.repeat(299_999)}y` };
  expect(shared(await unpack('new', files, old), files)).toEqual(['a/same']);
  expect(shared(await unpack('again', FILES, old))).toEqual(['a/same', 'a/other', 'b/large']);
  for (const [path, text] of Object.entries(FILES)) expect(readFileSync(join(old, path), 'utf8')).toBe(text);
});

test('without such a folder all is written', async () => {
  expect(shared(await unpack('new', FILES))).toEqual([]);
  expect(shared(await unpack('nowhere', FILES, join(folder, 'nothing')))).toEqual([]);
});

test.each<[string, (file: string) => void]>([
  ['another mode', (file) => chmodSync(file, 0o664)],
  ['a set-uid bit', (file) => chmodSync(file, 0o4644)],
  ['another time', (file) => utimesSync(file, 5, 5)],
  ['a byte more', (file) => writeFileSync(file, `${FILES['a/same']}!`)],
  [
    'a link in its place',
    (file) => {
      renameSync(file, `${file}.real`);
      symlinkSync('same.real', file);
    },
  ],
  [
    'a link for the folder that it lies in',
    (file) => {
      renameSync(join(file, '..'), join(folder, 'elsewhere'));
      symlinkSync('../elsewhere', join(file, '..'));
    },
  ],
  [
    'a folder in its place',
    (file) => {
      rmSync(file);
      mkdirSync(file);
    },
  ],
])('one with %s is not given a second name', async (_, change) => {
  change(join(old, 'a/same'));
  const dir = await unpack('new', FILES, old);
  expect(readFileSync(join(dir, 'a/same'), 'utf8')).toBe(FILES['a/same']);
  const { ino, nlink } = lstatSync(join(dir, 'a/same'));
  expect({ nlink, isOld: ino === lstatSync(join(old, 'a/same')).ino }).toEqual({ nlink: 1, isOld: false });
});

test('one that belongs to somebody else is not given a second name', async (context) => {
  const { chownSync } = await import('node:fs');
  if (process.getuid?.() !== 0) context.skip('skipped without root');
  chownSync(join(old, 'a/same'), 65534, 65534);
  utimesSync(join(old, 'a/same'), 0, 0);
  expect(shared(await unpack('new', FILES, old))).not.toContain('a/same');
});

test('a socket in the folder is no hindrance, nor in the place of a file', async () => {
  rmSync(join(old, 'a/other'));
  const server = createServer().listen(join(old, 'a/other'));
  await new Promise((resolve) => server.once('listening', resolve));
  expect(shared(await unpack('new', FILES, old))).toEqual(['a/same', 'b/large']);
  server.close();
});
