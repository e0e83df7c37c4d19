/** Every answer against a naive oracle: histories at random, told late and out of order and contradicting themselves, folded as a plain list. */
import type { Digest } from '@sealane/core';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BIOSES, type History, historyPlan, PARTS, RELEASES, tellHistory, timeAt, type Told } from '../testing/random-history.js';
import { atSite } from './at-site.js';
import type { AuditContext } from './context.js';
import { coverage } from './coverage.js';
import { exposure } from './exposure.js';
import { population } from './population.js';

/** Another seed tells other histories. */
const SEED = 2026;

type Kind<K extends Told['kind']> = Extract<Told, { kind: K }>;
interface When {
  readonly asOf?: string;
  readonly asKnown?: string;
}

/** What counts at two times: told by whom it is theirs to say, witnessed by then, and so by then. */
function counted<K extends Told['kind']>({ told }: History, kind: K, { asOf = '9999', asKnown = '9999' }: When): readonly Kind<K>[] {
  return told.filter((one): one is Kind<K> => one.kind === kind && one.isOwn && one.witnessed <= asKnown && one.at <= asOf);
}

interface Ran {
  readonly site: string;
  readonly release: Digest | null;
  readonly since: string;
  readonly until: string | null;
}

/** What ran at a site, receipt after receipt by number. */
function ranAt(history: History, site: string, when: When): readonly Ran[] {
  const chain = counted(history, 'receipt', when).filter((one) => one.site === site);
  const ran: Ran[] = [];
  for (const { event, release, previous, at } of [...chain].sort((a, b) => a.seq - b.seq || a.index - b.index)) {
    const now = event === 'rolled-back' ? previous : event === 'refused' ? undefined : release;
    const last = ran.pop();
    if (last !== undefined)
      ran.push(now === undefined || (event === 'rolled-back' && last.release === now) ? last : { ...last, until: at });
    if (now !== undefined && !(event === 'rolled-back' && last?.release === now)) ran.push({ site, release: now, since: at, until: null });
  }
  return ran;
}

const sitesIn = (history: History, when: When): readonly string[] => counted(history, 'site', when).map(({ site }) => site);
const short = (runs: readonly Ran[]): readonly string[] =>
  runs.map(({ site, release, since, until }) => `${site} ${release ?? ''} ${since} ${until ?? ''}`).sort();

const histories: { readonly history: History; readonly context: AuditContext }[] = [];

beforeAll(async () => {
  for (const plan of fc.sample(historyPlan, { numRuns: 16, seed: SEED })) {
    const history = tellHistory(plan);
    histories.push({ history, context: await history.lane.open() });
  }
});

afterAll(async () => {
  for (const { history } of histories) await history.lane.close();
});

/** Asks each history at several pairs of times. */
async function everyTime(ask: (history: History, context: AuditContext, when: When) => Promise<void>): Promise<void> {
  for (const [at, { history, context }] of histories.entries()) {
    const [asOf, asKnown] = [timeAt(at), timeAt(1 + (at % 8))];
    const times = [{}, { asOf }, { asKnown }, { asOf, asKnown }].filter((when) => isKnown(history, when));
    for (const when of times) await ask(history, context, when);
  }
}

/** Whether witnesses had seen anything by then. */
function isKnown({ told }: History, { asKnown = '9999' }: When): boolean {
  return told.some(({ witnessed }) => witnessed <= asKnown);
}

test('at: what ran at each site', async () => {
  await everyTime(async (history, context, when) => {
    for (const site of sitesIn(history, when)) {
      const { answer } = await atSite(context, site, when);
      expect(answer.release).toBe(ranAt(history, site, when).at(-1)?.release ?? null);
    }
  });
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
    const last = sitesIn(history, when).map((site) => ({
      site,
      bios: [...counted(history, 'receipt', when)]
        .filter((one) => one.site === site)
        .sort((a, b) => a.seq - b.seq || a.index - b.index)
        .at(-1)?.bios,
    }));
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
