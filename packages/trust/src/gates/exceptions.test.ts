/** An exception lets through exactly one gate of one release into one stage, when enough people say so, in time and not too often. */
import { describe, expect, test } from 'vitest';
import { type Check, type Digest, foundHardware, PREDICATE } from '@sealane/core';
import { type ExceptionPredicate, exceptionStatement } from '../evidence/predicates/exception.js';
import { decisionStatement } from '../evidence/predicates/decision.js';
import type { PolicyExceptionRule } from '../policy/policy-types.js';
import { refusedExceptions } from './exceptions.js';
import type { FleetSite } from './gate.js';
import { evaluateGates, GATES } from './index.js';
import { settingsDigest } from './which-gate.js';
import { windowsGate } from './windows.js';
import { hbom, junit } from '../testing/gate-documents.js';
import { digestOf, gate, GateLane, keyOf, POLICY, RELEASE } from '../testing/gate-lane.js';

const RULE: PolicyExceptionRule = { kind: 'gate', people: ['alice', 'bob'], need: 2, maxDays: 3, maxUses: 2 };
const TERMS: ExceptionPredicate = {
  kind: 'gate',
  release: RELEASE,
  stage: 'prod',
  gate: 'tests',
  uses: 1,
  reason: 'fixes an outage',
  nonce: '0'.repeat(32),
  issuedAt: '2026-11-24T09:00:00Z',
  expiresAt: '2026-11-25T09:00:00Z',
};

/** A lane whose tests failed, with approvals behind them. */
function lane(rule: Partial<PolicyExceptionRule> = {}): GateLane {
  const it = new GateLane(gate('tests'), gate('approvals', { count: 1 }));
  it.policy = { ...it.policy, exceptions: [{ ...RULE, ...rule }] };
  it.tests(junit(2, 1));
  return it;
}

/** Everybody signs the terms as changed; each in words of their own. */
function grant(it: GateLane, change: Partial<ExceptionPredicate> = {}, ...keys: readonly string[]): readonly Digest[] {
  const signers = keys.length === 0 ? ['alice', 'bob'] : keys;
  return signers.map((key) => it.log(exceptionStatement({ ...TERMS, ...change, reason: `${key} says so` }), { key }));
}

test('a failing gate passes, says by whom and why, and names what it failed for and their statements', () => {
  const it = lane();
  const before = it.check('tests');
  expect(before.verdict).toBe('fail');
  const signatures = grant(it);
  const check = it.check('tests');
  expect(check).toMatchObject({
    verdict: 'pass',
    actual: `let through by alice, bob until 2026-11-25T09:00:00Z: alice says so; without that: ${before.actual}`,
  });
  expect(check.evidence).toEqual([...before.evidence, ...signatures].sort());
});

test('who approves must have seen it, also of a gate that reads no evidence', () => {
  const soaking = new GateLane(gate('soak', { hours: 48 }), gate('approvals', { count: 1 }));
  soaking.policy = { ...soaking.policy, exceptions: [RULE] };
  soaking.approve('carol');
  expect([soaking.check('soak').verdict, soaking.check('approvals').verdict]).toEqual(['pending', 'pass']);
  grant(soaking, { gate: 'soak' });
  expect([soaking.check('soak').verdict, soaking.check('approvals').verdict]).toEqual(['pass', 'pending']);
});

test('who approves must have seen what lets through a gate that reads evidence', () => {
  const it = lane();
  it.approve('carol');
  grant(it);
  expect(it.check('approvals').verdict).toBe('pending');
  it.approve('carol');
  expect(it.check('approvals').verdict).toBe('pass');
});

const OTHERS: Readonly<Record<string, (it: GateLane) => void>> = {
  'one person of two': (it) => grant(it, {}, 'alice'),
  'one person with two keys': (it) => grant(it, {}, 'alice', 'alice2'),
  'people whom policy does not name for it': (it) => grant(it, {}, 'alice', 'carol'),
  'a stage’s online key': (it) => grant(it, {}, 'alice', 'prod'),
  'terms of a day to come': (it) => grant(it, { issuedAt: '2027-11-24T09:00:00Z', expiresAt: '2027-11-25T09:00:00Z' }),
  'another release': (it) => grant(it, { release: digestOf('other') }),
  'another stage': (it) => grant(it, { stage: 'dev' }),
  'another gate': (it) => grant(it, { gate: 'hardware' }),
  'longer than policy allows': (it) => grant(it, { expiresAt: '2026-11-27T09:00:01Z' }),
  'more uses than policy allows': (it) => grant(it, { uses: 3 }),
  'a time that is over': (it) => grant(it, { expiresAt: '2026-11-24T10:00:00Z' }),
  'terms that differ between the two': (it) => [...grant(it, {}, 'alice'), ...grant(it, { uses: 2 }, 'bob')],
};

