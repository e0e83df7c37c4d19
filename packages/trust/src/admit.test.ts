/** Admission as a whole against a hostile mirror (THREATS T9): whatever it serves, the answer is the true one or a refusal, and never a fault. */
import { ERRORS } from '@sealane/core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { admit } from './admit.js';
import type { Admission } from './admission/types.js';
import { AdmitLane } from './testing/admit-lane.js';

let lane: AdmitLane;
let files: ReadonlyMap<string, Uint8Array>;
let names: readonly string[];
let truth: Admission;
beforeAll(async () => {
  lane = await new AdmitLane().passed();
  files = lane.files();
  names = [...files.keys()].sort();
  truth = admit(lane.input());
});

/** Visits the lane with one file served otherwise. */
function visit(name: string, bytes: Uint8Array | undefined): Admission {
  const served = new Map(files);
  if (bytes === undefined) served.delete(name);
  else served.set(name, bytes);
  return admit(lane.input({ files: served }));
}

function expectTruthOrRefusal(answer: Admission): void {
  if (answer.outcome !== 'refused') {
    // a changed file that is not needed changes nothing
    expect(answer).toEqual(truth);
    return;
  }
  const { reason, checks, next } = answer;
  expect(Object.keys(ERRORS)).toContain(reason);
  expect(checks.at(-1)?.verdict).not.toBe('pass');
  // what is kept is what was there, or what was verified: nothing that the mirror made up
  expect([lane.input().trust, truth.next.trust]).toContainEqual(next.trust);
  expect([null, lane.checkpoint]).toContain(next.seenCheckpoint);
}

describe('a mirror that lies', () => {
  it('about nothing: the release is admitted', () => {
    expect(truth).toMatchObject({ outcome: 'admitted', release: lane.release });
  });

  it('by withholding any one file', () => {
    for (const name of names) expectTruthOrRefusal(visit(name, undefined));
  });

  it('by flipping any byte of any file', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), (pick, at, mask) => {
        const name = names[pick % names.length] ?? '';
        const bytes = files.get(name) ?? new Uint8Array();
        const bent = bytes.map((byte, index) => (index === at % bytes.length ? byte ^ mask : byte));
        expectTruthOrRefusal(visit(name, bent));
      }),
      { numRuns: 40 },
    );
  });

  it('by serving one file in the place of another, or nonsense', () => {
    fc.assert(
      fc.property(fc.nat(), fc.oneof(fc.nat(), fc.uint8Array({ maxLength: 64 })), (pick, other) => {
        const bytes = typeof other === 'number' ? files.get(names[other % names.length] ?? '') : other;
        expectTruthOrRefusal(visit(names[pick % names.length] ?? '', bytes));
      }),
      { numRuns: 40 },
    );
  });
});
