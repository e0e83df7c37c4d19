import { type Check, type Digest, digestFromHex, SiteError } from '@sealane/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { effectsOf } from './effects.js';
import { INITIAL_STATE, type SiteEvent, type SiteState, type Target } from './state.js';
import { fold, step } from './step.js';

const digest = (letter: string): Digest => digestFromHex(letter.repeat(64));
const target = (letter: string, cause: Target['cause'] = 'update'): Target => ({
  release: digest(letter),
  name: 'svc',
  version: letter,
  waybill: digest('e'),
  counter: 1,
  cause,
});
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

test('a reboot in probation leaves nothing running: the release is switched to again, and that is one more attempt', () => {
  const events: readonly SiteEvent[] = [...install('a', 1).slice(0, 4), { is: 'switching' }];
  const state = events.reduce((before, event) => step(before, event).state, INITIAL_STATE);
  expect(state.phase).toMatchObject({ at: 'switching', target: { release: digest('a') }, attempt: 2 });
  expect(step(state, { is: 'probation', began }).state.phase).toMatchObject({ at: 'probation', attempt: 2 });
});

test('walks an update to idle, asking for one thing at a time', () => {
  let state: SiteState = INITIAL_STATE;
  const asked: string[] = [];
  for (const event of install('a', 1)) {
    const next = step(state, event);
    asked.push(next.effects.map((effect) => effect.do).join());
    state = next.state;
  }
  expect(asked).toEqual(['stage', 'intend', 'switch', 'watch', 'queue-receipt', '']);
  expect(state).toMatchObject({
    phase: { at: 'idle' },
    current: { release: digest('a') },
    previous: null,
    owed: null,
    receipts: { seq: 1 },
  });
});

test('keeps the release before as previous, and no more slots than it may', () => {
  const state = fold(INITIAL_STATE, [...install('a', 1), ...install('b', 2), ...install('c', 3)]);
  expect(state).toMatchObject({
    current: { version: 'c' },
    previous: { version: 'b' },
    committed: [digest('a'), digest('b'), digest('c')],
  });
  expect(state.kept).toHaveLength(1);
});

test('denies a release that failed its health, and leaves what ran before as current', () => {
  const state = fold(INITIAL_STATE, [...install('a', 1), ...fail('b', 2)]);
  expect(state).toMatchObject({
    phase: { at: 'idle' },
    current: { version: 'a' },
    denied: [{ release: digest('b'), reason: 'HEALTH_FAILED' }],
  });
  expect(state.committed).toEqual([digest('a')]);
});

test('owes one receipt that says why before anything else is done', () => {
  const state = fold(INITIAL_STATE, [...install('a', 1), ...fail('b', 2).slice(0, -1)]);
  expect(effectsOf(state)).toMatchObject([
    { do: 'queue-receipt', seq: 2, owed: { event: 'rolled-back', release: digest('b'), previous: digest('a'), reason: 'HEALTH_FAILED' } },
  ]);
  expect(codeOf(() => step(state, { is: 'admitted', target: target('c') }))).toBe('STATE_CORRUPT');
});

test('gone back past what ran before, its receipt says what runs and what barred it; a release that was revoked is denied for that', () => {
  const bar: Check = { id: 'revoked', verdict: 'fail', expected: 'e', actual: 'a', remedy: 'r', evidence: [], code: 'RELEASE_REVOKED' };
  const before = fold(INITIAL_STATE, [...install('a', 1), ...install('b', 2), ...install('c', 3).slice(0, 4)]);
  const back = (failed: readonly Check[], to: Digest | null): SiteState =>
    fold(before, [
      { is: 'unhealthy', failed },
      { is: 'rolled-back', at: AT, to, barred: [bar] },
    ]);
  expect(back([], digest('a'))).toMatchObject({
    current: { version: 'a', since: AT },
    kept: [{ version: 'b' }],
    owed: { previous: digest('a'), reason: 'HEALTH_FAILED', checks: [bar] },
  });
  const none = back([bar], null);
  expect(none).toMatchObject({ current: null, previous: { version: 'b' }, owed: { previous: null, reason: 'RELEASE_REVOKED' } });
  expect(none.denied).toEqual([{ release: digest('c'), reason: 'RELEASE_REVOKED', at: AT }]);
  expect(
    codeOf(() => back([], digest('9'))),
    'what is not kept',
  ).toBe('STATE_CORRUPT');
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
  const held = fold(INITIAL_STATE, [
    ...install('a', 1),
    ...fail('b', 2).slice(0, 5),
    { is: 'held', code: 'ROLLBACK_FAILED', message: 'm' },
  ]);
  expect(held.phase).toMatchObject({ at: 'held', code: 'ROLLBACK_FAILED', target: { version: 'b' } });
  expect(effectsOf(held)).toEqual([]);
  expect(fold(held, [{ is: 'retried' }]).phase).toMatchObject({ at: 'rolling-back', attempt: 1 });
});

