/** Row A1 at the site: a part without a way back comes last, after what it may spoil was saved; a failure after that holds, and nothing goes back by itself. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ONE_WAY_CRASH_POINTS } from '../../packages/site/src/crash-point.js';
import { withIrreversible } from '../support/irreversible.js';
import { killAt } from '../support/kill.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { expectJson } from '../support/run.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';
import { startTwoProcesses } from '../support/two-processes.js';

let dir: string;
let lane: TestLane;
let plain: string;
let marked: string;
let count = 0;

/** A site with one script for both hooks. */
interface OneWaySite {
  readonly site: TestSite;
  /** What was asked so far. */
  said(): readonly string[];
  /** Shell words for a hook. */
  say(hook: 'snapshot' | 'apply', script: string): void;
}

async function publish(version: string, ...more: readonly string[]): Promise<string> {
  const part = path.join(dir, version);
  mkdirSync(path.join(part, 'app', 'srv'), { recursive: true });
  writeFileSync(path.join(part, 'app', 'srv', 'version'), `${version}\n`);
  writeFileSync(path.join(part, 'bmc.bin'), `firmware ${version}, without a second bank`);
  const parts = ['--files', `app=${path.join(part, 'app')}`, '--firmware', `bmc=${path.join(part, 'bmc.bin')}`];
  const { release } = await lane.sealane([
    'release',
    'create',
    '--name',
    'plc',
    '--version',
    version,
    ...parts,
    ...more,
    '--key',
    'author',
  ]);
  await lane.promote(release);
  return release;
}

async function oneWaySite(oneWay: object = {}, driver: object = {}): Promise<OneWaySite> {
  const place = path.join(dir, `site-${(count += 1)}`);
  mkdirSync(place, { recursive: true });
  const [script, asked] = [path.join(place, 'hook.sh'), path.join(place, 'asked')];
  const runs = 'read -r v < "$SEALANE_STATE/current/app/srv/version"';
  writeFileSync(
    script,
    `${runs}; echo "$SEALANE_HOOK $SEALANE_ONE_WAY beside $v" >> "${asked}"\nf="${place}/$SEALANE_HOOK"; test ! -f "$f" || . "$f"\n`,
  );
  const hook = ['/bin/sh', script];
  const site = await enrolSite(lane, place, {
    name: `harbour-${count}`,
    driver: { ...driver, oneWay: { snapshot: hook, apply: hook, seconds: 30, ...oneWay } },
  });
  return {
    site,
    said: () => readFileSync(asked, { encoding: 'utf8', flag: 'a+' }).trim().split('\n'),
    say: (name, text) => writeFileSync(path.join(place, name), text),
  };
}

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-a1-one-way-'));
  lane = await makeLane(dir, { pipeline: (text) => withIrreversible(text, 0) });
  plain = await publish('1.0.0');
});

afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

const [SAVED, BROUGHT_IN] = ['snapshot bmc beside 1.1.0', 'apply bmc beside 1.1.0'] as const;

describe('A1 at a site that runs the release before', () => {
  let here: OneWaySite;

  beforeAll(async () => {
    here = await oneWaySite();
    await here.site.must(['update']);
    marked = await publish('1.1.0', '--one-way', 'bmc');
  });

  afterAll(() => here.site.stop());

  test('A1 without a copy of what it may spoil the part is not touched, and the release is taken back', async () => {
    here.say('snapshot', 'exit 1');
    expect(await here.site.must(['update'], 7)).toMatchObject({ outcome: 'rolled-back', release: marked, previous: plain });
    expect(here.said()).toEqual([SAVED]);
    expect(versionOnDisk(here.site.state)).toBe('1.0.0');
    here.say('snapshot', 'true');
    await here.site.must(['unhold', marked]);
  });

  test('A1 a part that fails holds the site on the new release: it is neither taken back nor tried again until a person says so', async () => {
    here.say('apply', 'exit 3');
    const held = await here.site.must(['update'], 8);
    expect(held).toMatchObject({ outcome: 'held', reason: 'ONE_WAY_FAILED', release: marked });
    expect(held.checks.at(-1).actual).toContain('apply of bmc of plc 1.1.0');
    expect(await here.site.must(['update'], 8)).toMatchObject({ outcome: 'held', reason: 'ONE_WAY_FAILED' });
    expect(await here.site.must(['rollback'], 8)).toMatchObject({ outcome: 'held' });
    expect(here.said()).toEqual([SAVED, SAVED, BROUGHT_IN]);
    expect(versionOnDisk(here.site.state)).toBe('1.1.0');
  });

  test('A1 mended, it is brought in after all; then nothing below it runs here any more', async () => {
    here.say('apply', 'true');
    await here.site.must(['unhold']);
    expect(here.said().slice(3)).toEqual([BROUGHT_IN]);
    expect(await here.site.must(['status'])).toMatchObject({ state: 'idle', current: { release: marked }, previous: { release: plain } });
    expect(await here.site.must(['rollback'], 3)).toMatchObject({ outcome: 'refused', reason: 'RELEASE_BELOW_FLOOR' });
    expect(versionOnDisk(here.site.state)).toBe('1.1.0');
  });
});

