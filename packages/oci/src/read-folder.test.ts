/** A folder is packed as it is or not at all: a name that is not UTF-8 is not taken for another one. */
import { Buffer } from 'node:buffer';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readFolder } from './read-folder.js';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'read-folder-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

/** A path in the folder, the last of it in Latin-1. */
const latin1 = (name: string): Buffer => Buffer.concat([Buffer.from(`${dir}/`), Buffer.from(name, 'latin1')]);

it('takes names and targets in any script', async () => {
  writeFileSync(path.join(dir, 'größe.txt'), '');
  symlinkSync('größe.txt', path.join(dir, '链接'));
  expect((await readFolder(dir)).map((entry) => [entry.kind, entry.path])).toEqual(
    expect.arrayContaining([
      ['file', 'größe.txt'],
      ['symlink', '链接'],
    ]),
  );
});

it('refuses a name that is not UTF-8, also beside the file that it would be taken for', async () => {
  writeFileSync(latin1('gr\xf6\xdfe.txt'), 'meant');
  const refused = { code: 'CONTENT_UNSAFE', message: 'pack a name in ".": expected UTF-8, got "größe.txt"' };
  await expect(readFolder(dir)).rejects.toMatchObject(refused);
  writeFileSync(path.join(dir, 'gr\uFFFD\uFFFDe.txt'), 'another');
  await expect(readFolder(dir)).rejects.toMatchObject(refused);
});

it('refuses a link to such a name: it would be packed as a link to another one', async () => {
  symlinkSync(Buffer.from('gr\xf6\xdfe.txt', 'latin1'), path.join(dir, 'link'));
  await expect(readFolder(dir)).rejects.toMatchObject({
    code: 'CONTENT_UNSAFE',
    message: 'pack the link "link": expected UTF-8, got "größe.txt"',
  });
});
