import { type ErrorCode, ERRORS } from '@sealane/core';
import { expect, test } from 'vitest';
import { exitOf } from './outcome.js';

test('each outcome has its exit code', () => {
  for (const outcome of ['installed', 'unchanged', 'available'] as const) expect(exitOf({ outcome, reason: null })).toBe(0);
  expect(exitOf({ outcome: 'unchanged', reason: 'RELEASE_FAILED_HERE' })).toBe(0);
  expect(exitOf({ outcome: 'deferred', reason: 'LOCAL_HOLD' })).toBe(5);
  expect(exitOf({ outcome: 'deferred', reason: 'DISK_SHORT' })).toBe(5);
  expect(exitOf({ outcome: 'deferred', reason: 'FETCH_FAILED' })).toBe(6);
  expect(exitOf({ outcome: 'rolled-back', reason: 'HEALTH_FAILED' })).toBe(7);
  expect(exitOf({ outcome: 'held', reason: 'ROLLBACK_FAILED' })).toBe(8);
});

test('a refusal is 4, but 3 where what is offered is genuine and may not run here', () => {
  const codes = Object.keys(ERRORS) as ErrorCode[];
  const denied = codes.filter((reason) => exitOf({ outcome: 'refused', reason }) === 3);
  expect(denied).toEqual(
    codes.filter(
      (code) =>
        code === 'WAYBILL_APPROVALS' ||
        code === 'CHANNEL_HELD' ||
        ['EVIDENCE_', 'HARDWARE_', 'RELEASE_', 'SITE_'].some((start) => code.startsWith(start)),
    ),
  );
  for (const reason of codes.filter((code) => !denied.includes(code))) expect(exitOf({ outcome: 'refused', reason })).toBe(4);
  expect(exitOf({ outcome: 'refused', reason: null })).toBe(4);
});
