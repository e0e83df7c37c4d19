import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { durableWrite, PRIVATE_FILE, PUBLIC_FILE, writeOutput } from './disk-shell.js';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-disk-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('a pipe, or a link to one, is not replaced by a file', () => {
  const [pipe, link] = [path.join(dir, 'pipe'), path.join(dir, 'link')];
  execFileSync('mkfifo', [pipe]);
  symlinkSync(pipe, link);
  for (const file of [pipe, link])
    expect(() => durableWrite(file, 'text', PUBLIC_FILE)).toThrow(expect.objectContaining({ code: 'STATE_UNWRITABLE' }));
  expect([lstatSync(pipe).isFIFO(), lstatSync(link).isSymbolicLink()]).toEqual([true, true]);
  expect(readdirSync(dir).sort()).toEqual(['link', 'pipe']);
});

it('a file is', () => {
  const file = path.join(dir, 'file');
  for (const text of ['one', 'two']) durableWrite(file, text, PUBLIC_FILE);
  expect(readFileSync(file, 'utf8')).toBe('two');
});

it('what somebody put where a temporary file may be expected is not written to', () => {
  const [file, theirs, link] = [path.join(dir, 'approval.json'), path.join(dir, 'theirs'), path.join(dir, '.approval.json.tmp')];
  writeFileSync(theirs, 'theirs');
  symlinkSync(theirs, link);
  writeOutput(file, 'ours');
  expect([readFileSync(file, 'utf8'), readFileSync(theirs, 'utf8')]).toEqual(['ours', 'theirs']);
  expect([lstatSync(file).isFile(), lstatSync(link).isSymbolicLink()]).toEqual([true, true]);
  expect(readdirSync(dir)).toHaveLength(3);
});

it.each<readonly [string, (temporary: string, theirs: string) => void]>([
  [
    'a file that all may read',
    (temporary) => {
      writeFileSync(temporary, '');
      chmodSync(temporary, 0o666);
    },
  ],
  ['a link to a file of theirs', (temporary, theirs) => symlinkSync(theirs, temporary)],
  ['a folder', (temporary) => mkdirSync(temporary)],
])('a secret is not written to what somebody put in its way: %s', (_, put) => {
  const [file, theirs, temporary] = [path.join(dir, 'key.pem'), path.join(dir, 'theirs'), path.join(dir, '.key.pem.tmp')];
  writeFileSync(theirs, 'theirs');
  put(temporary, theirs);
  durableWrite(file, 'secret', PRIVATE_FILE);
  const found = lstatSync(file);
  expect({ mode: found.mode & 0o777, isFile: found.isFile() }).toEqual({ mode: 0o600, isFile: true });
  expect([readFileSync(file, 'utf8'), readFileSync(theirs, 'utf8')]).toEqual(['secret', 'theirs']);
  expect(readdirSync(dir).sort()).toEqual(['key.pem', 'theirs']);
});

it('an output of the longest name is written, and one that cannot be leaves nothing', () => {
  const file = path.join(dir, 'n'.repeat(255));
  writeOutput(file, 'text');
  mkdirSync(path.join(dir, 'folder', 'full'), { recursive: true });
  expect(() => writeOutput(path.join(dir, 'folder'), 'text')).toThrow();
  expect(readdirSync(dir).sort()).toEqual(['folder', path.basename(file)]);
});