test.each(Object.keys(OTHERS))('an exception by or for %s lets nothing through', (name) => {
  const it = lane();
  OTHERS[name]!(it);
  expect(it.check('tests').verdict).toBe('fail');
});

test('an exception that was logged for a day to come lets nothing through on that day', () => {
  const it = lane();
  grant(it, { issuedAt: '2026-12-24T09:00:00Z', expiresAt: '2026-12-25T09:00:00Z' });
  it.time = { lowest: '2026-12-24T10:00:00Z', highest: '2026-12-24T10:00:00Z' };
  expect(it.check('tests').verdict).toBe('fail');
});

test('a policy without exceptions has none', () => {
  const it = lane();
  const { exceptions: _, ...policy } = it.policy;
  it.policy = policy;
  grant(it);
  expect(it.check('tests').verdict).toBe('fail');
});

test('neither the order of stages nor approvals nor a gate that cannot be judged are let through', () => {
  const it = lane();
  it.policy = { ...it.policy, gates: [gate('invented'), gate('approvals', { count: 1 })] };
  for (const id of ['invented', 'approvals', 'stage-order']) grant(it, { gate: id });
  expect([it.check('invented').verdict, it.check('approvals').verdict]).toEqual(['error', 'pending']);
  it.statements.splice(1, 2);
  expect(it.check('stage-order').verdict).toBe('fail');
});

test('a use is a decision: a retry of the same is none, another group’s is', () => {
  const it = lane();
  const [signature] = grant(it, { uses: 1 });
  const used = (rollout: readonly string[]): void => {
    const check = { id: 'tests', verdict: 'pass', expected: '', actual: '', remedy: '', evidence: [signature!] } as const;
    const promotion = { counter: 1, from: 'edge-preprod', to: 'prod', rollout, approvals: [], checks: [check], release: RELEASE };
    const fields = { origin: 'lane.example', stage: 'prod', timeVerified: '2026-11-24T09:30:00Z', policy: POLICY, inputs: [] } as const;
    it.log(decisionStatement({ ...fields, result: 'PASSED', promotion }), { key: 'prod' });
  };
  used(['all']);
  expect(it.check('tests').verdict).toBe('pass');
  used(['canary']);
  expect(it.check('tests').verdict).toBe('fail');
});