test('A1 not healthy with its new part, the site is held; a person who has seen to it commits', async () => {
  const sick = path.join(dir, 'sick');
  const here = await oneWaySite({}, { health: [{ command: ['test', '!', '-e', sick] }], startSeconds: 0.5 });
  here.say('apply', `touch ${sick}`);
  const held = await here.site.must(['update'], 8);
  expect(held).toMatchObject({ outcome: 'held', reason: 'ONE_WAY_FAILED' });
  expect(held.checks.at(-1).actual).toContain('not healthy after bmc');
  expect(await here.site.must(['commit'], 5)).toMatchObject({ outcome: 'deferred', reason: 'HEALTH_FAILED' });
  rmSync(sick);
  expect(await here.site.must(['commit'])).toMatchObject({ outcome: 'installed', release: marked });
  expect(here.said()).toEqual([SAVED, BROUGHT_IN]);
  await here.site.stop();
});

test('A1 B15 held with a part that failed, the site is drained as any other, and the part waits until it rejoins', async () => {
  const { site, say, said } = await oneWaySite();
  say('apply', 'exit 3');
  const held = await site.must(['update'], 8);
  expect(held.checks.at(-1).remedy).toBe((await site.must(['status'])).next);
  say('apply', 'true');
  await lane.sealane(['site', 'drain', site.name, '--reason', 'the crane is rebuilt']);
  expect(await site.must(['update'], 8)).toMatchObject({ outcome: 'held', reason: 'ONE_WAY_FAILED' });
  expect(await site.must(['status'])).toMatchObject({ state: 'held', drained: expect.any(String), workload: { is: 'none' } });
  expect((await site.must(['unhold'], 3)).error.code).toBe('SITE_DRAINED');
  expect(said()).toEqual([SAVED, BROUGHT_IN]);
  await lane.sealane(['site', 'rejoin', site.name]);
  await site.must(['update'], 8);
  await site.must(['unhold']);
  expect(said()).toEqual([SAVED, BROUGHT_IN, BROUGHT_IN]);
  expect(await site.must(['status'])).toMatchObject({ state: 'idle', current: { release: marked }, workload: { is: 'running' } });
  await site.stop();
});

test('A1 B14 what failed there is the administrator’s: no technician runs it again or takes it for done', async () => {
  const here = await oneWaySite();
  here.say('apply', 'exit 3');
  await here.site.must(['update'], 8);
  here.say('apply', 'true');
  const pair = await startTwoProcesses(here.site);
  try {
    for (const verb of ['unhold', 'commit']) {
      const { error } = await expectJson('sealane-site', [verb, '--service', pair.technicians], 3);
      expect(error).toMatchObject({ code: 'ROLE_DENIED', message: expect.stringContaining('ONE_WAY_FAILED') });
    }
    expect(await pair.must(['status'])).toMatchObject({ state: 'held' });
    expect(here.said()).toEqual([SAVED, BROUGHT_IN]);
    expect(await pair.must(['unhold'])).toMatchObject({ lifted: ['what had failed was tried again'] });
    expect(here.said()).toEqual([SAVED, BROUGHT_IN, BROUGHT_IN]);
    await pair.must(['stop']);
  } finally {
    await pair.stop();
  }
});

test('A1 committing by hand in probation does not leave the part out', async () => {
  const here = await oneWaySite();
  await killAt('update:probation', 'sealane-site', ['update', '--config', here.site.config, '--state', here.site.state]);
  expect(await here.site.must(['commit'])).toMatchObject({ outcome: 'installed', release: marked });
  expect(here.said()).toEqual([SAVED, BROUGHT_IN]);
  await here.site.stop();
});

describe('A1 killed', () => {
  /** Who does not know how far it came asks a person, unless the command says that it may be run again. */
  const unknown = ['update:one-way', 'update:one-way-applied'];

  test.each(ONE_WAY_CRASH_POINTS)('A1 killed at %s: brought in again where that is safe, else held', async (point) => {
    for (const again of ['run', 'hold'] as const) {
      const { site, said } = await oneWaySite({ again });
      await killAt(point, 'sealane-site', ['update', '--config', site.config, '--state', site.state]);
      const isHeld = again === 'hold' && unknown.includes(point);
      const expected = isHeld ? { outcome: 'held', reason: 'ONE_WAY_FAILED' } : { outcome: 'installed', release: marked };
      expect(await site.must(['update'], isHeld ? 8 : 0), again).toMatchObject(expected);
      expect(versionOnDisk(site.state)).toBe('1.1.0');
      const times = said().filter((line) => line === BROUGHT_IN).length;
      expect(times, again).toBe({ 'update:one-way': isHeld ? 0 : 1, 'update:one-way-applied': isHeld ? 1 : 2 }[point as string] ?? 1);
      await site.stop();
    }
  });
});
