/** B15: a site is fenced, or taken out for maintenance, and rejoins, each by one command; what it does meanwhile it says. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseBundle, readReceipt } from '@sealane/trust';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clockAhead } from '../support/clock.js';
import { killAt } from '../support/kill.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';

let dir: string;
let lane: TestLane;
let site: TestSite;
let receipts: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-b15-'));
  lane = await makeLane(dir);
  receipts = path.join(dir, 'receipts');
  site = await enrolSite(lane, path.join(dir, 'site'), { receiptsTo: receipts });
  for (const version of ['1.0.0', '1.1.0']) {
    await lane.promote(await lane.release(version));
    await site.must(['update']);
  }
});

afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

const drain = (): ReturnType<TestLane['sealane']> => lane.sealane(['site', 'drain', 'harbour-7', '--reason', 'the crane is rebuilt']);
const rejoin = (): ReturnType<TestLane['sealane']> => lane.sealane(['site', 'rejoin', 'harbour-7']);

/** Whether the process that status names lives. */
async function workload(): Promise<{ readonly is: string; readonly pid?: number }> {
  return (await site.must(['status'])).workload;
}

test('B15 a drained site stops its workload in order and installs nothing; neither start, rollback nor a lost link brings it back', async () => {
  const before = await workload();
  expect(before.is).toBe('running');
  expect(await drain()).toMatchObject({ site: 'harbour-7', drained: [{ site: 'harbour-7', reason: 'the crane is rebuilt' }] });
  await lane.promote(await lane.release('1.2.0'));
  expect(await site.must(['update'], 3)).toMatchObject({ outcome: 'refused', reason: 'SITE_DRAINED' });
  expect((await workload()).is).not.toBe('running');
  expect(versionOnDisk(site.state)).toBe('1.1.0');
  expect(await site.must(['status'])).toMatchObject({ state: 'drained', drained: expect.stringContaining('the crane is rebuilt') });
  // nothing that doctor could mend
  expect(await site.must(['doctor'])).toMatchObject({ ok: true });
  expect((await lane.sealane(['site', 'show', 'harbour-7'])).drained).toBe(true);

  expect((await site.must(['start'], 3)).error.code).toBe('SITE_DRAINED');
  expect(await site.must(['rollback'], 3)).toMatchObject({ reason: 'SITE_DRAINED' });
  const config = readFileSync(site.config, 'utf8');
  writeFileSync(site.config, config.replace(/^upstreams: .*$/m, 'upstreams: ["http://127.0.0.1:9"]'));
  expect(await site.must(['update'], 3)).toMatchObject({ reason: 'SITE_DRAINED' });
  writeFileSync(site.config, config);
  expect((await workload()).is).not.toBe('running');

  const said = readdirSync(receipts).map((name) =>
    readReceipt(parseBundle(new Uint8Array(readFileSync(path.join(receipts, name)))).statement),
  );
  expect(said.map(({ event, reason }) => [event, reason])).toEqual([
    ['installed', null],
    ['installed', null],
    ['refused', 'SITE_DRAINED'],
  ]);
});

test('B15 it rejoins by one command, to what the channel says by then', async () => {
  await rejoin();
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
  expect(versionOnDisk(site.state)).toBe('1.2.0');
  expect(await site.must(['status'])).toMatchObject({ state: 'idle', drained: null, workload: { is: 'running' } });
});

test('B15 what ran before runs again where the channel has nothing new; killed after it took the word, it stops all the same', async () => {
  await drain();
  await killAt('update:drained', 'sealane-site', ['update', '--config', site.config, '--state', site.state]);
  await site.must(['update'], 3);
  expect((await workload()).is).not.toBe('running');
  await rejoin();
  expect(await site.must(['update'])).toMatchObject({ outcome: 'unchanged' });
  expect((await workload()).is).toBe('running');
});

test('B15 a fenced site installs nothing and what runs goes on; it rejoins by the same command', async () => {
  await lane.sealane(['site', 'fence', 'harbour-7', '--reason', 'stolen']);
  await lane.promote(await lane.release('1.3.0'));
  expect(await site.must(['update'], 3)).toMatchObject({ reason: 'SITE_FENCED' });
  expect(await site.must(['status'])).toMatchObject({ state: 'fenced', workload: { is: 'running' } });
  await rejoin();
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
  expect(versionOnDisk(site.state)).toBe('1.3.0');
});

/** Trust has expired by then, which stops nothing that was admitted before. */
const LATER = clockAhead(60 * 86_400_000);
const killed = (point: string): Promise<void> => killAt(point, 'sealane-site', ['update', '--config', site.config, '--state', site.state]);

test('B15 what waits laid down does not come in once the site was drained, though a kill came before it was given up and trust expires', async () => {
  const waiting = await lane.release('1.4.0');
  await lane.promote(waiting);
  await killed('update:staged');
  await drain();
  await killed('update:drained');
  expect((await site.run(['update'], LATER)).json).toMatchObject({ outcome: 'refused', reason: 'TRUST_EXPIRED' });
  expect(versionOnDisk(site.state)).toBe('1.3.0');
  await rejoin();
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: waiting });
});

test('B8 nor does it once it was revoked', async () => {
  const waiting = await lane.release('1.5.0');
  await lane.promote(waiting);
  await killed('update:staged');
  await lane.sealane(['revoke', waiting, '--reason', 'burns its host']);
  await killed('update:trust-saved');
  expect((await site.run(['update'], LATER)).json).toMatchObject({ outcome: 'refused', reason: 'TRUST_EXPIRED' });
  expect(versionOnDisk(site.state)).toBe('1.4.0');
});

test('B10 what waits laid down, and was refused by nobody, comes in though trust expires', async () => {
  const waiting = await lane.release('1.6.0');
  await lane.promote(waiting);
  await killed('update:staged');
  expect((await site.run(['update'], LATER)).json).toMatchObject({ outcome: 'installed', release: waiting });
});
