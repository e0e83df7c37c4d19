import { execFileSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { durableWrite, PUBLIC_FILE } from './disk-shell.js';

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
