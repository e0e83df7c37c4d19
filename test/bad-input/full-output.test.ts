/** Standard output or standard error on a full disk, through both programs: an answer that was lost is no success, a log that is full ends nothing. */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const BIN = path.resolve(import.meta.dirname, '../../bin');
const FULL = '/dev/full';

function run(program: string, words: readonly string[], full: 'out' | 'talk'): { status: number | null; said: string } {
  const fd = openSync(FULL, 'w');
  try {
    const stdio = full === 'out' ? (['ignore', fd, 'pipe'] as const) : (['ignore', 'pipe', fd] as const);
    const { status, output } = spawnSync(process.execPath, [path.join(BIN, `${program}.mjs`), ...words], {
      stdio: [...stdio],
      encoding: 'utf8',
    });
    return { status, said: output.join('') };
  } finally {
    closeSync(fd);
  }
}

test.skipIf(!existsSync(FULL)).each(['sealane', 'sealane-site'])('%s (skipped without /dev/full)', (program) => {
  const lost = run(program, ['--version'], 'out');
  expect(lost.said).toMatch(
    /^\S+: error: write the answer to standard output: .*ENOSPC.* \(STATE_UNWRITABLE\)\n\S+: hint: make room .*\n$/,
  );
  expect(lost.status).toBe(2);
  expect(run(program, ['--version'], 'talk')).toEqual({ status: 0, said: expect.stringMatching(/^\d/) });
  // its error goes nowhere, its exit code stays
  expect(run(program, ['no-such-command'], 'talk')).toEqual({ status: 2, said: '' });
  expect(run(program, ['no-such-command', '--json'], 'talk')).toMatchObject({ status: 2, said: expect.stringContaining('"USAGE"') });
});
