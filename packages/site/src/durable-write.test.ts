import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { utf8 } from '@sealane/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeDisk } from './disk.js';
import { writeOutput } from './durable-write.js';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-output-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('a pipe, a device or a folder, and a link to one, is not replaced by a file', () => {
  const at = (name: string): string => path.join(dir, name);
  execFileSync('mkfifo', [at('pipe')]);
  mkdirSync(at('folder'));
  symlinkSync(at('pipe'), at('to-pipe'));
  symlinkSync('/dev/full', at('to-full'));
  symlinkSync(at('folder'), at('to-folder'));
  const names = ['folder', 'pipe', 'to-folder', 'to-full', 'to-pipe'];
  for (const name of names)
    expect(() => writeOutput(nodeDisk, at(name), utf8('text')), name).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  expect(readdirSync(dir).sort()).toEqual(names);
  expect(lstatSync(at('pipe')).isFIFO()).toBe(true);
});

test('a file is, and a link that leads nowhere', () => {
  const [file, link] = [path.join(dir, 'file'), path.join(dir, 'link')];
  symlinkSync(path.join(dir, 'gone'), link);
  for (const text of ['one', 'two']) for (const each of [file, link]) writeOutput(nodeDisk, each, utf8(text));
  expect([readFileSync(file, 'utf8'), readFileSync(link, 'utf8')]).toEqual(['two', 'two']);
});

test('what somebody put where a temporary file may be expected is neither written to nor removed', () => {
  const [file, theirs] = [path.join(dir, 'request.json'), path.join(dir, 'theirs')];
  writeFileSync(theirs, 'theirs');
  const planted = ['request.json.tmp', '.request.json.tmp'].map((name) => path.join(dir, name));
  for (const link of planted) symlinkSync(theirs, link);
  writeOutput(nodeDisk, file, utf8('ours'));
  expect([readFileSync(file, 'utf8'), readFileSync(theirs, 'utf8')]).toEqual(['ours', 'theirs']);
  expect(lstatSync(file).isFile()).toBe(true);
  for (const link of planted) expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(readdirSync(dir)).toHaveLength(4);
});

test('a file of the longest name can be written', () => {
  const file = path.join(dir, 'n'.repeat(255));
  writeOutput(nodeDisk, file, utf8('text'));
  expect(readdirSync(dir)).toEqual([path.basename(file)]);
});
