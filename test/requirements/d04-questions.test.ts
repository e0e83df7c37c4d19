/** Rows D4 and D5: the auditor's questions through the real commands, each answer proved, in two times. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import type { Answer } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

let dir: string;
let lane: TestLane;
let site: TestSite;
let one: string;
let two: string;
/** A time between the first release and the second. */
let between: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-d4-'));
  lane = await makeLane(dir);
  site = await enrolSite(lane, path.join(dir, 'site'));
  one = await lane.release('1.0.0');
  await lane.promote(one);
  await site.must(['update']);
  between = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  await new Promise((resolve) => setTimeout(resolve, 1100));
  two = await lane.release('1.1.0');
  await lane.promote(two);
  await site.must(['update']);
  const receipts = path.join(dir, 'receipts');
  await site.must(['receipt', 'export', receipts]);
  await lane.sealane(['statement', 'add', ...[1, 2].map((seq) => path.join(receipts, `harbour-7-${String(seq).padStart(8, '0')}.json`))]);
  await lane.sealane(['revoke', one, '--reason', 'fails in the field']);
  await lane.sealane(['publish']);
});

afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Asks, and holds the answer to what every answer owes: statements below the checkpoint's size, and the word that nothing is in doubt. */
async function ask(words: readonly string[]): Promise<Answer['json']> {
  const json = await lane.sealane(['audit', ...words]);
  const [origin, size] = (json.checkpoint as string).split('\n');
  expect(origin).toBe(lane.origin);
  expect(json).toMatchObject({ complete: true, answer: { doubts: [] } });
  for (const { digest, logIndex } of json.statements) {
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(logIndex).toBeLessThan(Number(size));
  }
  return json;
}

it('D4 coverage: the hardware of each site, and the runs and units that cover it', async () => {
  const { answer } = await ask(['coverage', two]);
  expect(answer).toMatchObject({ release: two, version: '1.1.0', stage: 'prod', covered: ['harbour-7'], uncovered: [], unknown: [] });
  expect(answer.classes).toMatchObject([{ role: 'host', sites: ['harbour-7'], why: '' }]);
  expect(answer.classes[0].units.length).toBe(1);
  expect(answer.classes[0].runs.length).toBe(1);
  // of no release: what the stage let in last
  const unnamed = await ask(['coverage']);
  expect(unnamed).toMatchObject({ question: 'coverage at prod', answer });
  expect((await lane.sealane(['audit', 'coverage', '--as-of', '2020-01-01T00:00:00Z'], 2)).error.code).toBe('RELEASE_UNKNOWN');
  expect((await lane.sealane(['audit', 'coverage', 'nothing@1'], 2)).error.code).toBe('RELEASE_UNKNOWN');
  expect((await lane.sealane(['audit', 'coverage', two, '--stage', 'orbit'], 2)).error.code).toBe('STAGE_UNKNOWN');
});

it('D4 population: every decision, release and site of a period, with every entry of the log read', async () => {
  const { answer } = await ask(['population', '--stage', 'prod']);
  expect(answer.decisions.map(({ release, result }: { release: string; result: string }) => [release, result])).toEqual([
    [one, 'PASSED'],
    [two, 'PASSED'],
  ]);
  expect(answer.releases.map(({ version }: { version: string }) => version)).toEqual(['1.0.0', '1.1.0']);
  expect(answer.sites).toMatchObject([{ site: 'harbour-7', stage: 'prod' }]);
  expect(answer.scanned.inDoubt).toBe(0);
  const later = await ask(['population', '--stage', 'prod', '--from', between]);
  expect(later.answer.decisions).toMatchObject([{ release: two }]);
  expect(later.answer.scanned.entries).toBe(answer.scanned.entries);
});

it('D4 exposure: who ran what was revoked, a part, or what a key vouched for, and until when', async () => {
  const { answer } = await ask(['exposure']);
  expect(answer.releases).toMatchObject([{ release: one, version: '1.0.0', why: 'revoked: fails in the field' }]);
  expect(answer.sites).toMatchObject([{ site: 'harbour-7', release: one }]);
  expect(answer.sites[0].until).not.toBeNull();
  expect(answer.exposedNow).toEqual([]);
  const now = await ask(['exposure', '--release', two]);
  expect(now.answer).toMatchObject({ exposedNow: ['harbour-7'], sites: [{ release: two, until: null }] });
  const { keyId } = (await lane.sealane(['release', 'show', two])).statements?.[0] ?? {};
  if (keyId !== undefined) expect((await ask(['exposure', '--key', keyId])).answer.exposedNow).toEqual(['harbour-7']);
  expect((await lane.sealane(['audit', 'exposure', '--release', two, '--package', 'zlib'], 2)).error.code).toBe('USAGE');
});

it('D5 two times: what was so then, and what was known then', async () => {
  const was = await ask(['exposure', '--release', one, '--as-of', between]);
  expect(was.answer).toMatchObject({ exposedNow: ['harbour-7'], sites: [{ release: one, until: null }] });
  // the receipts were brought later: then nobody knew
  const knew = await ask(['exposure', '--release', one, '--as-known', between]);
  expect(knew.answer).toMatchObject({ exposedNow: [], sites: [] });
  const known = await ask(['population', '--as-known', between]);
  expect(known.answer.releases.map(({ release }: { release: string }) => release)).toEqual([one]);
  expect(Number((known.checkpoint as string).split('\n')[1])).toBe(known.answer.scanned.entries);
  expect((await lane.sealane(['audit', 'population', '--as-known', '2026-01-01T00:00:00Z'], 4)).error.code).toBe('LOG_WITNESS');
  expect((await lane.sealane(['audit', 'population', '--as-known', 'noon'], 2)).error.code).toBe('USAGE');
});
