/** Whose word a statement is, by kind: whom the log believes later without asking again. */
import { PREDICATE } from '@sealane/core';
import type { Policy } from '@sealane/trust';
import { expect, test } from 'vitest';
import { mayState } from './whose-word.js';

const POLICY = {
  chain: [{ stage: 'dev', from: [], keys: ['dev'] }],
  registrar: ['registrar'],
  signers: {
    release: ['author'],
    provenance: ['builder'],
    tests: ['lab'],
    hardware: [],
    scans: [],
    vex: [],
    sboms: [],
    secrets: ['keeper'],
  },
} as unknown as Policy;
const EVERYBODY = ['author', 'builder', 'lab', 'registrar', 'dev', 'keeper'];

test.each([
  [PREDICATE.release, ['author']],
  [PREDICATE.decision, ['dev']],
  [PREDICATE.revocation, ['dev']],
  [PREDICATE.order, ['dev']],
  [PREDICATE.siteCertificate, ['dev']],
  [PREDICATE.anchor, ['dev']],
  [PREDICATE.siteRecord, ['registrar']],
  [PREDICATE.secret, ['keeper']],
  [PREDICATE.testResult, EVERYBODY],
  [PREDICATE.approval, EVERYBODY],
  ['__proto__', EVERYBODY],
])('%s is the word of %s', (predicateType, signers) => {
  expect(EVERYBODY.filter((id) => mayState([POLICY], predicateType, id))).toEqual(signers);
  expect(mayState([], PREDICATE.siteRecord, 'registrar')).toBe(false);
});
