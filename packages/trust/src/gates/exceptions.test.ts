/** An exception lets through exactly one gate of one release into one stage, when enough people say so, in time and not too often. */
import { expect, test } from 'vitest';
import type { Digest } from '@sealane/core';
import { type ExceptionPredicate, exceptionStatement } from '../evidence/predicates/exception.js';
import { decisionStatement } from '../evidence/predicates/decision.js';
import type { PolicyExceptionRule } from '../policy/policy.js';
import { digestOf, gate, GateLane, junit, POLICY, RELEASE } from '../testing/gate-lane.js';

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
