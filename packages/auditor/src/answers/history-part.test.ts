/** Parts of histories beside the whole of them: the same is told, and where anything is odd the same doubts are. */
import { type Digest, sha256, utf8 } from '@sealane/core';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { receiptStatement, type ReceiptPredicate } from '../../../trust/src/evidence/predicates/receipt.js';
import { hbom } from '../../../trust/src/testing/gate-documents.js';
import { saltOf, TIMES } from '../../../trust/src/testing/statement-lane.js';
import { type TestSigner, testSigner } from '../../../trust/src/testing/test-keys.js';
import { LedgerLane } from '../testing/ledger-lane.js';
import type { AuditContext } from './context.js';
import { type Choice, historyParts, lastTold, runsNow } from './history-part.js';
import { inquire } from './inquiry.js';
import { runningNow, siteHistories } from './site-history.js';

let lane: LedgerLane;
const siteKey = testSigner();
const stranger = testSigner();

beforeEach(() => {
  lane = new LedgerLane();
  lane.author();
  lane.site('plant-7', siteKey);
});
afterEach(async () => {
  await lane.close();
});

const EVENTS = ['installed', 'refused', 'rolled-back', 'rollback', 'rotated'] as const;
const RELEASES = [1, 2, 3].map((n) => sha256(utf8(`release ${n}`)));
const timeOf = (minute: number): string => `2026-11-24T12:${String(minute).padStart(2, '0')}:00Z`;

interface Told {
  readonly event: ReceiptPredicate['event'];
  readonly release?: Digest;
  readonly seq?: number;
  readonly prev?: Digest | null;
  readonly minute?: number;
  readonly key?: TestSigner;
}

/** Logs a chain: each receipt names the one before, but for what is said otherwise. */
function tell(all: readonly Told[]): void {
  let last: { readonly digest: Digest | null; readonly running: Digest | null } = { digest: null, running: null };
  for (const [place, one] of all.entries()) {
    const { event, release = lane.release, seq = place + 1, prev = last.digest, minute = place, key = siteKey } = one;
    const predicate: ReceiptPredicate = {
      site: 'plant-7',
      keyId: key.keyId,
      seq,
      prev,
      event,
      release,
      waybill: null,
      previous: last.running,
      reason: null,
      checks: [],
      at: timeOf(minute),
      hardware: hbom(),
      checkpoint: null,
      salt: saltOf(place),
    };
    lane.receipt(predicate, key);
    const changes = event === 'installed' || event === 'rollback';
    last = { digest: sha256(receiptStatement(predicate)), running: changes ? release : last.running };
  }
  lane.seal(TIMES.published);
}

/** What a part says of the end of a history, and what it rests on; and the whole of it. */
async function bothWays(context: AuditContext, asOf?: string): Promise<readonly (readonly [said: object, cited: number])[]> {
  const part = await inquire(context, 'part', { asOf }, async (inquiry) => ({
    ends: (await historyParts(inquiry, lastTold, { stage: 'prod' })).map((one) => [one.receipts.at(-1)?.seq, runsNow(one)]),
  }));
  const whole = await inquire(context, 'whole', { asOf }, async (inquiry) => ({
    ends: (await siteHistories(inquiry, 'prod')).map((one) => [one.receipts.at(-1)?.seq, runningNow(one)]),
  }));
  return [part, whole].map(({ answer, statements }) => [answer, statements.length]);
}

test('says the same as the whole history, at any time, and has the same doubts where anything is odd', async () => {
  const one = fc.record({ event: fc.constantFrom(...EVENTS), release: fc.constantFrom(...RELEASES) });
  const fault = fc.constantFrom<Partial<Told>>(
    {},
    {},
    {},
    { seq: 40 },
    { seq: 1 },
    { prev: null },
    { prev: sha256(utf8('x')) },
    { key: stranger },
    { minute: 0 },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(one, { minLength: 1, maxLength: 8 }), fault, fc.nat(), async (all, odd, at) => {
      await lane.close();
      lane = new LedgerLane();
      lane.author();
      lane.site('plant-7', siteKey);
      tell(all.map((told, place) => (place === at % all.length ? { ...told, ...odd } : told)));
      const context = await lane.open();
      for (const asOf of [undefined, timeOf(all.length >> 1), TIMES.evidence]) {
        const [[part] = [], [whole] = []] = await bothWays(context, asOf);
        expect(part).toEqual(whole);
      }
    }),
    { numRuns: 25 },
  );
});

test('reads no more than it needs of a chain in which nothing is odd', async () => {
  tell([{ event: 'installed' }, { event: 'refused' }, { event: 'rollback' }, { event: 'refused' }, { event: 'rolled-back' }]);
  // the site’s record, and the three from the last release on that was put there
  const [[, part] = [], [, whole] = []] = await bothWays(await lane.open());
  expect([part, whole]).toEqual([4, 6]);
});

test('a choice that was not enough, and rows that say something else than the site signed, have the whole read', async () => {
  tell([{ event: 'installed' }, { event: 'refused' }, { event: 'installed', release: RELEASES[1] ?? lane.release }, { event: 'refused' }]);
  const context = await lane.open();
  const cited = async (within: AuditContext, choose: Choice): Promise<number> =>
    (await inquire(within, 'part', {}, async (inquiry) => ({ parts: await historyParts(inquiry, choose) }))).statements.length;
  const none: Choice = { of: () => [] };
  expect(await cited(context, none)).toBe(1);
  expect(await cited(context, { ...none, isEnough: () => false })).toBe(5);
  expect(await cited(context, lastTold)).toBe(3);
  const lying = (ledger: AuditContext['ledger']): AuditContext['ledger'] => ({
    ...ledger,
    receiptLinks: async (sites) =>
      new Map(
        [...(await ledger.receiptLinks(sites))].map(([site, links]) => [
          site,
          links.map((link) => ({ ...link, event: link.seq === 3 ? 'refused' : link.event })),
        ]),
      ),
    noting: (note) => lying(ledger.noting(note)),
  });
  expect(await cited({ ...context, ledger: lying(context.ledger) }, lastTold)).toBe(5);
});
