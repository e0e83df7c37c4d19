/** A24: the systemd unit of the promoter service gives it next to no rights, by systemd's own judgement. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT, runProgram } from '../support/run.js';
import { analyze, judgeUnit } from '../support/unit-exposure.js';

const UNIT = path.join(ROOT, 'pipelines', 'systemd', 'sealane-promoter.service');

/** Exposure in tenths, which systemd-analyze compares with: 2.0. */
const MOST = 20;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-unit-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

describe('A24 sealane-promoter.service', () => {
  it.skipIf(analyze === undefined)(
    'A24 has an exposure of at most 2.0, and would not without its sandbox (skipped without systemd-analyze)',
    async () => {
      const sealed = await judgeUnit(UNIT, MOST);
      expect({ exit: sealed.exit, said: /exposure level.*?(\d+\.\d)/.exec(sealed.stdout)?.[1] }).toMatchObject({ exit: 0 });
      const open = path.join(dir, 'sealane-open.service');
      writeFileSync(open, readFileSync(UNIT, 'utf8').replace(/^(?:Protect|Private|Restrict|SystemCall|Capability|NoNew).*\n/gm, ''));
      expect((await judgeUnit(open, MOST)).exit).not.toBe(0);
    },
  );

  it('A24 starts the service with words that it takes', async () => {
    const [, words = ''] = /^ExecStart=\S+ \S+sealane\.mjs (.*)$/m.exec(readFileSync(UNIT, 'utf8')) ?? [];
    const [command = '', ...options] = words.split(' ').filter((word) => /^(?:--)?[a-z]+$/.test(word));
    const help = await runProgram(process.execPath, [path.join(ROOT, 'bin', 'sealane.mjs'), command, '--help']);
    expect(options).toEqual(['--listen', '--home']);
    for (const option of options) expect(help.stdout).toContain(option);
  });
});
