/** What tests leave in the folder for temporary files is removed after the run, also when the worker is ended. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requireProgram } from '../support/require-program.js';
import { sweep } from '../support/sweep-folders.js';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-swept-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function folder(name: string): string {
  const made = path.join(dir, name);
  mkdirSync(path.join(made, 'deep'), { recursive: true });
  writeFileSync(path.join(made, 'deep', 'file'), 'text');
  return made;
}

test('each that is made here is on the list that the run sweeps', async () => {
  const asked = await mkdtemp(path.join(dir, 'sealane-'));
  const noted = readFileSync(process.env['SEALANE_TEST_FOLDERS'] ?? '', 'utf8').split('\n');
  expect(noted).toEqual(expect.arrayContaining([dir, asked]));
});

test('what is on the list is removed, and nothing else: no folder of another name, none by a relative path', () => {
  const [ours, others] = [folder('sealane-ours'), folder('others')];
  sweep([ours, others, 'sealane-relative', '', path.join(dir, 'sealane-gone')]);
  expect([existsSync(ours), existsSync(others)]).toEqual([false, true]);
});

test('one in which something is mounted is left alone', () => {
  const ours = folder('sealane-mounted');
  sweep([ours], [path.join(ours, 'deep')]);
  sweep([ours], [ours]);
  expect(existsSync(path.join(ours, 'deep', 'file'))).toBe(true);
  sweep([ours], [`${ours}-2`]);
  expect(existsSync(ours)).toBe(false);
});

const mount = process.getuid?.() === 0 ? requireProgram('mount') : undefined;

test.skipIf(mount === undefined)('and that is looked up in this host’s own list of mounts (skipped without root and mount)', () => {
  const [ours, host] = [folder('sealane-bound'), folder('host folder')];
  try {
    execFileSync('mount', ['--bind', host, path.join(ours, 'deep')]);
  } catch (error) {
    // a sandbox may forbid it to root too
    if (process.env['SEALANE_REQUIRE'] === 'all') throw error;
    return;
  }
  try {
    sweep([ours]);
    expect(existsSync(path.join(host, 'deep', 'file'))).toBe(true);
  } finally {
    execFileSync('umount', [path.join(ours, 'deep')]);
  }
});
