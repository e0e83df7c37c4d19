/** Heads of receipts are kept between questions: nothing is read again, and what came since, or counts no more, is seen. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Policy, type ReceiptPredicate, receiptStatement } from '@sealane/trust';
import { hbom } from '../../../trust/src/testing/gate-documents.js';
import { saltOf, TIMES } from '../../../trust/src/testing/statement-lane.js';
import { envelopeOf, testSigner } from '../../../trust/src/testing/test-keys.js';
import { LedgerLane } from '../testing/ledger-lane.js';
import type { AuditContext } from './context.js';
import { exposure } from './exposure.js';

let lane: LedgerLane;
const siteKey = testSigner();

beforeEach(() => {
  lane = new LedgerLane();
  lane.author();
  lane.site('plant-7', siteKey);
});
afterEach(async () => {
  await lane.close();
});

function receipt(change: Partial<ReceiptPredicate> = {}): ReceiptPredicate {
  const first = { site: 'plant-7', keyId: siteKey.keyId, seq: 1, prev: null, event: 'installed', release: lane.release } as const;
  const said = { ...first, waybill: null, previous: null, reason: null, checks: [], at: TIMES.evidence, hardware: hbom() };
  return { ...said, checkpoint: null, salt: saltOf(1), ...change };
}

/** Asks, and tells which entries were read for it. */
async function asked(
  context: AuditContext,
  policies: readonly Policy[] = context.policies,
): Promise<[answer: object, read: readonly number[]]> {
  const read: number[] = [];
  const { ledger } = context;
  const watched = (inner: AuditContext['ledger']): AuditContext['ledger'] => ({
    ...inner,
    entriesAt: async (indexes) => {
      read.push(...indexes);
      return await inner.entriesAt(indexes);
    },
    noting: (note) => watched(inner.noting(note)),
  });
  return [await exposure({ ...context, policies, ledger: watched(ledger) }, { release: lane.release }), read];
}

test('asked again, no receipt is read again, and the answer is the same to the byte', async () => {
  lane.receipt(receipt(), siteKey);
  lane.seal(TIMES.published);
  const context = await lane.open();
  const [index = -1] = await context.ledger.receiptIndexes('plant-7');
  const [first, read] = await asked(context);
  const [again, readAgain] = await asked(context);
  expect(JSON.stringify(again)).toBe(JSON.stringify(first));
  expect(first).toMatchObject({ complete: true, answer: { exposedNow: ['plant-7'] } });
  expect(first).toHaveProperty('statements', expect.arrayContaining([expect.objectContaining({ logIndex: index })]));
  expect([read.includes(index), readAgain.includes(index)]).toEqual([true, false]);
});

test('a receipt that counted does not by a policy by which its key has ended, and does by the first again', async () => {
  lane.receipt(receipt(), siteKey);
  lane.seal(TIMES.published);
  const context = await lane.open();
  const spki = Buffer.from(siteKey.spki).toString('base64');
  const ended = context.policies.map((policy) => {
    const [known] = Object.values(policy.keys);
    return known === undefined ? policy : { ...policy, keys: { ...policy.keys, [siteKey.keyId]: { ...known, spki, untilIndex: 1 } } };
  });
  const [first] = await asked(context);
  expect((await asked(context, ended))[0]).toMatchObject({
    complete: false,
    answer: { exposedNow: [], doubts: [{ code: 'KEY_REVOKED' }] },
  });
  expect(JSON.stringify((await asked(context))[0])).toBe(JSON.stringify(first));
});

test('a receipt that came since is seen, with the fork that it makes of the chain, and a time before a receipt leaves it out', async () => {
  lane.receipt(receipt(), siteKey);
  lane.seal(TIMES.published);
  const context = await lane.open();
  await asked(context);
  const early = await exposure(context, { release: lane.release }, { asOf: '2020-01-01T00:00:00Z' });
  expect([early.answer.sites, early.statements.map(({ logIndex }) => logIndex)]).toEqual([[], [0, 1]]);
  const second = receiptStatement(receipt({ event: 'retired', release: null, salt: saltOf(7) }));
  await context.ledger.append([{ envelope: envelopeOf(second, siteKey), spki: siteKey.spki }]);
  for (const [answer] of [await asked(context), await asked(context)])
    expect(answer).toMatchObject({
      complete: false,
      answer: { exposedNow: [], doubts: [{ code: 'SITE_MISMATCH' }, { code: 'LOG_WITNESS' }] },
    });
});
