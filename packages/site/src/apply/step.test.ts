import { type Digest, digestFromHex, SiteError } from '@sealane/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { effectsOf } from './effects.js';
import { INITIAL_STATE, type SiteEvent, type SiteState, type Target } from './state.js';
import { fold, step } from './step.js';

const digest = (letter: string): Digest => digestFromHex(letter.repeat(64));
const target = (letter: string, cause: Target['cause'] = 'update'): Target => ({ release: digest(letter), name: 'svc', version: letter, waybill: digest('e'), counter: 1, cause });
const began = { bootId: 'b', uptimeSeconds: 5 };
const AT = '2026-11-24T10:00:00Z';

const install = (letter: string, seq: number, cause: Target['cause'] = 'update'): readonly SiteEvent[] => [
  { is: 'admitted', target: target(letter, cause) },
  { is: 'staged' },
  { is: 'switching' },
  { is: 'probation', began },
  { is: 'committed', at: AT, keep: 2 },
  { is: 'receipt-queued', seq, digest: digest('f') },
];
const fail = (letter: string, seq: number): readonly SiteEvent[] => [
  ...install(letter, seq).slice(0, 4),
  { is: 'unhealthy', failed: [] },
  { is: 'rolled-back', at: AT },
  { is: 'receipt-queued', seq, digest: digest('f') },
];
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return error instanceof SiteError ? error.code : String(error);
  }
  return 'nothing thrown';
};

test('walks an update to idle, asking for one thing at a time', () => {
  let state: SiteState = INITIAL_STATE;
  const asked: string[] = [];
  for (const event of install('a', 1)) {
    const next = step(state, event);
    asked.push(next.effects.map((effect) => effect.do).join());
    state = next.state;
  }
  expect(asked).toEqual(['stage', 'intend', 'switch', 'watch', 'queue-receipt', '']);
  expect(state).toMatchObject({ phase: { at: 'idle' }, current: { release: digest('a') }, previous: null, owed: null, receipts: { seq: 1 } });
});

test('keeps the release before as previous, and no more slots than it may', () => {
  const state = fold(INITIAL_STATE, [...install('a', 1), ...install('b', 2), ...install('c', 3)]);
  expect(state).toMatchObject({ current: { version: 'c' }, previous: { version: 'b' }, committed: [digest('a'), digest('b'), digest('c')] });
  expect(state.kept).toHaveLength(1);
});

test('denies a release that failed its health, and leaves what ran before as current', () => {
  const state = fold(INITIAL_STATE, [...install('a', 1), ...fail('b', 2)]);
  expect(state).toMatchObject({ phase: { at: 'idle' }, current: { version: 'a' }, denied: [{ release: digest('b'), reason: 'HEALTH_FAILED' }] });
  expect(state.committed).toEqual([digest('a')]);
});

test('owes one receipt that says why before anything else is done', () => {
  const state = fold(INITIAL_STATE, [...install('a', 1), ...fail('b', 2).slice(0, -1)]);
  expect(effectsOf(state)).toMatchObject([{ do: 'queue-receipt', seq: 2, owed: { event: 'rolled-back', release: digest('b'), previous: digest('a'), reason: 'HEALTH_FAILED' } }]);
  expect(codeOf(() => step(state, { is: 'admitted', target: target('c') }))).toBe('STATE_CORRUPT');
});

test('goes back by hand, and does not take the release it left again by itself', () => {
  const state = fold(INITIAL_STATE, [...install('a', 1), ...install('b', 2), ...install('a', 3, 'rollback')]);
  expect(state).toMatchObject({ current: { version: 'a' }, previous: { version: 'b' }, denied: [{ release: digest('b') }] });
  expect(fold(state, [{ is: 'allowed', release: digest('b') }]).denied).toEqual([]);
});

test('counts attempts at switching and at going back', () => {
  const switching = fold(INITIAL_STATE, [...install('a', 1).slice(0, 3), { is: 'switching' }, { is: 'switching' }]);
  expect(switching.phase).toMatchObject({ at: 'switching', attempt: 3 });
  const back = fold(switching, [{ is: 'unhealthy', failed: [] }, { is: 'retried' }]);
  expect(back.phase).toMatchObject({ at: 'rolling-back', attempt: 2 });
});

test('holds when going back failed, keeps what it was about, and tries again when a person says so', () => {
  const held = fold(INITIAL_STATE, [...install('a', 1), ...fail('b', 2).slice(0, 5), { is: 'held', code: 'ROLLBACK_FAILED', message: 'm' }]);
  expect(held.phase).toMatchObject({ at: 'held', code: 'ROLLBACK_FAILED', target: { version: 'b' } });
  expect(effectsOf(held)).toEqual([]);
  expect(fold(held, [{ is: 'retried' }]).phase).toMatchObject({ at: 'rolling-back', attempt: 1 });
});

test('a refusal lays nothing down, owes a receipt, and is remembered', () => {
  const refused: SiteEvent = { is: 'refused', code: 'WAYBILL_APPROVALS', release: digest('b'), waybill: digest('e'), checks: [], at: AT };
  const state = fold(INITIAL_STATE, [...install('a', 1), refused]);
  expect(state).toMatchObject({ phase: { at: 'idle' }, current: { version: 'a' }, owed: { event: 'refused', reason: 'WAYBILL_APPROVALS' }, refused: { release: digest('b') } });
});

test('takes any events in any order for a next state or for damage, and the state stays plain data with one current release', () => {
  const letters = fc.constantFrom('a', 'b', 'c');
  const event: fc.Arbitrary<SiteEvent> = fc.oneof(
    letters.map((letter): SiteEvent => ({ is: 'admitted', target: target(letter) })),
    fc.constantFrom<SiteEvent>(
      { is: 'staged' },
      { is: 'switching' },
      { is: 'probation', began },
      { is: 'committed', at: AT, keep: 2 },
      { is: 'unhealthy', failed: [] },
      { is: 'rolled-back', at: AT },
      { is: 'held', code: 'ROLLBACK_FAILED', message: '' },
      { is: 'retried' },
      { is: 'receipt-queued', seq: 1, digest: digest('f') },
      { is: 'abandoned', why: '' },
    ),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      let state: SiteState = INITIAL_STATE;
      for (const one of events) {
        const before = state;
        try {
          state = step(state, one).state;
        } catch (error) {
          expect(error).toMatchObject({ code: 'STATE_CORRUPT' });
        }
        // only a commit changes what is current, and only probation commits
        if (state.current !== before.current) expect(before.phase.at).toBe('probation');
        expect(effectsOf(state).length).toBeLessThanOrEqual(1);
      }
      expect(JSON.parse(JSON.stringify(state))).toEqual(state);
    }),
  );
});
