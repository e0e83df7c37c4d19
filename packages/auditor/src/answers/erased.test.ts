/** Documents that are gone: whose word counts that they were erased. */
import { digestFromHex, hex, leafHash } from '@sealane/core';
import { erasureStatement } from '@sealane/trust';
import { afterEach, expect, test } from 'vitest';
import { LedgerLane } from '../testing/ledger-lane.js';
import { saltOf, TIMES } from '../../../trust/src/testing/statement-lane.js';
import { envelopeOf } from '../../../trust/src/testing/test-keys.js';
import { cases } from './cases.js';
import { FACT } from './fact-kinds.js';
import { keys } from './keys.js';

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

test('what a key signed is not remembered when it is erased: it is said to be, in the same process too', async () => {
  lane = new LedgerLane();
  lane.evidence();
  lane.seal(TIMES.decided);
  const context = await lane.open();
  const { ledger } = context;
  const [result] = await ledger.statementsOf([FACT.test.type]);
  if (result === undefined) throw new Error('there is no test result');
  const asked = async (): Promise<readonly [signed: readonly number[], doubts: readonly string[]]> => {
    const { answer } = await keys(context, result.keyId);
    return [answer.signed.map(({ logIndex }) => logIndex), answer.doubts.map(({ code, logIndex }) => `${code} ${logIndex}`)];
  };
  const [before] = await asked();
  expect(before).toContain(result.index);
  const { statement, statementDigest } = result;
  const said = {
    statement: statementDigest,
    logIndex: result.index,
    leaf: digestFromHex(hex(leafHash(await ledger.leaf(result.index)))),
    predicateType: statement.predicateType,
    subject: statement.subject.map(({ digest }) => digestFromHex(digest.sha256)),
  };
  const words = { documents: [], statements: [said], reason: 'names a colleague', issuedAt: TIMES.decided, salt: saltOf(9) };
  const { registrar } = lane.people;
  const [logged] = await ledger.append([
    { envelope: envelopeOf(erasureStatement(words, [lane.release]), registrar), spki: registrar.spki },
  ]);
  expect(await ledger.erase(logged?.index ?? -1)).toEqual([result.index]);
  const [after, doubts] = await asked();
  expect(after).toEqual(before.filter((index) => index !== result.index));
  expect(doubts).toContain(`STATEMENT_ERASED ${result.index}`);
});
