/** What is known of one release, against the naive oracle: its trace, what changed, what its evidence rests on, how many sites ran it. */
import type { Digest } from '@sealane/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeHistories, counted, everyTime, ranAt, sitesIn, tellHistories, type When } from '../testing/oracle.js';
import { RELEASES, VARIABLE } from '../testing/history-plan.js';
import { type History } from '../testing/random-history.js';
import { adoption } from './adoption.js';
import { changes } from './changes.js';
import { evidenceState } from './evidence.js';
import { traceRelease } from './trace.js';

beforeAll(tellHistories, 60_000);
afterAll(closeHistories);

/** Releases that the log knows by then, with the part that each is made of. */
const known = (history: History, when: When) => counted(history, 'release', { ...when, asOf: '9999' });

/** Those of what was told that are about a release. */
function about<T extends { readonly release: Digest | null }>(release: Digest, told: readonly T[]): readonly T[] {
  return told.filter((one) => one.release === release);
}

test('trace: all that was said of it by whom it is to say, in the order of the log', async () => {
  await everyTime(async (history, context, when) => {
    for (const { release } of known(history, when)) {
      const { answer } = await traceRelease(context, release, when);
      const declared = about(release, counted(history, 'release', when));
      expect(answer.components.map(({ digest }) => digest)).toEqual(declared.map(({ part }) => part));
      expect(answer.approvals.map(({ person, issuedAt }) => [person, issuedAt])).toEqual(
        about(release, counted(history, 'approval', when)).map(({ at }) => ['alice', at]),
      );
      expect(answer.decisions.map(({ stage, result, at }) => [stage, result, at])).toEqual(
        about(release, counted(history, 'decision', when)).map(({ stage, result, at }) => [stage, result, at]),
      );
      expect(answer.tests.map(({ passed, total }) => passed === total)).toEqual(
        about(release, counted(history, 'test', when)).map(({ passed }) => passed),
      );
      expect(answer.testedOn.map(({ facts }) => facts.firmware['BIOS'])).toEqual(
        about(release, counted(history, 'test', when)).map(({ bios }) => bios),
      );
      const sites = sitesIn(history, when);
      expect(answer.sites.map(({ site, event, at }) => [site, event, at])).toEqual(
        about(release, counted(history, 'receipt', when))
          .filter(({ site }) => sites.includes(site))
          .map(({ site, event, at }) => [site, event, at]),
      );
    }
  });
});

test('changes: the part that differs, in the direction that is asked', async () => {
  await everyTime(async (history, context, when) => {
    const all = known(history, when);
    for (const before of all) {
      for (const after of all) {
        const { answer } = await changes(context, after.release, { from: before.release }, when);
        const differs = before.part === after.part ? [] : [['app', before.part, after.part]];
        expect(answer.components.map((one) => [one.name, one.before, one.after])).toEqual(differs);
        expect(answer.declares.map(({ name }) => name)).toEqual(before.declares === after.declares ? [] : [`variable ${VARIABLE.name}`]);
        expect(answer.packages).toBeNull();
      }
    }
  });
});

test('changes at a site: after the release that ran there before it ran there first', async () => {
  await everyTime(async (history, context, when) => {
    const all = known(history, when);
    for (const site of sitesIn(history, when)) {
      const ran = ranAt(history, site, when).map(({ release }) => release);
      const others = ran.filter((release, at) => release !== ran[at - 1]);
      for (const after of all) {
        const before = all.find(({ release }) => release === others[others.indexOf(after.release) - 1]);
        const asked = changes(context, after.release, { site }, when);
        if (before === undefined)
          await expect(asked).rejects.toMatchObject({ code: expect.stringMatching(/^(USAGE|RELEASE_UNKNOWN)$/) as string });
        else {
          const { answer } = await asked;
          expect(answer.previous.release).toBe(before.release);
          expect(answer.components.map((one) => one.after)).toEqual(before.part === after.part ? [] : [after.part]);
        }
      }
    }
  });
});

test('evidence: every document of every run is there, and what ends within the days that are asked about', async () => {
  await everyTime(async (history, context, when) => {
    for (const { release } of known(history, when)) {
      const month = (await evidenceState(context, release, 30, when)).answer;
      // a release of the histories is a name only: its manifest is nowhere
      expect(month.missing.map(({ what, erased }) => [what, erased])).toEqual([['release manifest', null]]);
      expect(month.present).toBe(3 * about(release, counted(history, 'test', when)).length);
      expect(month.expiring).toHaveLength(
        about(release, counted(history, 'approval', when)).length + about(release, counted(history, 'exception', when)).length,
      );
      expect([...month.expired, ...(await evidenceState(context, release, 2, when)).answer.expiring]).toEqual([]);
    }
  });
});

test('adoption: after each step as many sites run it as have a run of it then', async () => {
  await everyTime(async (history, context, when) => {
    const sites = sitesIn(history, when);
    for (const release of RELEASES) {
      const { answer } = await adoption(context, release, sites, when);
      const runs = sites.flatMap((site) => ranAt(history, site, when)).filter((run) => run.release === release);
      const at = (moment: string): number =>
        runs.filter(({ since, until }) => since <= moment && (until === null || until > moment)).length;
      // the last step of a moment says how it was left
      for (const step of answer.steps.filter((one, index) => answer.steps[index + 1]?.at !== one.at)) expect(step.sites).toBe(at(step.at));
      expect(answer.steps.at(-1)?.sites ?? 0).toBe(at('9999'));
    }
  });
});
