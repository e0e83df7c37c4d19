/** Row B12: maintenance windows in the time zone of the site, and holds that expire, at a real site whose clock is moved. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clockAhead } from '../support/clock.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { runJson } from '../support/run.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';

const HOUR_MS = 3_600_000;
let dir: string;
let lane: TestLane;
let site: TestSite;
const releases: string[] = [];

const publish = async (version: string): Promise<string> => {
  const release = await lane.release(version);
  await lane.promote(release);
  releases.push(release);
  return release;
};

/** `HH:MM` on the clocks of New York, some hours from now. */
const newYork = (hoursAhead: number): string =>
  new Intl.DateTimeFormat('en-GB', { timeZone: 'America/New_York', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(
    Date.now() + hoursAhead * HOUR_MS,
  );

const later = async (words: readonly string[], hours: number): ReturnType<typeof runJson> =>
  runJson('sealane-site', [...words, '--config', site.config, '--state', site.state], clockAhead(hours * HOUR_MS));

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-b12-'));
  lane = await makeLane(dir);
  await publish('1.0.0');
  site = await enrolSite(lane, path.join(dir, 'site'), {
    yaml: `windows: { timeZone: America/New_York, open: [{ from: '${newYork(4)}', to: '${newYork(6)}' }] }`,
  });
});

afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

test('B12 a release is laid down at once and waits; it is switched to in the window, by the clocks of the site’s zone', async () => {
  const waiting = await site.must(['update'], 5);
  expect(waiting).toMatchObject({ outcome: 'deferred', release: releases[0], reason: 'WINDOW_CLOSED' });
  expect(waiting.checks.at(-1).remedy).toMatch(/from \d{4}-\d\d-\d\dT\d\d:\d\d:00Z on/);
  expect(await site.must(['status'])).toMatchObject({ state: 'staged', current: null });
  expect((await later(['update'], 3)).json).toMatchObject({ outcome: 'deferred', reason: 'WINDOW_CLOSED' });
  expect((await later(['update'], 5)).json).toMatchObject({ outcome: 'installed', release: releases[0] });
  expect(versionOnDisk(site.state)).toBe('1.0.0');
});

test('B12 what runs goes on while another waits: it is kept running, a newer one takes the place of the one that waits', async () => {
  await publish('1.1.0');
  expect((await later(['update'], 7)).json).toMatchObject({ outcome: 'deferred', release: releases[1] });
  const { workload } = await site.must(['status']);
  process.kill(-workload.pid, 'SIGKILL');
  expect((await later(['update'], 7)).json).toMatchObject({ outcome: 'deferred' });
  expect(await site.must(['status'])).toMatchObject({ state: 'staged', workload: { is: 'running', release: releases[0] } });
  await publish('1.2.0');
  expect((await later(['update'], 7)).json).toMatchObject({ outcome: 'deferred', release: releases[2], reason: 'WINDOW_CLOSED' });
  expect((await later(['update'], 29)).json).toMatchObject({ outcome: 'installed', release: releases[2], previous: releases[0] });
});

test('B12 going back waits for no window', async () => {
  expect((await later(['rollback'], 31)).json).toMatchObject({ outcome: 'installed', release: releases[0] });
});

test('B12 a hold ends by itself; a window of no zone or no hour is refused with its line', async () => {
  await publish('1.3.0');
  const until = new Date(Date.now() + 32 * HOUR_MS).toISOString().replace(/\.\d+Z/, 'Z');
  expect((await later(['hold', '--reason', 'stocktaking', '--until', until], 29)).exit).toBe(0);
  expect((await later(['update'], 29)).json).toMatchObject({ outcome: 'deferred' });
  expect((await later(['update'], 53)).json).toMatchObject({ outcome: 'installed', release: releases[3] });

  for (const [windows, what] of [
    [`{ timeZone: Europe/Nowhere, open: [{ from: '02:00', to: '05:00' }] }`, 'IANA'],
    [`{ timeZone: UTC, open: [{ from: '24:00', to: '05:00' }] }`, 'hh:mm'],
    [`{ timeZone: UTC, open: [] }`, 'open'],
  ] as const) {
    const broken = await errorOfSiteWith(windows);
    expect(broken).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(broken.message).toMatch(/line \d+/);
    expect(broken.message.toLowerCase()).toContain(what.toLowerCase());
  }
});

async function errorOfSiteWith(windows: string): Promise<{ readonly code: string; readonly message: string }> {
  const config = path.join(dir, 'broken.yaml');
  writeFileSync(config, `name: broken\nstage: prod\nwindows: ${windows}\ndriver: { use: files, start: 'true' }\n`);
  return (await runJson('sealane-site', ['status', '--config', config, '--state', path.join(dir, 'broken')])).json.error;
}
