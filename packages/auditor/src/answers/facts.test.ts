/** What was found to count is not believed of another policy: of whom it names, and of how long a key counts. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Policy, ReleasePredicate } from '@sealane/trust';
import { hbom } from '../../../trust/src/testing/gate-documents.js';
import { saltOf, TIMES } from '../../../trust/src/testing/statement-lane.js';
import { testSigner } from '../../../trust/src/testing/test-keys.js';
import { LedgerLane } from '../testing/ledger-lane.js';
import { FACT } from './fact-kinds.js';
import { type FactKind, factsOf } from './facts.js';
import { inquire } from './inquiry.js';
import { receiptsOf, recordsOf } from './receipts.js';

let lane: LedgerLane;
const siteKey = testSigner();

beforeEach(() => {
  lane = new LedgerLane();
  lane.author();
  lane.site('plant-7', siteKey);
  const receipt = { site: 'plant-7', keyId: siteKey.keyId, seq: 1, prev: null, event: 'installed', release: lane.release } as const;
  const said = { ...receipt, waybill: null, previous: null, reason: null, checks: [], at: TIMES.evidence, hardware: hbom() };
  lane.receipt({ ...said, checkpoint: null, salt: saltOf(1) }, siteKey);
  lane.seal(TIMES.published);
});
afterEach(async () => {
  await lane.close();
});

test('a statement that counted does not by a policy that names no such signer, or where its key has ended, and does by the first again', async () => {
  const context = await lane.open();
  const counted = async (
    policies: readonly Policy[],
  ): Promise<readonly [releases: number, receipts: number, doubts: readonly string[]]> => {
    const { answer } = await inquire({ ...context, policies }, 'all', {}, async (inquiry) => ({
      releases: (await factsOf(inquiry, FACT.release)).length,
      receipts: (await receiptsOf(inquiry, 'plant-7', await recordsOf(inquiry, 'plant-7'))).length,
    }));
    return [answer.releases, answer.receipts, answer.doubts.map(({ code }) => code)];
  };
  const first = context.policies;
  const unnamed = first.map((policy) => ({ ...policy, signers: { ...policy.signers, release: [] } }));
  const over = first.map((policy) => ({
    ...policy,
    keys: Object.fromEntries(
      Object.entries(policy.keys).map(([id, key]) => [id, policy.registrar.includes(id) ? key : { ...key, untilIndex: 0 }]),
    ),
  }));
  const spki = Buffer.from(siteKey.spki).toString('base64');
  const ended = first.map((policy) => {
    const [known] = Object.values(policy.keys);
    return known === undefined ? policy : { ...policy, keys: { ...policy.keys, [siteKey.keyId]: { ...known, spki, untilIndex: 1 } } };
  });
  expect(await counted(first)).toEqual([1, 1, []]);
  expect(await counted(unnamed)).toEqual([0, 1, ['EVIDENCE_SIGNER']]);
  expect(await counted(over)).toEqual([0, 1, ['KEY_REVOKED']]);
  expect(await counted(ended)).toEqual([1, 0, ['KEY_REVOKED']]);
  expect(await counted(first)).toEqual([1, 1, []]);
});

test('nor is it of other signers by the very same trust', async () => {
  const counted = async (kind: FactKind<ReleasePredicate>): Promise<number> =>
    (await inquire(context, 'all', {}, async (inquiry) => ({ count: (await factsOf(inquiry, kind)).length }))).answer.count;
  const context = await lane.open();
  const nobody: FactKind<ReleasePredicate> = {
    ...FACT.release,
    vouchers: (inquiry) => ({ ...FACT.release.vouchers(inquiry), signers: [] }),
  };
  expect([await counted(FACT.release), await counted(nobody), await counted(FACT.release)]).toEqual([1, 0, 1]);
});