describe('a stage with several gates of one name', () => {
  const [smoke, soak] = [gate('tests', { suites: ['smoke'] }), gate('tests', { suites: ['soak'] })];
  function several(...gates: readonly ReturnType<typeof gate>[]): GateLane {
    const it = lane();
    it.policy = { ...it.policy, gates: [...gates, gate('approvals', { count: 1 })] };
    return it;
  }
  const verdicts = (it: GateLane): readonly string[] =>
    evaluateGates(it.input())
      .filter(({ id }) => id === 'tests')
      .map(({ verdict }) => verdict);

  test('the name alone lets none of them through', () => {
    const it = several(smoke, soak);
    grant(it);
    expect(verdicts(it)).toEqual(['fail', 'fail']);
  });

  test('settings let through the one that has them, wherever it stands', () => {
    for (const [gates, expected] of [
      [
        [smoke, soak],
        ['fail', 'pass'],
      ],
      [
        [soak, smoke],
        ['pass', 'fail'],
      ],
      [[soak], ['pass']],
      [[smoke], ['fail']],
    ] as const) {
      const it = several(...gates);
      grant(it, { settings: settingsDigest(soak) });
      expect(verdicts(it)).toEqual(expected);
    }
  });

  test('a site tells them apart by what the owners signed, whatever it tightens or leaves out itself', () => {
    const it = several(smoke, soak);
    grant(it, { settings: settingsDigest(soak) });
    const tightened = [smoke, gate('tests', { suites: ['soak'], minPassed: 2 })];
    const atSite = (signedGates: readonly ReturnType<typeof gate>[]): readonly string[] =>
      evaluateGates({ ...it.input(), policy: { ...it.policy, gates: tightened }, signedGates })
        .filter(({ id }) => id === 'tests')
        .map(({ verdict }) => verdict);
    expect(atSite([smoke, gate('cel'), soak])).toEqual(['fail', 'pass']);
    expect(atSite([soak, smoke])).toEqual(['pass', 'fail']);
    expect(atSite([soak])).toEqual(['pass', 'fail']);
  });

  test('windows are told apart too, by the promoter and by a site that reads its verdict', () => {
    const [early, late] = [8, 20].map((hour) =>
      gate('windows', { timeZone: 'UTC', allow: [{ start: `2026-11-25T${String(hour).padStart(2, '0')}:00`, hours: 1 }] }),
    );
    const it = several(early!, late!);
    it.policy = { ...it.policy, exceptions: [{ ...RULE, kind: 'window', need: 1 }] };
    const windows = (): readonly Check[] => evaluateGates(it.input(), [...GATES, windowsGate]).filter(({ id }) => id === 'windows');
    grantKind(it, {}, 'alice');
    expect(windows().map(({ verdict }) => verdict)).toEqual(['pending', 'pending']);
    const [signature] = grantKind(it, { settings: settingsDigest(late!), nonce: '3'.repeat(32) }, 'alice');
    expect(windows().map(({ verdict }) => verdict)).toEqual(['pending', 'pass']);
    const resting = (...rests: readonly boolean[]): number =>
      refusedExceptions(
        { ...it.input(), policy: { ...it.policy, gates: [] }, signedGates: it.policy.gates },
        rests.map((does) => ({ id: 'windows', evidence: does ? [signature!] : [] })),
      ).length;
    expect([resting(false, true), resting(true, false), resting(true, true), resting(true)]).toEqual([0, 1, 1, 1]);
  });

  test('settings are of no other kind', () => {
    const settings = settingsDigest(soak);
    expect(() => exceptionStatement({ ...TERMS, kind: 'hardware', sites: ['a'], settings })).toThrow();
    const terms = { ...TERMS, settings };
    const { gate: _gate, ...hardware } = terms;
    expect(() => exceptionStatement({ ...hardware, kind: 'hardware', sites: ['a'] })).toThrow(
      expect.objectContaining({ code: 'TRUST_MALFORMED', message: expect.stringContaining('without settings') as string }),
    );
  });
});

describe('whose hands the release went through', () => {
  const owned = (it: GateLane, key: string): void => {
    const people = it.policy.people.map((person) => (person.id === 'alice' ? { ...person, keys: [...person.keys, keyOf(key)] } : person));
    it.policy = { ...it.policy, people };
  };

  test.each(['author', 'lab', 'dev'])('lets nothing through: who holds the key of %s is not one of the two', (key) => {
    const it = lane();
    owned(it, key);
    grant(it);
    expect(it.check('tests').verdict).toBe('fail');
    grant(it, { nonce: '1'.repeat(32) }, 'alice', key, 'bob');
    expect(it.check('tests').verdict).toBe('fail');
  });

  test('is asked only as far as approvals of the stage ask it', () => {
    const it = lane();
    owned(it, 'author');
    grant(it);
    const asking = (...distinctFrom: readonly string[]): string => {
      it.policy = { ...it.policy, gates: [gate('tests'), gate('approvals', { count: 1, distinctFrom })] };
      return it.check('tests').verdict;
    };
    expect([asking(), asking('tester'), asking('author')]).toEqual(['pass', 'pass', 'fail']);
    it.policy = { ...it.policy, gates: [gate('tests')] };
    expect(it.check('tests').verdict).toBe('fail');
  });

  test('must be known', () => {
    const it = lane();
    grant(it);
    it.policy = { ...it.policy, signers: { ...it.policy.signers, release: [keyOf('carol')] } };
    expect(it.check('tests').verdict).toBe('fail');
  });
});

const NO_GATE = { kind: 'window', release: RELEASE, stage: 'prod', uses: 1 } as const;

/** Terms of a kind that is bound to no gate. */
function grantKind(it: GateLane, terms: Partial<ExceptionPredicate>, ...keys: readonly string[]): readonly Digest[] {
  const { gate: _gate, ...rest } = TERMS;
  return keys.map((key) => it.log(exceptionStatement({ ...rest, ...NO_GATE, ...terms, reason: `${key} says so` }), { key }));
}

