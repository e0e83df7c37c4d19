/** B11: what the packages of a site lay down, by its modes. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireProgram } from '../support/require-program.js';
import { ROOT, runProgram } from '../support/run.js';

describe.skipIf(requireProgram('dpkg-deb') === undefined)('B11 the packages of a site (skipped without dpkg-deb)', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-package-'));
  });
  afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  it.each(['0000', '0077'])('B11 built with umask %s, their files are written by root alone and read by everybody', async (umask) => {
    const out = path.join(dir, umask);
    const build = `umask ${umask} && exec "$0" "$1" --out "$2"`;
    const { exit, stdout, stderr } = await runProgram('sh', [
      '-c',
      build,
      process.execPath,
      path.join(ROOT, 'bin', 'package-site.mjs'),
      out,
    ]);
    expect(exit, stderr).toBe(0);
    const { deb, tarball } = JSON.parse(stdout) as { readonly deb: string; readonly tarball: string };
    const lists = [execFileSync('dpkg-deb', ['--contents', deb]), execFileSync('tar', ['-tvzf', tarball])].map((list) =>
      list.toString().trim().split('\n'),
    );
    for (const list of lists) {
      const modes = new Set(list.map((line) => line.split(/\s+/).slice(0, 2).join(' ')));
      expect(modes).toEqual(new Set(['drwxr-xr-x root/root', '-rw-r--r-- root/root', '-rwxr-xr-x root/root']));
    }
  });
});
