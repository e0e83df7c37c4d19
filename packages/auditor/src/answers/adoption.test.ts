import { sha256, utf8 } from '@sealane/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stepsOf } from './adoption.js';
import type { Run } from './site-history.js';

const [one, other] = [sha256(utf8('one')), sha256(utf8('other'))];
const at = (minute: number): string => new Date(Date.UTC(2026, 10, 28, 10, minute)).toISOString();

/** A site’s runs, one after the other; each begins at a minute of its own. */
const site = fc.uniqueArray(fc.nat(59), { maxLength: 6 }).chain((minutes) =>
  fc.array(fc.constantFrom(one, other, null), { minLength: minutes.length, maxLength: minutes.length }).map((releases) =>
    minutes
      .sort((left, right) => left - right)
      .map((minute, index, all): Pick<Run, 'release' | 'since' | 'until'> => {
        const next = all[index + 1];
        return { release: releases[index] ?? null, since: at(minute), until: next === undefined ? null : at(next) };
      }),
  ),
);

test('at each moment as many sites run it as have a run of it then', () => {
  fc.assert(
    fc.property(fc.array(site, { maxLength: 5 }), (sites) => {
      const runs = sites.map((ran, index) => [`site-${index}`, ran] as const);
      const steps = stepsOf(one, runs);
      for (let minute = 0; minute < 60; minute += 1) {
        const now = at(minute);
        const running = sites.filter((ran) =>
          ran.some(({ release, since, until }) => release === one && since <= now && (until === null || until > now)),
        );
        expect(steps.findLast((step) => step.at <= now)?.sites ?? 0).toBe(running.length);
      }
      // no step says nothing: a site begins and ends in turn
      for (const [name] of runs) {
        const own = steps.filter((step) => step.site === name).map(({ change }) => change);
        expect(own).toEqual(own.map((_, index) => (index % 2 === 0 ? 'began' : 'ended')));
      }
    }),
  );
});
