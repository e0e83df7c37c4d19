/** B19: a release names secrets and never holds them; values are sealed to the site, kept sealed, rotated with the WAN cut, and a fenced site opens no new one. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandLinesWith, filesWith, givenTo, newValue, seal, SECRET_WORKLOAD, shownAs } from '../support/secrets.js';
import { editConfig } from '../support/site-world.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';
import { makeParityLane, type ParityLane } from './parity-lane.js';

let it: ParityLane;
let site: TestSite;
let release: string;
let value = newValue();
const old: string[] = [];

beforeAll(async () => {
  it = await makeParityLane('');
  site = await enrolSite(it.lane, path.join(it.lane.dir, 'site'), { driver: { start: SECRET_WORKLOAD, startSeconds: 2 } });
  release = await it.release('1.0.0', 'secrets: [db-password]\n');
  await it.throughPreprod(release);
  await it.promote(release);
});

afterAll(async () => {
  await site.stop();
  await it.stop();
});

/** A value of today, which the one before gives way to. */
function next(kind: 'good' | 'bad' = 'good'): string {
  old.push(value);
  value = newValue(kind);
  return value;
}

const open = (): string => path.join(site.state, 'run', 'credentials', 'db-password');

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what is asserted is the shape itself
function lastReceipt(): any {
  const folder = path.join(site.state, 'receipts');
  const [file = ''] = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .reverse();
  const bundle = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as { readonly dsseEnvelope: { readonly payload: string } };
  return JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString()).predicate;
}

test('B19 a release whose secret is not here is refused before anything is switched; sealed to the site it reaches the workload alone', async () => {
  expect(await site.must(['update'], 4)).toMatchObject({ outcome: 'refused', reason: 'SECRET_MISSING', release });
  expect(versionOnDisk(site.state)).toBeUndefined();
  const inArgv = await commandLinesWith(value, async () => {
    expect(await seal(it.lane, value, ['--site', 'harbour-7'])).toMatchObject({
      secret: 'db-password',
      stage: 'prod',
      sites: [{ site: 'harbour-7', version: 1 }],
    });
    expect(await site.must(['check'])).toMatchObject({ outcome: 'available', release });
    expect(givenTo(site)).toEqual([]);
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release });
  });
  expect(inArgv).toEqual([]);
  expect(givenTo(site)).toEqual([shownAs(value)]);
  expect(readFileSync(path.join(site.dir, 'mode'), 'utf8')).toBe('600\n');
  expect(lastReceipt()).toMatchObject({ event: 'installed', release, secrets: [{ name: 'db-password', version: 1 }] });
  expect((await it.lane.sealane(['secret', 'list'])).secrets).toMatchObject([{ site: 'harbour-7', secret: 'db-password', version: 1 }]);
});

test('B19 a new value arrives over the link: the workload is started with it, watched, and the receipt says so', async () => {
  await seal(it.lane, next(), ['--stage', 'prod']);
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release, previous: release });
  expect(givenTo(site).at(-1)).toBe(shownAs(value));
  expect(lastReceipt()).toMatchObject({ event: 'rotated', release, reason: null, secrets: [{ name: 'db-password', version: 2 }] });
  expect(await site.must(['update'])).toMatchObject({ outcome: 'unchanged' });
  expect(await site.must(['status'])).toMatchObject({ secrets: [{ name: 'db-password', version: 2, given: 2 }] });
});

test('B19 a value with which the workload is not healthy gives way to the one before, and is not tried again', async () => {
  const good = value;
  await seal(it.lane, next('bad'), ['--site', 'harbour-7']);
  expect(await site.must(['update'], 7)).toMatchObject({ outcome: 'rolled-back', reason: 'HEALTH_FAILED', release });
  expect(givenTo(site).slice(-2)).toEqual([shownAs(value), shownAs(good)]);
  expect(lastReceipt()).toMatchObject({ event: 'rotated', reason: 'HEALTH_FAILED', secrets: [{ name: 'db-password', version: 3 }] });
  expect(await site.must(['update'])).toMatchObject({ outcome: 'unchanged', reason: null });
  expect(await site.must(['status'])).toMatchObject({ failedHere: [], secrets: [{ version: 3, given: 2 }], workload: { is: 'running' } });
});

