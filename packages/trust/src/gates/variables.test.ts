import type { JsonObject } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import type { DeclaredVariable } from '../evidence/predicates/declaration.js';
import type { SiteVariables } from '../site-variables.js';
import { gate, GateLane } from '../testing/gate-lane.js';

const DECLARED: readonly DeclaredVariable[] = [
  { name: 'POLL_SECONDS', type: 'integer', min: 1, max: 60, default: 5 },
  { name: 'MODE', type: 'choice', choices: ['slow', 'fast'] },
];

/** Sites by what they told: their values, or nothing. */
function lane(sites: Readonly<Record<string, SiteVariables | null>>, settings: JsonObject = {}): GateLane {
  const it = new GateLane(gate('variables', settings));
  it.declares = { variables: DECLARED };
  it.fleet = Object.entries(sites).map(([site, variables]) => ({
    site,
    hardware: null,
    reportedAt: null,
    ...(variables === null ? {} : { variables }),
  }));
  return it;
}

const refused = { verdict: 'fail', code: 'SITE_VARIABLES' };

describe('variables gate', () => {
  test('names the sites whose values do not fit, and leaves them out or refuses', () => {
    const sites = { a: { MODE: 'fast' }, b: { MODE: 'fast', POLL_SECONDS: 61 }, c: { MODE: 'slow', DEBUG: true }, d: {}, e: null };
    const check = lane(sites).check('variables');
    expect(check.verdict).toBe('pass');
    expect(check.actual).toBe(
      '1 of 5 sites fit; b: POLL_SECONDS: expected a whole number 1–60, got 61; c: DEBUG is not declared by the release; d: it does not set MODE; e: it never told its variables',
    );
    expect(lane(sites, { unknown: 'refuse' }).check('variables')).toMatchObject(refused);
    expect(lane({ a: { MODE: 'fast' } }, { unknown: 'refuse' }).check('variables')).toMatchObject({ verdict: 'pass' });
  });

  test('refuses where no site would be left', () => {
    expect(lane({ b: { MODE: 'none' }, c: { DEBUG: true, MODE: 'fast' } }).check('variables')).toMatchObject(refused);
  });

  test('refuses an empty fleet only where unknown is refused', () => {
    expect(lane({}).check('variables')).toMatchObject({ verdict: 'pass' });
    expect(lane({}, { unknown: 'refuse' }).check('variables')).toMatchObject(refused);
  });

  test('refuses a release that does not declare its variables; an empty list is a declaration', () => {
    const it = lane({ a: {} });
    it.declares = { dependencies: [] };
    expect(it.check('variables')).toMatchObject({ ...refused, actual: 'the release does not declare its variables' });
    it.declares = { variables: [] };
    expect(it.check('variables')).toMatchObject({ verdict: 'pass' });
  });

  test('an unknown setting is an error', () => {
    expect(lane({ a: {} }, { allow: 'all' }).check('variables')).toMatchObject({ verdict: 'error', code: 'GATE_ERROR' });
  });
});
