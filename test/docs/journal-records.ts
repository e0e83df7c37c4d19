/** One life of a site with every record that this version writes: what its journal is shown by. */
import { type Check, type Digest, digestFromHex } from '@sealane/core';
import type { SiteEvent, SiteState, Target } from '../../packages/site/src/apply/state.js';
import { INITIAL_STATE } from '../../packages/site/src/apply/state.js';
import { fold } from '../../packages/site/src/apply/step.js';

const digest = (letter: string): Digest => digestFromHex(letter.repeat(64));
const AT = '2026-11-24T10:00:00Z';
const EXPIRES = '2026-12-24T10:00:00Z';
const BEGAN = { bootId: '6f0c1e5e-4b1c-4a53-8a1e-0a2f5e1f7c11', uptimeSeconds: 812 };
const SECRET = { name: 'db-password', version: 1, statement: digest('1'), blob: digest('2') };
const FAILED: Check = {
  id: 'health-http',
  verdict: 'fail',
  expected: 'GET http://127.0.0.1:8080/health answers 2xx within 1000 ms',
  actual: 'it answers 503',
  remedy: 'read state/logs/workload.log; promote a mended release',
  evidence: [],
  code: 'HEALTH_FAILED',
};

const grant = { release: digest('a'), nonce: '3'.repeat(32), expiresAt: EXPIRES, reason: 'night shift', by: ['alice', 'bob'] };

const target = (letter: string, more: Partial<Target> = {}): Target => ({
  release: digest(letter),
  name: 'readings',
  version: `1.0.${letter.charCodeAt(0)}`,
  waybill: digest('e'),
  counter: letter.charCodeAt(0),
  cause: 'update',
  began: BEGAN,
  ...more,
});

let receipts = 0;
const receipt = (): SiteEvent => ({ is: 'receipt-queued', seq: (receipts += 1), digest: digest('f') });
const running = (of: Target): readonly SiteEvent[] => [
  { is: 'admitted', target: of },
  { is: 'staged' },
  { is: 'switching' },
  { is: 'probation', began: BEGAN },
];

/** A site that was another one before: retired, wiped, and enrolled anew. */
const BEFORE: readonly SiteEvent[] = [
  { is: 'retiring', retirement: { statement: digest('9'), keyId: '8'.repeat(64), reason: 'the berth is closed' }, at: AT },
  receipt(),
  { is: 'wiped' },
  { is: 'enrolled' },
];

function life(): readonly SiteEvent[] {
  receipts = 0;
  const rendered = { rendered: digest('4'), secrets: [{ name: 'db-password', version: 1 }] };
  return [
    { is: 'hold', hold: { reason: 'crane works', at: AT, until: EXPIRES } },
    { is: 'unhold' },
    { is: 'secret-taken', secret: SECRET },
    {
      is: 'exception-taken',
      exception: {
        ...grant,
        kind: 'local-role',
        role: { person: 'carol', verbs: ['stop', 'start'] },
        uses: 2,
        statements: [digest('5')],
        bundles: [{}],
      },
    },
    { is: 'role-used', nonce: grant.nonce, person: 'carol', verb: 'stop', at: AT },
    receipt(),
    ...running(target('a', rendered)),
    { is: 'committed', at: AT, keep: 2, seconds: 3 },
    receipt(),
    { is: 'receipts-sent', seq: 0, carried: { seq: 2, at: AT, days: 1 } },
    { is: 'receipts-sent', seq: 2 },
    { is: 'stopped' },
    { is: 'started' },
    { is: 'drained', reason: 'maintenance' },
    { is: 'rejoined' },
    { is: 'admitted', target: target('b') },
    { is: 'abandoned', why: 'it is not wanted any more' },
    ...running(target('b', { oneWay: ['firmware'] })),
    { is: 'passed' },
    { is: 'saved' },
    { is: 'applied' },
    { is: 'committed', at: AT, keep: 2, seconds: 9 },
    receipt(),
    ...running(target('c')),
    { is: 'passed', slot: '7'.repeat(64) },
    { is: 'retried' },
    { is: 'unhealthy', failed: [FAILED], began: BEGAN },
    { is: 'rolled-back', at: AT, seconds: 4 },
    receipt(),
    { is: 'allowed', release: digest('c') },
    { is: 'refused', code: 'WAYBILL_APPROVALS', release: digest('d'), waybill: digest('e'), checks: [FAILED], at: AT },
    receipt(),
    { is: 'accepted' },
    {
      is: 'summing-up',
      summary: {
        runs: [{ from: 3, to: 5, prev: digest('f'), last: digest('f') }],
        count: 1,
        since: AT,
        until: AT,
        refused: [{ reason: 'WAYBILL_APPROVALS', release: digest('d'), count: 1 }],
        others: 0,
      },
      at: AT,
    },
    receipt(),
    ...running(target('d')),
    { is: 'unhealthy', failed: [FAILED] },
    { is: 'held', code: 'ROLLBACK_FAILED', message: 'readings 1.0.98 did not come up either' },
  ];
}

/** All of it: the site of before, this one, and what compacting makes of it, after which it goes on. */
export function everyRecord(): readonly SiteEvent[] {
  const events = [...BEFORE, ...life()];
  const state: SiteState = fold(INITIAL_STATE, events);
  return [...events, { is: 'snapshot', state }, { is: 'retried' }];
}

/** Every kind of record there is. */
export const KINDS: Readonly<Record<SiteEvent['is'], true>> = {
  admitted: true,
  staged: true,
  abandoned: true,
  switching: true,
  probation: true,
  passed: true,
  saved: true,
  applied: true,
  committed: true,
  unhealthy: true,
  'rolled-back': true,
  held: true,
  retried: true,
  refused: true,
  accepted: true,
  'receipt-queued': true,
  'receipts-sent': true,
  'summing-up': true,
  hold: true,
  unhold: true,
  allowed: true,
  'exception-taken': true,
  'role-used': true,
  'secret-taken': true,
  stopped: true,
  started: true,
  drained: true,
  rejoined: true,
  retiring: true,
  wiped: true,
  enrolled: true,
  snapshot: true,
};
