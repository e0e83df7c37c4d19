/** Every answer against a naive oracle: histories at random, told late and out of order and contradicting themselves, folded as a plain list. */
import type { Digest } from '@sealane/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeHistories, counted, everyTime, type Kind, type Ran, ranAt, sitesIn, tellHistories, type When } from '../testing/oracle.js';
import type { History } from '../testing/random-history.js';
import { BIOSES, PARTS, RELEASES, timeAt } from '../testing/history-plan.js';
import { atSite } from './at-site.js';
import { coverage } from './coverage.js';
import { exposure } from './exposure.js';
import { population } from './population.js';

beforeAll(tellHistories);
afterAll(closeHistories);

/** What a site told, by number; of two of one number the one that was logged first comes first. */
const receiptsOf = (history: History, site: string, when: When): readonly Kind<'receipt'>[] =>
  counted(history, 'receipt', when)
    .filter((one) => one.site === site)
    .sort((a, b) => a.seq - b.seq || a.index - b.index);

const short = (runs: readonly Ran[]): readonly string[] =>
  runs.map(({ site, release, since, until }) => `${site} ${release ?? ''} ${since} ${until ?? ''}`).sort();

test('at: what ran at each site since when, all that it told, and which numbers are missing', async () => {
  let missed = 0;
  await everyTime(async (history, context, when) => {
    for (const site of sitesIn(history, when)) {
      const { answer } = await atSite(context, site, when);
      const run = ranAt(history, site, when).at(-1);
      const named = counted(history, 'release', { ...when, asOf: '9999' }).some(({ release }) => release === run?.release);
      expect(answer).toMatchObject({ site, stage: 'prod', release: run?.release ?? null, since: run?.since ?? null });
      expect(answer.name !== null).toBe(named);
      const told = receiptsOf(history, site, when);
      expect(answer.history.map(({ seq, event, release, previous, at }) => [seq, event, release, previous, at])).toEqual(
        told.map(({ seq, event, release, previous, at }) => [seq, event, release, previous, at]),
      );
      const numbers = Array.from({ length: told.at(-1)?.seq ?? 0 }, (_, before) => before + 1);
      const missing = numbers.filter((number) => told.every(({ seq }) => seq !== number));
      expect(answer.missing).toEqual(missing);
      missed += missing.length;
    }
  });
  expect(missed).toBeGreaterThan(0);
});

test('exposure: to what was revoked, to a release, to a part', async () => {
  await everyTime(async (history, context, when) => {
    const all = sitesIn(history, when).flatMap((site) => ranAt(history, site, when));
    const expectRuns = async (thing: Parameters<typeof exposure>[1], releases: readonly Digest[]): Promise<void> => {
      const { answer } = await exposure(context, thing, when);
      expect(short(answer.sites)).toEqual(short(all.filter(({ release }) => release !== null && releases.includes(release))));
    };
    await expectRuns(
      {},
      counted(history, 'revocation', when).map(({ release }) => release),
    );
    const parts = counted(history, 'release', when).filter(({ part }) => part === PARTS[0]);
    await expectRuns(
      { component: PARTS[0] ?? '' },
      parts.map(({ release }) => release),
    );
    if (counted(history, 'release', { ...when, asOf: '9999' }).some(({ release }) => release === RELEASES[1]))
      await expectRuns({ release: RELEASES[1] ?? '' }, RELEASES.slice(1, 2));
  });
});

test('population: each decision and release of a period, and every entry read', async () => {
  await everyTime(async (history, context, when) => {
    const [from, to, stage] = [timeAt(3), timeAt(40), 'prod'];
    const { answer } = await population(context, { from, to, stage }, when);
    const decided = counted(history, 'decision', when).filter((one) => one.stage === stage && one.at >= from && one.at <= to);
    expect(answer.decisions.map(({ logIndex }) => logIndex)).toEqual(decided.map(({ index }) => index));
    const made = counted(history, 'release', when).filter(({ at }) => at >= from && at <= to);
    expect(answer.releases.map(({ logIndex }) => logIndex)).toEqual(made.map(({ index }) => index));
    const known = history.told.filter(({ witnessed }) => witnessed <= (when.asKnown ?? '9999'));
    expect(answer.scanned.entries).toBe(known.length);
    expect(Object.values(answer.scanned.byType).reduce((sum, count) => sum + count, 0)).toBe(known.length);
  });
});

test('coverage: a site is covered when the last run on its hardware passed', async () => {
  await everyTime(async (history, context, when) => {
    const [release] = RELEASES;
    if (release === undefined || !counted(history, 'release', { ...when, asOf: '9999' }).some((one) => one.release === release)) return;
    const { answer } = await coverage(context, release, {}, when);
    const runs = counted(history, 'test', when).filter((one) => one.release === release);
    const good = BIOSES.filter((bios) => runs.filter((run) => run.bios === bios).at(-1)?.passed === true);
    const told = sitesIn(history, when).map((site) => ({ site, last: receiptsOf(history, site, when).at(-1) }));
    const last = told.map(({ site, last: receipt }) => ({ site, bios: receipt?.bios }));
    expect(answer.reports.map(({ site, at }) => [site, at])).toEqual(
      told.flatMap(({ site, last: receipt }) => (receipt === undefined ? [] : [[site, receipt.at]])),
    );
    expect(answer.covered).toEqual(
      last.filter(({ bios }) => bios !== undefined && good.some((one) => one === bios)).map(({ site }) => site),
    );
    expect(answer.unknown.map(({ site }) => site)).toEqual(last.filter(({ bios }) => bios === undefined).map(({ site }) => site));
    expect(
      answer.classes
        .filter(({ units }) => units.length > 0)
        .flatMap(({ sites }) => sites)
        .sort(),
    ).toEqual([...answer.covered].sort());
  });
});
