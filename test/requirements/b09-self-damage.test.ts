/** Row B9, driver `self`: a program of the updater that rots on its disk is found, without a network, and the one before it runs; no start is lost in a loop. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildFsPoints, numbered, whyNoPoints } from '../reliability/fs-points.js';
import type { Answer, RunOptions } from '../support/run.js';
import { makeSelfSite, type SelfSite } from '../support/self-site.js';
import { receiptsOf } from '../support/site-world.js';

let dir: string;
let base: SelfSite;
/** Slots by version: the program of the package, then two that releases brought. */
let [first, second] = ['', ''];

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-b09-damage-'));
  base = await makeSelfSite(dir);
  for (const version of ['1.1.0', '1.2.0']) {
    await base.publish(version, { marker: `${version}\n` });
    expect((await base.tried(['update'])).exit).toBe(5);
    expect((await base.tried(['update'])).exit).toBe(0);
    [first, second] = [second, (await base.asked(['status'])).json.updater.runs];
  }
  await base.asked(['stop']);
});
afterAll(async () => {
  await base.asked(['stop']);
  await base.lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A copy of the site; nothing of it reaches the lane any more. */
function scene(): SelfSite {
  const folder = mkdtempSync(path.join(dir, 'scene-'));
  cpSync(base.site.dir, folder, { recursive: true, verbatimSymlinks: true });
  return base.at(folder);
}

const fileOf = (here: SelfSite, slot: string, name: string): string => path.join(here.programs, slot, 'tree', name);

/** One bit of a file, in the middle: as a worn flash cell has it. */
function flip(file: string): void {
  const bytes = readFileSync(file);
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

const chunk = (here: SelfSite, slot: string): string => {
  const [name = ''] = readdirSync(fileOf(here, slot, 'chunks')).filter((each) => each.endsWith('.cjs'));
  return fileOf(here, slot, path.join('chunks', name));
};

const updaterOf = async (here: SelfSite): Promise<object> => (await here.asked(['status'])).json.updater;
const update = (here: SelfSite, options?: RunOptions): Promise<Answer> => here.tried(['update'], options);

test.each<[string, (here: SelfSite) => void]>([
  ['whose entry is cut', (here) => truncateSync(fileOf(here, second, 'launch.mjs'), 20)],
  ['whose entry is gone', (here) => rmSync(fileOf(here, second, 'launch.mjs'))],
  ['with a flipped bit in its code', (here) => flip(fileOf(here, second, 'sealane-site.mjs'))],
  ['with a flipped bit in what is loaded when it is needed', (here) => flip(chunk(here, second))],
  ['with a part that is gone', (here) => rmSync(chunk(here, second))],
  ['whose digests are cut', (here) => truncateSync(path.join(here.programs, second, 'sums'), 70)],
  ['whose tree is gone', (here) => rmSync(path.join(here.programs, second, 'tree'), { recursive: true })],
])('B9 self: a program %s is not started; the one before it runs from there on, and says so', async (_how, damage) => {
  const here = scene();
  damage(here);
  const answer = await update(here);
  expect(answer, answer.stderr).toMatchObject({ exit: 0, json: { outcome: 'unchanged' } });
  expect(answer.stderr).toContain(
    `<3>sealane-site: the updater ${second} that a release brought is damaged on this disk: ${first} is started`,
  );
  expect(await updaterOf(here)).toEqual({ runs: first, onTrial: null, damaged: second });
  const again = await update(here);
  expect({ exit: again.exit, stderr: again.stderr }).toEqual({ exit: 0, stderr: expect.not.stringContaining('<3>') });
  expect(new Set(readdirSync(here.programs)), 'what nothing needs is gone').toEqual(new Set([first, 'current', 'damaged']));
  expect(await here.asked(['doctor'])).toMatchObject({ exit: 3, stdout: expect.stringContaining(`program of the updater ${second}`) });
});

test('B9 self: going back to the release of a damaged program lays it down anew, out of the store of this site', async () => {
  const here = scene();
  flip(chunk(here, first));
  expect(await here.tried(['rollback'])).toMatchObject({ exit: 5, json: { reason: 'UPDATER_ON_TRIAL' } });
  expect(await update(here)).toMatchObject({ exit: 0, json: { outcome: 'installed' } });
  expect(await updaterOf(here)).toEqual({ runs: first, onTrial: null, damaged: null });
  expect(await update(here)).toMatchObject({ exit: 0, json: { outcome: 'unchanged' } });
  await here.asked(['stop']);
});

test('B9 self: one that ended whole is not read again at its next start; damage that comes meanwhile is found at its end', async () => {
  const here = scene();
  const runtime = path.join(here.site.dir, 'runtime');
  mkdirSync(runtime);
  const options = { env: { RUNTIME_DIRECTORY: runtime } };
  const mark = path.join(runtime, 'whole');
  expect((await update(here, options)).exit).toBe(0);
  expect(readFileSync(mark, 'utf8')).toBe(`${second}\n`);
  // of no code: it starts
  flip(fileOf(here, second, 'marker'));
  expect((await update(here, options)).stderr).not.toContain('damaged');
  expect(readdirSync(runtime)).not.toContain('whole');
  expect((await update(here, options)).stderr).toContain('is damaged on this disk');
  expect(await updaterOf(here)).toMatchObject({ runs: first, damaged: second });
});

test('B9 self: a daemon whose program rots under it ends as soon as something goes wrong, and the one before goes on', async () => {
  const here = scene();
  truncateSync(fileOf(here, second, 'sealane-site-fetch.mjs'), 10);
  const ended = await here.asked(['run']);
  expect(ended, ended.stderr).toMatchObject({
    exit: 0,
    stderr: expect.stringContaining('the program of the updater is damaged on this disk'),
  });
  expect(await update(here)).toMatchObject({ exit: 0 });
  expect(await updaterOf(here)).toMatchObject({ runs: first, damaged: second });
});

const why = whyNoPoints();

describe.skipIf(why !== undefined)(`B9 self, damaged and killed (${why ?? 'at calls that change the disk'})`, () => {
  test('B9 self: killed at each step of giving a damaged program up, the next start gives it up', async () => {
    const library = buildFsPoints(dir);
    const met: string[] = [];
    for (let at = 1; !met.some((each) => each.includes('/state/')); at += 1) {
      const here = scene();
      flip(chunk(here, second));
      const run = numbered(library, { root: here.site.dir, shared: `${here.site.dir}.shared`, fault: { is: 'kill', at } });
      await update(here, { env: run.env });
      met.push(run.met());
      const answer = await update(here);
      expect({ at, exit: answer.exit, said: answer.stderr }, run.met()).toMatchObject({ at, exit: 0 });
      expect(await updaterOf(here), run.met()).toEqual({ runs: first, onTrial: null, damaged: second });
      expect(readdirSync(here.programs).filter((name) => name.endsWith('.tmp'))).toEqual([]);
      rmSync(here.site.dir, { recursive: true, force: true });
    }
    expect(met.join('\n')).toMatch(/write \/programs\/damaged\.tmp\n(?:fsync \/programs.*\n){3}/);
  });
});

test('B9 self: where the one before is damaged too, that of the package runs; the next release with an updater ends it, and its receipt tells of it', async () => {
  const here = scene();
  for (const slot of [first, second]) flip(chunk(here, slot));
  expect(await update(here)).toMatchObject({ exit: 0, json: { outcome: 'unchanged' } });
  expect(await updaterOf(here)).toEqual({ runs: 'package', onTrial: null, damaged: second });
  await here.publish('1.3.0', { marker: '1.3.0\n' });
  expect((await update(here)).exit).toBe(5);
  expect(await update(here)).toMatchObject({ exit: 0, json: { outcome: 'installed' } });
  expect(await updaterOf(here)).toMatchObject({ onTrial: null, damaged: null });
  const told = receiptsOf(here.site).map(({ bytes }) => Buffer.from(JSON.parse(bytes).dsseEnvelope.payload, 'base64').toString());
  expect(told.at(-1)).toContain(`program of the updater ${second}: is damaged on this disk`);
  await here.asked(['stop']);
});