describe('kind hardware', () => {
  const RULES: readonly PolicyExceptionRule[] = [{ ...RULE, kind: 'hardware', need: 1, maxUses: 1 }];

  function uncovered(): GateLane {
    const it = new GateLane(gate('hardware', { unknown: 'refuse' }), gate('approvals', { count: 1 }));
    it.policy = { ...it.policy, exceptions: RULES };
    it.tests(junit(1), { hardware: hbom() });
    const other = (site: string): FleetSite => ({
      site,
      hardware: foundHardware(hbom({ model: 'ER-999' })),
      reportedAt: '2026-11-24T09:00:00Z',
    });
    it.fleet = [{ ...other('known'), hardware: foundHardware(hbom()) }, other('odd-1'), other('odd-2')];
    return it;
  }

  test('lets through the sites that it names, and no other', () => {
    const it = uncovered();
    grantKind(it, { kind: 'hardware', sites: ['odd-1'] }, 'alice');
    expect(it.check('hardware')).toMatchObject({ verdict: 'fail', actual: expect.stringContaining('odd-2 is uncovered') as string });
    const [both] = grantKind(it, { kind: 'hardware', sites: ['odd-1', 'odd-2'], nonce: '1'.repeat(32) }, 'bob');
    const check = it.check('hardware');
    expect(check).toMatchObject({ verdict: 'pass', actual: expect.stringContaining('let through by') as string });
    expect(check.evidence).toContain(both);
  });

  test.each<[string, Partial<ExceptionPredicate>, string]>([
    ['of another release', { release: digestOf('other') }, 'alice'],
    ['of another stage', { stage: 'dev' }, 'alice'],
    ['that has expired', { expiresAt: '2026-11-24T10:00:00Z' }, 'alice'],
    ['by somebody whom policy does not name for it', {}, 'carol'],
    ['by the stage', {}, 'prod'],
  ])('one %s lets nothing through', (_, change, key) => {
    const it = uncovered();
    grantKind(it, { kind: 'hardware', sites: ['odd-1', 'odd-2'], ...change }, key);
    expect(it.check('hardware')).toMatchObject({ verdict: 'fail' });
  });

  test('nothing tested at all is not let through: there is no site that is as good as another', () => {
    const it = uncovered();
    it.statements.splice(
      it.statements.findIndex(({ statement }) => statement.predicateType === PREDICATE.testResult),
      1,
    );
    grantKind(it, { kind: 'hardware', sites: ['known', 'odd-1', 'odd-2'] }, 'alice');
    expect(it.check('hardware')).toMatchObject({ verdict: 'fail' });
  });
});

describe('kind window', () => {
  const closed = { timeZone: 'UTC', allow: [{ start: '2026-11-25T08:00', hours: 1 }] };

  function waiting(): GateLane {
    const it = new GateLane(gate('windows', closed), gate('tests'));
    it.policy = { ...it.policy, exceptions: [{ ...RULE, kind: 'window', need: 1 }] };
    return it;
  }

  test('lets a closed window through and no other gate', () => {
    const it = waiting();
    expect(it.check('windows', [windowsGate]).verdict).toBe('pending');
    grantKind(it, {}, 'alice');
    expect(it.check('windows', [windowsGate])).toMatchObject({ verdict: 'pass', actual: expect.stringContaining('by alice') as string });
    expect(it.check('tests').verdict).toBe('fail');
  });

  test('a site refuses a verdict that rests on one which does not count there', () => {
    const it = waiting();
    const [good] = grantKind(it, {}, 'alice');
    const [bad] = grantKind(it, { nonce: '2'.repeat(32) }, 'carol');
    const resting = (evidence: readonly (Digest | undefined)[]): readonly Check[] =>
      refusedExceptions(it.input(), [{ id: 'windows', evidence: evidence.flatMap((each) => each ?? []) }]);
    expect(resting([good])).toEqual([]);
    expect(resting([])).toEqual([]);
    it.statements.splice(
      it.statements.findIndex(({ digest }) => digest === good),
      1,
    );
    expect(resting([bad])).toMatchObject([{ id: 'windows', verdict: 'fail', code: 'EXCEPTION_INVALID' }]);
  });
});

test.each<[string, Partial<ExceptionPredicate>]>([
  ['a gate for kind window', { kind: 'window' }],
  ['no site for kind stale', { kind: 'stale' }],
  ['more than one use at a site', { kind: 'rollback', site: { name: 'shop-1', keyId: '0'.repeat(64) }, uses: 2 }],
])('%s is no exception', (_, change) => {
  expect(() => exceptionStatement({ ...TERMS, ...change })).toThrow(expect.objectContaining({ code: 'TRUST_MALFORMED' }));
});
