/** Row B9: how often a check of health may say no in a row before a release is taken back. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { enrolSite } from '../support/site.js';

let dir: string;
let lane: TestLane;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-b09-health-'));
  lane = await makeLane(dir);
  await lane.promote(await lane.release('1.0.0'));
});

afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** An update of a site whose check passes once, then fails three times in a row, then passes for good; and how often it was asked. */
async function update(name: string, more: Readonly<Record<string, unknown>>, exit: number): Promise<{ said: unknown; asked: number }> {
  const asked = path.join(dir, `${name}.asked`);
  writeFileSync(asked, '');
  const check = `printf . >> ${asked}; case $(wc -c < ${asked}) in 2|3|4) exit 1 ;; esac`;
  // the first answer comes within the probation, however busy the machine is, and the third failure after it: one a second
  const driver = { health: [{ command: ['/bin/sh', '-c', check] }], probationSeconds: 2, healthIntervalMs: 1000, ...more };
  const site = await enrolSite(lane, path.join(dir, name), { name, driver });
  const said: unknown = await site.must(['update'], exit);
  await site.stop();
  return { said, asked: readFileSync(asked, 'utf8').length };
}

describe('B9 health', () => {
  it('B9 a check that fails fewer times in a row than site.yaml says takes nothing back, and the probation waits for it', async () => {
    const { said, asked } = await update('patient', { healthFailures: 4 }, 0);
    expect(said).toMatchObject({ outcome: 'installed' });
    expect(asked).toBeGreaterThan(4);
  });

  it('B9 as many failures in a row as it says take the release back; without a word the first does', async () => {
    const third = await update('strict', { healthFailures: 3 }, 7);
    expect(third).toMatchObject({ said: { outcome: 'rolled-back', reason: 'HEALTH_FAILED' }, asked: 4 });
    const first = await update('stricter', {}, 7);
    expect(first).toMatchObject({ said: { outcome: 'rolled-back', reason: 'HEALTH_FAILED' }, asked: 2 });
  });
});