const irreversible: readonly SiteEvent[] = [
  ...install('a', 1),
  { is: 'admitted', target: { ...target('b'), counter: 7, oneWay: ['bmc'] } },
  { is: 'staged' },
  { is: 'switching' },
  { is: 'probation', began },
];

test('parts without a way back come after a healthy probation, with the floor raised before the first is touched', () => {
  const healthy = fold(INITIAL_STATE, irreversible);
  expect(
    codeOf(() => step(healthy, { is: 'committed', at: AT, keep: 2 })),
    'no commit before them',
  ).toBe('STATE_CORRUPT');
  const saving = step(healthy, { is: 'passed' });
  expect(saving).toMatchObject({ state: { oneWayFloor: 0 }, effects: [{ do: 'save' }] });
  expect(step(saving.state, { is: 'unhealthy', failed: [] }).state.phase, 'nothing was touched').toMatchObject({ at: 'rolling-back' });
  const begun = step(saving.state, { is: 'saved' });
  expect(begun).toMatchObject({ state: { oneWayFloor: 7 }, effects: [{ do: 'apply-one-way', attempt: 1 }] });
  expect(step(begun.state, { is: 'retried' }).effects).toMatchObject([{ attempt: 2 }]);
  const settling = step(begun.state, { is: 'applied' });
  expect(settling.effects).toMatchObject([{ do: 'settle' }]);
  const committed = step(settling.state, { is: 'committed', at: AT, keep: 2 }).state;
  expect(committed).toMatchObject({ current: { version: 'b' }, oneWayFloor: 7 });
  expect(committed.current).not.toHaveProperty('oneWay');
});

test('once a part without a way back was begun nothing goes back by itself; a person has it brought in again, or commits', () => {
  const begun = fold(INITIAL_STATE, [...irreversible, { is: 'passed' }, { is: 'saved' }]);
  for (const state of [begun, step(begun, { is: 'applied' }).state])
    for (const event of [{ is: 'unhealthy', failed: [] }, { is: 'switching' }, { is: 'abandoned', why: '' }] as const)
      expect(
        codeOf(() => step(state, event)),
        event.is,
      ).toBe('STATE_CORRUPT');
  const held = step(begun, { is: 'held', code: 'ONE_WAY_FAILED', message: 'm' }).state;
  expect(effectsOf(held)).toEqual([]);
  expect(step(held, { is: 'retried' }).state.phase).toMatchObject({ at: 'one-way', attempt: 1 });
  expect(step(held, { is: 'committed', at: AT, keep: 2 }).state).toMatchObject({ current: { version: 'b' } });
});

test('a refusal lays nothing down, owes a receipt, and is remembered', () => {
  const refused: SiteEvent = { is: 'refused', code: 'WAYBILL_APPROVALS', release: digest('b'), waybill: digest('e'), checks: [], at: AT };
  const state = fold(INITIAL_STATE, [...install('a', 1), refused]);
  expect(state).toMatchObject({
    phase: { at: 'idle' },
    current: { version: 'a' },
    owed: { event: 'refused', reason: 'WAYBILL_APPROVALS' },
    refused: { release: digest('b') },
  });
});

const letters = fc.constantFrom('a', 'b', 'c');

/** Any event in any order, as a damaged journal or a fault of the shell might bring them. */
const anyEvent: fc.Arbitrary<SiteEvent> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(letters, fc.constantFrom<Target['cause']>('update', 'rollback'))
      .map(([letter, cause]): SiteEvent => ({ is: 'admitted', target: target(letter, cause) })),
  },
  {
    weight: 8,
    arbitrary: fc.constantFrom<SiteEvent>(
      { is: 'staged' },
      { is: 'switching' },
      { is: 'probation', began },
      { is: 'passed' },
      { is: 'saved' },
      { is: 'applied' },
      { is: 'committed', at: AT, keep: 2 },
      { is: 'unhealthy', failed: [] },
      { is: 'rolled-back', at: AT },
    ),
  },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 12 }).map((seq): SiteEvent => ({ is: 'receipt-queued', seq, digest: digest('f') })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<SiteEvent>(
      { is: 'held', code: 'ROLLBACK_FAILED', message: '' },
      { is: 'retried' },
      { is: 'abandoned', why: '' },
      { is: 'accepted' },
      { is: 'stopped' },
      { is: 'started' },
    ),
  },
  {
    weight: 1,
    arbitrary: letters.map((letter): SiteEvent => ({
      is: 'refused',
      code: 'CONTENT_DIGEST',
      release: digest(letter),
      waybill: null,
      checks: [],
      at: AT,
    })),
  },
);

