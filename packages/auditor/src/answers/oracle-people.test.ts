/** What people and gates said, against the naive oracle: decisions, approvals, tests, exceptions, keys, the log itself. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeHistories, counted, everyTime, ranAt, sitesIn, tellHistories, type When } from '../testing/oracle.js';
import { BIOSES, RELEASES } from '../testing/history-plan.js';
import { type History } from '../testing/random-history.js';
import { approvals } from './approvals.js';
import { automatic } from './automatic.js';
import { cases } from './cases.js';
import { decisions } from './decisions.js';
import { devices } from './devices.js';
import { keys } from './keys.js';
import { snapshot } from './snapshot.js';
import { unit } from './unit.js';
import { waivers } from './waivers.js';

beforeAll(tellHistories);
afterAll(closeHistories);

/** Releases that the log knows by then. */
const known = (history: History, when: When): readonly (typeof RELEASES)[number][] =>
  counted(history, 'release', { ...when, asOf: '9999' }).map(({ release }) => release);

test('decisions: each with the pass that followed a refusal', async () => {
  await everyTime(async (history, context, when) => {
    for (const release of known(history, when)) {
      const { answer } = await decisions(context, release, undefined, when);
      const mine = counted(history, 'decision', when).filter((one) => one.release === release);
      expect(answer.decisions.map(({ logIndex }) => logIndex)).toEqual(mine.map(({ index }) => index));
      const passes = mine.map(({ index, stage, result }) => {
        return result === 'PASSED'
          ? undefined
          : mine.find((one) => one.index > index && one.stage === stage && one.result === 'PASSED')?.at;
      });
      expect(answer.decisions.map(({ then }) => then?.at)).toEqual(passes);
    }
  });
});

test('approvals, cases and devices: one for each that was told of the release', async () => {
  await everyTime(async (history, context, when) => {
    for (const release of known(history, when)) {
      const approved = counted(history, 'approval', when).filter((one) => one.release === release);
      expect((await approvals(context, release, when)).answer.approvals.map(({ issuedAt }) => issuedAt)).toEqual(
        approved.map(({ at }) => at),
      );
      const tested = counted(history, 'test', when).filter((one) => one.release === release);
      const verdicts = (await cases(context, release, when)).answer.runs.map(({ verdict }) => verdict);
      expect(verdicts).toEqual(tested.map(({ passed }) => (passed ? 'PASSED' : 'FAILED')));
      const firmware = (await devices(context, release, when)).answer.runs.map((run) => run.devices[0]?.facts.firmware['BIOS']);
      expect(firmware).toEqual(tested.map(({ bios }) => bios));
    }
  });
});

test('unit: every run where it was there, and the sites that have it', async () => {
  await everyTime(async (history, context, when) => {
    const [bios] = BIOSES;
    const { answer } = await unit(context, `BIOS ${bios}`, when);
    const runs = counted(history, 'test', when).filter((one) => one.bios === bios);
    expect(answer.runs.map(({ logIndex }) => logIndex)).toEqual(runs.map(({ index }) => index));
    const now = sitesIn(history, when).filter((site) => {
      const chain = counted(history, 'receipt', when).filter((one) => one.site === site);
      return [...chain].sort((a, b) => a.seq - b.seq || a.index - b.index).at(-1)?.bios === bios;
    });
    expect(answer.sites.filter(({ until }) => until === null).map(({ site }) => site)).toEqual(now);
  });
});

test('waivers: each exception with the decisions that rest on it, open until somebody else has reviewed each after it was logged', async () => {
  const seen = { open: 0, reviewed: 0, byGranter: 0, early: 0 };
  await everyTime(async (history, context, when) => {
    const { answer } = await waivers(context, {}, when);
    const granted = counted(history, 'exception', when);
    expect(answer.waivers.map(({ statements }) => statements)).toEqual(granted.map(({ digest }) => [digest]));
    for (const [at, { digest, release }] of granted.entries()) {
      const used = counted(history, 'decision', when).filter(({ names, result }) => names === digest && result === 'PASSED');
      const reviews = counted(history, 'review', when).filter(({ exception }) => exception === digest);
      const running = sitesIn(history, when).filter((site) => ranAt(history, site, when).at(-1)?.release === release);
      expect(answer.waivers[at]).toMatchObject({
        used: used.map((one) => ({ by: `decision into ${one.stage}`, at: one.at })),
        open: used.some(({ index }) => !reviews.some((review) => !review.isGranters && review.index > index)),
        reliedOnBy: used.length === 0 ? [] : running,
      });
      const open = answer.waivers[at]?.open === true;
      seen.open += Number(open);
      seen.reviewed += Number(!open && used.length > 0);
      seen.byGranter += Number(open && reviews.some(({ isGranters }) => isGranters));
      seen.early += Number(open && reviews.some(({ isGranters }) => !isGranters));
    }
  });
  // histories without each of these would show nothing
  expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).toBeGreaterThan(0);
});

test('keys: all that a stranger signed, none of which counts for anything', async () => {
  await everyTime(async (history, context, when) => {
    const { people } = history.lane;
    const signed = history.told.filter(
      (one) => !one.isOwn && one.witnessed <= (when.asKnown ?? '9999') && one.witnessed <= (when.asOf ?? '9999'),
    );
    const isSeen = history.told.some((one) => !one.isOwn && one.witnessed <= (when.asKnown ?? '9999'));
    if (!isSeen) return;
    const { answer } = await keys(context, people.stranger.keyId, when);
    expect(answer.signed.map(({ logIndex }) => logIndex)).toEqual(signed.map(({ index }) => index));
    expect(answer.signed.filter(({ counts }) => counts)).toEqual([]);
    expect(answer.keys).toMatchObject([{ roles: [], valid: false }]);
  });
});

test('snapshot: as many entries as were witnessed; automatic: every verdict, refusal and way back', async () => {
  await everyTime(async (history, context, when) => {
    const { answer } = await snapshot(context, when);
    expect(answer.size).toBe(history.told.filter(({ witnessed }) => witnessed <= (when.asKnown ?? '9999')).length);
    expect(answer.today.size).toBe(history.told.length);
    const bySites = counted(history, 'receipt', when).filter(({ event }) => event === 'refused' || event === 'rolled-back');
    const acts = [...counted(history, 'decision', when), ...bySites].map(({ at }) => at).sort();
    expect((await automatic(context, undefined, when)).answer.acts.map(({ at }) => at)).toEqual(acts);
  });
});
