import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { durableWrite, PUBLIC_FILE, writeOutput } from './disk-shell.js';

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

it('an output of the longest name is written, and one that cannot be leaves nothing', () => {
  const file = path.join(dir, 'n'.repeat(255));
  writeOutput(file, 'text');
  mkdirSync(path.join(dir, 'folder', 'full'), { recursive: true });
  expect(() => writeOutput(path.join(dir, 'folder'), 'text')).toThrow();
  expect(readdirSync(dir).sort()).toEqual(['folder', path.basename(file)]);
});
