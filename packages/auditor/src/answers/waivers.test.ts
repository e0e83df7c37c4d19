/** A use of an exception is an open debt until somebody else than its granter has looked at it, and nobody can before it is in the log. */
import { type Digest } from '@sealane/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { exceptionStatement } from '../../../trust/src/evidence/predicates/exception.js';
import { reviewStatement } from '../../../trust/src/evidence/predicates/review.js';
import { saltOf, TIMES } from '../../../trust/src/testing/statement-lane.js';
import { LedgerLane } from '../testing/ledger-lane.js';
import { waivers } from './waivers.js';

type Step = 'use' | 'refused' | 'bob reviews' | 'alice reviews';

let lane: LedgerLane;

beforeEach(() => {
  lane = new LedgerLane();
  lane.evidence();
  lane.earlierStages();
});

afterEach(async () => {
  await lane.close();
});

/** Alice grants a window for prod. */
function grant(): Digest {
  const terms = { kind: 'window', release: lane.release, stage: 'prod', uses: 2, reason: 'late', nonce: saltOf(7) } as const;
  return lane.sign(exceptionStatement({ ...terms, issuedAt: TIMES.evidence, expiresAt: '2026-12-01T00:00:00Z' }), lane.people.alice);
}

function decide(granted: Digest, counter: number, result: 'PASSED' | 'FAILED'): void {
  const check = { id: 'windows', verdict: 'pass', expected: '', actual: '', remedy: '', evidence: [granted] } as const;
  lane.decide('prod', 'edge-preprod', { counter: result === 'PASSED' ? counter : null, checks: [check], fields: { result } });
}

function tell(granted: Digest, steps: readonly Step[]): void {
  for (const [at, step] of steps.entries()) {
    const review = { exception: granted, reason: 'seen', issuedAt: TIMES.evidence, salt: saltOf(100 + at) };
    if (step === 'use' || step === 'refused') decide(granted, at + 1, step === 'use' ? 'PASSED' : 'FAILED');
    else lane.sign(reviewStatement(review), lane.people[step === 'bob reviews' ? 'bob' : 'alice']);
  }
}

it.each<readonly [string, readonly Step[], { readonly open: boolean; readonly used: number }]>([
  ['nothing is used', ['bob reviews'], { open: false, used: 0 }],
  ['nobody has looked', ['use'], { open: true, used: 1 }],
  ['the granter has', ['use', 'alice reviews'], { open: true, used: 1 }],
  ['somebody had before it was used', ['bob reviews', 'use'], { open: true, used: 1 }],
  ['somebody else has', ['use', 'bob reviews'], { open: false, used: 1 }],
  ['it was used again since', ['use', 'bob reviews', 'use'], { open: true, used: 2 }],
  ['each use was looked at', ['use', 'bob reviews', 'use', 'bob reviews'], { open: false, used: 2 }],
  ['what it would have let through was refused all the same', ['refused'], { open: false, used: 0 }],
])('where %s', async (_, steps, expected) => {
  const granted = grant();
  tell(granted, steps);
  lane.seal(TIMES.decided);
  const context = await lane.open();
  const [waiver, ...others] = (await waivers(context, {})).answer.waivers;
  expect(others).toEqual([]);
  expect({ open: waiver?.open, used: waiver?.used.length }).toEqual(expected);
  expect((await waivers(context, { openOnly: true })).answer.waivers).toHaveLength(Number(expected.open));
});
