/** What every answer of admission must do to the state that the site keeps, asserted beside its outcome. */
import type { ErrorCode } from '../../packages/core/src/index.js';
import { expect } from 'vitest';
import { admit } from '../../packages/trust/src/admit.js';
import type { Admission, AdmitInput } from '../../packages/trust/src/admission/types.js';
import type { AdmitLane } from '../../packages/trust/src/testing/admit-lane.js';

type Visit = Parameters<AdmitLane['input']>[0];

/** Admission says yes, and what it saw is kept. */
export function expectAdmitted(lane: AdmitLane, change: Visit = {}): Admission {
  const input = lane.input(change);
  const answer = admit(input);
  expect(answer, describeChecks(answer)).toMatchObject({ outcome: 'admitted', reason: null, release: lane.release });
  expect(answer.checks.every(({ verdict }) => verdict === 'pass')).toBe(true);
  expectAdvanced(lane, answer, input);
  return answer;
}

/**
 * Admission refuses with this code. After `TRUST_*` and `LOG_*` the site keeps exactly what it had; after any other, all that it verified: else a
 * refused release's channel could be replayed away.
 */
export function expectRefused(lane: AdmitLane, code: ErrorCode, change: Visit = {}): Admission {
  const input = lane.input(change);
  const answer = admit(input);
  expect(answer, describeChecks(answer)).toMatchObject({ outcome: 'refused', reason: code });
  expect(answer.checks.filter(({ verdict }) => verdict !== 'pass').map((check) => check.code)).toContain(code);
  if (/^(?:TRUST|LOG)_/.test(code)) expectKept(answer, input);
  else expectAdvanced(lane, answer, input);
  return answer;
}

/** Nothing is remembered of what was not believed. */
function expectKept({ next }: Admission, { trust, siteState }: AdmitInput): void {
  const { seenCheckpoint, timeFloor, revoked, floor } = siteState;
  expect(next).toEqual({ trust, seenCheckpoint, timeFloor, revoked, floor, bars: null });
}

function expectAdvanced(lane: AdmitLane, { next }: Admission, { siteState }: AdmitInput): void {
  const { root, timestamp, snapshot, targets, ...roles } = lane.trust.versions;
  expect(next.trust.versions).toEqual({ root, timestamp, snapshot, targets, roles });
  expect(next.seenCheckpoint).toBe(lane.checkpoint);
  expect(next.timeFloor).not.toBeNull();
  expect(next.floor).toEqual(siteState.floor);
  expect(next.bars).not.toBeNull();
}

/** What failed, for the message of a test that fails. */
function describeChecks({ checks }: Admission): string {
  return checks
    .filter(({ verdict }) => verdict !== 'pass')
    .map(({ id, code, actual }) => `${id}: ${String(code)}: ${actual}`)
    .join('\n');
}