/** Most often what the state asks for comes about, so that runs get far; at times anything else. */
function answerTo(state: SiteState, is: 'well' | 'badly'): SiteEvent | undefined {
  const [effect] = effectsOf(state);
  switch (effect?.do) {
    case 'queue-receipt':
      return { is: 'receipt-queued', seq: state.receipts.seq + 1, digest: digest('f') };
    case 'stage':
      return { is: 'staged' };
    case 'intend':
      return { is: 'switching' };
    case 'switch':
      return { is: 'probation', began };
    case 'watch':
      return is === 'well' ? { is: 'committed', at: AT, keep: 2 } : { is: 'unhealthy', failed: [] };
    case 'go-back':
      return { is: 'rolled-back', at: AT };
    default:
      return undefined;
  }
}

/** Runs the machine; calls `see` for every step that it took. */
function walk(
  choices: readonly (SiteEvent | 'well' | 'badly')[],
  see: (before: SiteState, event: SiteEvent, after: SiteState) => void,
): SiteState {
  let state: SiteState = INITIAL_STATE;
  for (const choice of choices) {
    const event = choice === 'well' || choice === 'badly' ? answerTo(state, choice) : choice;
    if (event === undefined) continue;
    const before = state;
    try {
      state = step(state, event).state;
    } catch (error) {
      expect(error).toMatchObject({ code: 'STATE_CORRUPT' });
      continue;
    }
    see(before, event, state);
  }
  return state;
}

const choices = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.constant('well' as const) },
    { weight: 4, arbitrary: fc.constant('badly' as const) },
    { weight: 4, arbitrary: anyEvent },
  ),
  { minLength: 10, maxLength: 80, size: 'max' },
);

test('no order of events makes current what was not admitted, staged, switched to and watched, in this order', () => {
  let commits = 0;
  fc.assert(
    fc.property(choices, (events) => {
      const trail: string[] = [];
      walk(events, (before, event, after) => {
        trail.push(event.is === 'admitted' ? `admitted ${event.target.release}` : event.is);
        if (after.current === before.current) return;
        commits += 1;
        const way = trail
          .slice(trail.findLastIndex((word) => word.startsWith('admitted')))
          .filter((word) => ['staged', 'switching', 'probation', 'committed'].includes(word) || word.startsWith('admitted'));
        expect([...new Set(way)]).toEqual([`admitted ${after.current?.release ?? ''}`, 'staged', 'switching', 'probation', 'committed']);
      });
    }),
    { numRuns: 300 },
  );
  // the property says something only where releases were committed
  expect(commits).toBeGreaterThan(50);
});

test('no order of events tries a release again that failed here, unless a person allows it or goes back to it', () => {
  let failures = 0;
  fc.assert(
    fc.property(choices, (events) => {
      const failed = new Set<Digest>();
      walk(events, (before, event) => {
        if (event.is === 'rolled-back' && 'target' in before.phase && before.phase.target !== null) {
          failed.add(before.phase.target.release);
          failures += 1;
        }
        if (event.is === 'committed' && 'target' in before.phase && before.phase.target !== null)
          failed.delete(before.phase.target.release);
        if (event.is === 'admitted' && event.target.cause === 'update') expect(failed).not.toContain(event.target.release);
      });
    }),
    { numRuns: 300 },
  );
  expect(failures).toBeGreaterThan(50);
});

test('no order of events owes two receipts at once, skips a number, or keeps what is not plain data', () => {
  fc.assert(
    fc.property(choices, (events) => {
      const end = walk(events, (before, event, after) => {
        expect(after.receipts.seq - before.receipts.seq).toBe(event.is === 'receipt-queued' ? 1 : 0);
        if (before.owed !== null && after.owed !== before.owed) expect(after.owed).toBeNull();
        expect(effectsOf(after).length).toBeLessThanOrEqual(1);
        expect(after.kept.map(({ release }) => release)).not.toContain(after.current?.release);
      });
      expect(JSON.parse(JSON.stringify(end))).toEqual(end);
    }),
    { numRuns: 100 },
  );
});

test('of too many exceptions the oldest is given up as used: taken in again it would have all its uses back', () => {
  const role = { person: 'carol', verbs: ['stop'] };
  const taken = (number: number): SiteEvent => {
    const exception = {
      kind: 'local-role' as const,
      release: digest('a'),
      role,
      uses: 2,
      reason: 'x',
      by: ['alice'],
      statements: [digest('b')],
    };
    return { is: 'exception-taken', exception: { ...exception, nonce: String(number), expiresAt: AT, bundles: [] } };
  };
  const sixteen = fold(
    INITIAL_STATE,
    Array.from({ length: 16 }, (_, number) => taken(number)),
  );
  expect([sixteen.taken.length, sixteen.spent]).toEqual([16, []]);
  const more = fold(sixteen, [taken(16)]);
  expect([more.taken.map(({ nonce }) => nonce).slice(0, 2), more.spent]).toEqual([['1', '2'], ['0']]);
});
