/** Documents that are gone: whose word counts that they were erased. */
import { erasureStatement } from '@sealane/trust';
import { afterEach, expect, test } from 'vitest';
import { LedgerLane } from '../testing/ledger-lane.js';
import { saltOf, TIMES } from '../../../trust/src/testing/statement-lane.js';
import { cases } from './cases.js';
import { FACT } from './fact-kinds.js';

let lane: LedgerLane;
afterEach(() => lane.close());

/** A lane whose one report is gone, and erased by whom `signer` names. */
async function codesAfter(signer: 'registrar' | 'lab' | undefined, asKnown?: string): Promise<readonly string[]> {
  lane = new LedgerLane();
  lane.evidence();
  lane.seal(TIMES.decided);
  const { ledger } = await lane.open();
  const [result] = await ledger.statementsOf([FACT.test.type]);
  const report = FACT.test.read(result!.statement).report;
  lane.blobs.delete(report);
  const predicate = { documents: [report], reason: 'names a colleague', issuedAt: TIMES.decided, salt: saltOf(9) };
  if (signer !== undefined) lane.sign(erasureStatement(predicate, [lane.release]), lane.people[signer]);
  lane.seal(TIMES.published);
  const { answer, complete } = await cases(await lane.open(), lane.release, { asKnown });
  expect(complete).toBe(false);
  return answer.doubts.map(({ code }) => code);
}

test('a document that the registrar erased is said to be erased, one that is just gone is missing', async () => {
  expect(await codesAfter('registrar')).toEqual(['CONTENT_ERASED']);
  expect(await codesAfter(undefined)).toEqual(['CONTENT_MISSING']);
});

test('the word of somebody else that it was erased counts for nothing', async () => {
  expect(await codesAfter('lab')).toEqual(['CONTENT_MISSING']);
});

test('asked of what was known before it was erased, it is missing', async () => {
  expect(await codesAfter('registrar', TIMES.decided)).toEqual(['CONTENT_MISSING']);
});