test('B19 with the WAN cut a medium brings the next value', async () => {
  await seal(it.lane, next(), ['--site', 'harbour-7']);
  const medium = path.join(it.lane.dir, 'medium');
  await it.lane.sealane(['media', 'export', '--stage', 'prod', '--out', medium]);
  editConfig(site.dir, 'upstreams', ['http://127.0.0.1:9']);
  await site.must(['media', 'import', medium]);
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release });
  expect(givenTo(site).at(-1)).toBe(shownAs(value));
  editConfig(site.dir, 'upstreams', [it.lane.lane]);
});

test('B19 a fenced site opens no new value; what runs goes on with what it has', async () => {
  await it.lane.sealane(['site', 'fence', 'harbour-7', '--reason', 'stolen']);
  // a fenced site gets none sealed by name; one that was sealed before the fence waits
  expect((await seal(it.lane, newValue(), ['--site', 'harbour-7'], 3)).error.code).toBe('SITE_MISMATCH');
  await it.lane.sealane(['site', 'rejoin', 'harbour-7', '--reason', 'found again']);
  const given = givenTo(site).length;
  await seal(it.lane, next(), ['--site', 'harbour-7']);
  await it.lane.sealane(['site', 'fence', 'harbour-7', '--reason', 'stolen again']);
  expect(await site.must(['update'], 3)).toMatchObject({ outcome: 'refused', reason: 'SITE_FENCED' });
  expect(givenTo(site).length).toBe(given);
  expect(await site.must(['status'])).toMatchObject({ secrets: [{ version: 4, given: 4 }], workload: { is: 'running' } });
  await it.lane.sealane(['site', 'rejoin', 'harbour-7', '--reason', 'found again']);
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release });
  expect(givenTo(site).at(-1)).toBe(shownAs(value));
});

test('B19 a release that is gone back to gets the value of today; a stop takes the open value away', async () => {
  const second = await it.release('1.1.0', 'secrets: [db-password]\n');
  await it.throughPreprod(second);
  await it.promote(second);
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: second });
  await seal(it.lane, next(), ['--site', 'harbour-7']);
  await site.must(['update']);
  expect(await site.must(['rollback'])).toMatchObject({ outcome: 'installed', release });
  expect(givenTo(site).at(-1)).toBe(shownAs(value));
  await site.must(['stop']);
  expect(existsSync(open())).toBe(false);
  await site.must(['start']);
  expect(readFileSync(open(), 'utf8')).toBe(value);
});

test('B19 command: start, status and stop hooks are given the values, prepare is not; they are run again with a new one', async () => {
  const hook = [
    '/bin/sh',
    '-c',
    'f="${CREDENTIALS_DIRECTORY-/nowhere}/db-password"; if test -f "$f"; then shown=$(sha256sum < "$f" | cut -d" " -f1); fi; echo "$SEALANE_HOOK ${shown-none}" >> "$SEALANE_STATE/../given"',
  ];
  const driver = { use: 'command', prepare: hook, start: hook, stop: hook, status: hook, stopGraceSeconds: undefined, health: [] };
  const other = await enrolSite(it.lane, path.join(it.lane.dir, 'site-8'), { name: 'harbour-8', driver });
  const [first, second] = [newValue(), newValue()];
  old.push(first, second);
  await seal(it.lane, first, ['--site', 'harbour-8']);
  expect(await commandLinesWith(first, () => other.must(['update']))).toEqual([]);
  const hooks = (): readonly string[] => givenTo(other).filter((line, at, lines) => line !== lines[at - 1]);
  expect(hooks()).toEqual(['prepare none', `start ${shownAs(first)}`, `status ${shownAs(first)}`]);
  await seal(it.lane, second, ['--site', 'harbour-8']);
  expect(await other.must(['update'])).toMatchObject({ outcome: 'installed' });
  const rest = hooks().slice(3);
  expect(rest.slice(0, 3)).toEqual(['prepare none', `stop ${shownAs(first)}`, `start ${shownAs(second)}`]);
  await other.stop();
  expect(hooks().at(-1)).toBe(`stop ${shownAs(second)}`);
});

test('B19 no value is in the lane, a medium, a backup, receipts, logs or state, but where the workload reads it', async () => {
  const out = path.join(it.lane.dir, 'out');
  await site.must(['receipt', 'export', out]);
  await it.lane.sealane(['media', 'export', '--stage', 'prod', '--out', path.join(it.lane.dir, 'medium-2')]);
  await it.lane.sealane(['backup', '--without-keys', '--out', path.join(it.lane.dir, 'backup.tar')]);
  for (const secret of [value, ...old]) {
    const found = filesWith(it.lane.dir, secret);
    expect(found).toEqual(secret === value ? [open()] : []);
  }
});
