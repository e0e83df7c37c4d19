/** What `status`, `doctor` and refusals tell a technician to run is run, in the states in which they say it; each leads out of its state, or to who can. */
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ErrorCode, ERRORS, type JsonObject } from '@sealane/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeRecord, parseJournal } from '../../packages/site/src/apply/journal.js';
import { makeLane, type TestLane } from '../support/lane.js';
import type { Answer } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

/** Healthy, but for a release that says of itself that it is sick. */
const HEALTH = [{ command: 'test -f app/srv/version && test ! -f app/srv/sick' }];

let dir: string;
let lane: TestLane;
let site: TestSite;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-next-'));
  lane = await makeLane(dir);
  site = await enrolSite(lane, path.join(dir, 'site'), {
    driver: { health: HEALTH },
  });
  await lane.promote(await lane.release('1.0.0'));
});
afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** The command that a text names last: what to run when all before it is done. */
function commandIn(text: string): readonly string[] {
  const [, words = ''] = /: (sealane(?:-site)? [^;,:]+)$/.exec(text) ?? [];
  expect(words, `a command in: ${text}`).not.toBe('');
  return words.trim().split(' ');
}

/** Runs what a text names, with what stands for its words in capitals. */
async function follow(text: string, given: Readonly<Record<string, string>> = {}, at = site): Promise<Answer> {
  const [program, ...words] = commandIn(text);
  const told = words.map((word) => given[word] ?? word);
  expect(
    told.filter((word) => /^[A-Z]+$/.test(word)),
    text,
  ).toEqual([]);
  if (program === 'sealane-site') return await at.run(told);
  return { exit: 0, signal: null, stdout: '', stderr: '', json: await lane.sealane(told) };
}

/** Takes a file away, and lets something else take its place. */
function replace(file: string, put: () => void): void {
  rmSync(file);
  put();
}

/** The next line of a journal. */
const lineAfter = (file: string, event: JsonObject): string =>
  new TextDecoder().decode(encodeRecord(parseJournal(readFileSync(file)).head, event).line);

const status = (): Promise<Answer['json']> => site.must(['status']);
const doctor = async (): Promise<Answer['json']> => (await site.run(['doctor'])).json;
/** The remedy of the first check that did not pass. */
const remedyOf = ({ checks }: Answer['json']): string =>
  checks.find(({ verdict }: { readonly verdict: string }) => verdict !== 'pass')?.remedy ?? '';

/** As `check` and `update` print it to people: the remedy, or what the code of the outcome says. */
const hintOf = (json: Answer['json']): string => (remedyOf(json) === '' ? ERRORS[json.reason as ErrorCode].hint : remedyOf(json));

test('a site that has nothing yet: status says what installs a release, and that installs it', async () => {
  expect(await follow((await status()).next)).toMatchObject({ exit: 0, json: { outcome: 'installed' } });
  expect(await status()).toMatchObject({ next: null, workload: { is: 'running' } });
  expect(await doctor()).toMatchObject({ ok: true });
});

test('a workload that an operator stopped', async () => {
  await site.must(['stop']);
  expect((await follow((await status()).next)).exit).toBe(0);
  expect(await status()).toMatchObject({ next: null, workload: { is: 'running' } });
});

test('a workload that died: status and doctor say the same, and it runs again', async () => {
  process.kill(-(await status()).workload.pid, 'SIGKILL');
  const { next } = await status();
  expect(remedyOf(await doctor())).toBe(next);
  expect(await follow(next)).toMatchObject({ exit: 0, json: { ok: true } });
  expect(await status()).toMatchObject({ next: null, workload: { is: 'running' } });
});

test('updates that an operator holds: status and the refused update say the same', async () => {
  await site.must(['hold', '--reason', 'the crane works']);
  await lane.promote(await lane.release('1.1.0'));
  const { json } = await site.run(['update']);
  const { next } = await status();
  expect(hintOf(json)).toBe(next);
  expect((await follow(next)).exit).toBe(0);
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
});

test('a release that failed here: what lets it be tried again, when the host was at fault, does so', async () => {
  const RELEASE = await lane.release('1.2.0', { 'srv/sick': 'yes\n' });
  await lane.promote(RELEASE);
  expect((await site.run(['update'])).exit).toBe(7);
  const again = await site.must(['update']);
  expect(again).toMatchObject({ outcome: 'unchanged', reason: 'RELEASE_FAILED_HERE' });
  expect(await follow(hintOf(again), { RELEASE })).toMatchObject({
    exit: 0,
    json: { lifted: [expect.stringContaining(RELEASE)] },
  });
  expect((await site.run(['update'])).exit).toBe(7);
});

