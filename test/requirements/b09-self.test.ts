/** Row B9, driver `self`: a release replaces the updater too, last of all, and the old one comes back by itself, whatever the new one does. The tests go on from one another. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { archiveImage } from '../support/archive-image.js';
import { type Answer, runProgram } from '../support/run.js';
import { CANNOT_FETCH, CRASHES, makeSelfSite, type SelfSite } from '../support/self-site.js';

let dir: string;
let here: SelfSite;
const slots: Record<string, string> = {};

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-b09-self-'));
  here = await makeSelfSite(dir);
});
afterAll(async () => {
  await here.asked(['stop']);
  await here.lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Starts the updater as its unit does, until what it began is at its end. */
async function atEnd(): Promise<readonly (number | null)[]> {
  const exits: (number | null)[] = [];
  for (let last: Answer | undefined; last?.json?.outcome === undefined || last.exit === 5;) {
    last = await here.tried(['update']);
    exits.push(last.exit);
    if (exits.length > 9) throw new Error(`update: expected an end, got ${exits.join(', ')}\n${last.stderr}`);
  }
  return exits;
}

const status = async (): Promise<Answer['json']> => (await here.asked(['status'])).json;

test('B9 self: the new program checks itself and takes the place of the old one; the release is installed after that', async () => {
  expect(await status()).toMatchObject({ current: { version: '1.0.0' }, updater: { runs: 'package', onTrial: null } });
  const release = await here.publish('1.1.0', { marker: 'one\n' });
  expect(await here.tried(['update'])).toMatchObject({ exit: 5, json: { outcome: 'deferred', reason: 'UPDATER_ON_TRIAL', release } });
  const onTrial = await status();
  expect(onTrial).toMatchObject({ state: 'probation', current: { version: '1.0.0' }, updater: { runs: 'package' } });
  // who only asks uses up no start of it
  expect(await here.asked(['update'])).toMatchObject({ exit: 5, json: { reason: 'UPDATER_ON_TRIAL' } });
  expect(await here.tried(['update'])).toMatchObject({ exit: 0, json: { outcome: 'installed', release } });
  slots['1.1.0'] = onTrial.updater.onTrial;
  expect(await status()).toMatchObject({ state: 'idle', current: { version: '1.1.0' }, updater: { runs: slots['1.1.0'], onTrial: null } });
});

test('B9 self: one that crashes at its first instruction is started three times, then the old one takes the release back', async () => {
  const release = await here.publish('1.2.0', CRASHES);
  expect(await atEnd()).toEqual([5, 1, 1, 1, 7]);
  expect(await status()).toMatchObject({
    state: 'idle',
    current: { version: '1.1.0' },
    updater: { runs: slots['1.1.0'], onTrial: null },
    failedHere: [{ release, reason: 'HEALTH_FAILED' }],
  });
  expect(await here.tried(['update'])).toMatchObject({ exit: 0, json: { outcome: 'unchanged', reason: 'RELEASE_FAILED_HERE' } });
});

test('B9 self: one that could never fetch again fails its check, and the old one takes the release back', async () => {
  const release = await here.publish('1.3.0', CANNOT_FETCH);
  expect(await atEnd()).toEqual([5, 5, 7]);
  expect(await status()).toMatchObject({ current: { version: '1.1.0' }, updater: { runs: slots['1.1.0'] } });
  expect((await status()).failedHere).toContainEqual(expect.objectContaining({ release }));
});

test('B9 self: going back by hand goes back with the updater too; a release without one leaves it as it is', async () => {
  await here.publish('1.4.0', { marker: 'four\n' });
  expect(await atEnd()).toEqual([5, 0]);
  const fourth = (await status()).updater.runs;
  expect(fourth).not.toBe(slots['1.1.0']);
  expect(await here.tried(['rollback'])).toMatchObject({ exit: 5, json: { reason: 'UPDATER_ON_TRIAL' } });
  expect(await atEnd()).toEqual([0]);
  expect(await status()).toMatchObject({ current: { version: '1.1.0' }, updater: { runs: slots['1.1.0'] } });
  await here.publish('1.5.0', null);
  expect(await atEnd()).toEqual([0]);
  expect(await status()).toMatchObject({ current: { version: '1.5.0' }, updater: { runs: slots['1.1.0'] } });
  expect(new Set(readdirSync(here.programs)), 'what nothing needs is gone').toEqual(
    new Set([slots['1.1.0'], fourth, 'current', 'previous']),
  );
});

test('B9 self: a component that is no updater is refused before anything is touched', async () => {
  const words = [
    'release',
    'create',
    '--name',
    'readings',
    '--version',
    '1.6.0',
    '--files',
    `updater=${path.join(dir, 'sources', '1.5.0', 'app')}`,
  ];
  const { release } = await here.lane.sealane([...words, '--key', 'author']);
  await here.lane.promote(release);
  expect(await here.tried(['update'])).toMatchObject({ exit: 4, json: { outcome: 'refused', reason: 'DRIVER_REFUSED', release } });
  expect(await status()).toMatchObject({ state: 'idle', current: { version: '1.5.0' } });
});

test('B9 self: one that comes as an image is read by everybody and written by root alone, whatever modes it has and whoever updates', async () => {
  const build = path.join(dir, 'as-an-image');
  cpSync(here.library, build, { recursive: true });
  chmodSync(path.join(build, 'sealane-site-fetch.mjs'), 0o600);
  execFileSync('chmod', ['-R', 'a+w', path.join(build, 'chunks'), path.join(build, 'launch.mjs')]);
  const tar = execFileSync('tar', ['-C', build, '-cf', '-', '.'], { maxBuffer: 1 << 30 });
  const image = await archiveImage(path.join(dir, 'images'), new Uint8Array(tar));
  const words = ['release', 'create', '--name', 'readings', '--version', '1.7.0', '--image', `updater=${image}`, '--key', 'author'];
  const app = ['--files', `app=${path.join(dir, 'sources', '1.5.0', 'app')}`];
  const { release } = await here.lane.sealane([...words, ...app]);
  await here.lane.promote(release);
  const before = process.umask(0o077);
  try {
    expect(await atEnd()).toEqual([5, 0]);
  } finally {
    process.umask(before);
  }
  const { updater } = await status();
  const { stdout } = await runProgram('find', [path.join(here.programs, updater.runs), '-type', 'l', '-o', '-printf', '%m\n']);
  expect(new Set(stdout.trim().split('\n'))).toEqual(new Set(['755', '644']));
});

test('B9 self: who installs another package later is not outdone by a program that an older one took in', async () => {
  writeFileSync(path.join(here.library, 'build'), '9.9.9-1+later\n');
  expect(await status()).toMatchObject({ updater: { runs: 'package', onTrial: null } });
});