test('a first release that failed: status says what an update would, and that lets it be tried again', async () => {
  const other = await enrolSite(lane, path.join(dir, 'other'), { name: 'quay-2', driver: { health: HEALTH } });
  const { release: RELEASE } = (await other.run(['update'])).json;
  const { next } = await other.must(['status']);
  const again = await other.must(['update']);
  expect(again).toMatchObject({ outcome: 'unchanged', reason: 'RELEASE_FAILED_HERE' });
  expect(next).toBe(hintOf(again));
  expect(await follow(next, { RELEASE }, other)).toMatchObject({ exit: 0, json: { lifted: [expect.stringContaining(RELEASE)] } });
  expect(await follow((await other.must(['status'])).next, {}, other)).toMatchObject({ exit: 7, json: { outcome: 'rolled-back' } });
  await other.stop();
});

test('a stage that the lane holds: the refusal names where to look, status repeats it', async () => {
  await lane.promote(await lane.release('1.3.0'));
  await lane.sealane(['channel', 'hold', 'prod', '--reason', 'incident 12']);
  const { exit, json } = await site.run(['update']);
  expect({ exit, reason: json.reason }).toEqual({ exit: 3, reason: 'CHANNEL_HELD' });
  for (const text of [hintOf(json), (await status()).next])
    expect((await follow(text, { STAGE: 'prod' })).json).toMatchObject({ stage: 'prod' });
  await lane.sealane(['channel', 'unhold', 'prod', '--reason', 'mended']);
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
});

const nowhere = `releases/${'0'.repeat(64)}`;
test.each<[string, (current: string, target: string) => void]>([
  ['points to another release', (current) => replace(current, () => symlinkSync(nowhere, current))],
  ['is gone', (current) => rmSync(current)],
  ['is a folder that somebody made', (current) => replace(current, () => mkdirSync(current))],
  ['points to a slot that is gone', (_, target) => rmSync(path.join(site.state, target), { recursive: true })],
])('a link to what runs that %s: doctor names what puts it back', async (_, spoil) => {
  const current = path.join(site.state, 'current');
  const before = readlinkSync(current);
  spoil(current, before);
  const found = await doctor();
  expect(found.checks).toContainEqual(expect.objectContaining({ id: 'current', verdict: 'fail' }));
  const mended = await follow(remedyOf(found));
  expect(mended).toMatchObject({ exit: 0, json: { ok: true, mended: expect.arrayContaining([expect.stringMatching(/again$/)]) } });
  expect(readlinkSync(current)).toBe(before);
  expect(readFileSync(path.join(current, 'app/srv/version'), 'utf8')).toBe('1.3.0\n');
  expect(await status()).toMatchObject({ next: null, workload: { is: 'running' } });
});

test('trust that is damaged: update leads to doctor, doctor to those who gave it first, and the site goes on', async () => {
  const file = path.join(site.state, 'trust.json');
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, before.replace('"expiresAt"', '"expiresat"'));
  const { exit, json } = await site.run(['update']);
  expect({ exit, reason: json.reason }).toEqual({ exit: 8, reason: 'STATE_CORRUPT' });
  const found = await follow(hintOf(json));
  expect(found).toMatchObject({ exit: 8, json: { ok: false, mended: [] } });
  const given = { RECORD: path.join(site.dir, 'record.json'), ROOT: path.join(lane.lane, 'trust/metadata/1.root.json') };
  expect(await follow(remedyOf(found.json), given)).toMatchObject({ exit: 0, json: { rootVersion: 1 } });
  expect(await site.must(['update'])).toMatchObject({ outcome: 'unchanged' });
  expect({ doctor: (await doctor()).ok, next: (await status()).next }).toEqual({ doctor: true, next: null });
});

test.each<[string, (file: string) => string]>([
  ['is damaged', () => '{"event":{}}\n'],
  ['has a record of a later updater that this one does not know', (file) => lineAfter(file, { is: 'added-later' })],
])('a journal that %s: doctor leads to mend, mend to unhold, and the site goes on', async (_, line) => {
  const file = path.join(site.state, 'journal');
  appendFileSync(file, line(file));
  const found = await doctor();
  expect(found).toMatchObject({ ok: false });
  const mended = await follow(remedyOf(found));
  expect(mended).toMatchObject({ exit: 8, json: { ok: false } });
  const { next } = await status();
  expect(remedyOf(mended.json)).toBe(next);
  expect((await follow(next)).exit).toBe(0);
  const after = await status();
  expect(remedyOf(await doctor())).toBe(after.next);
  expect(await follow(after.next)).toMatchObject({ exit: 0, json: { outcome: 'installed' } });
  expect({ doctor: (await doctor()).ok, next: (await status()).next }).toEqual({ doctor: true, next: null });
});
