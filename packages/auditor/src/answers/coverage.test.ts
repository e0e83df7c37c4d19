/** Coverage of a release whose documents went to the archive: what was tested there was tested. */
import type { Digest } from '@sealane/core';
import type { Ledger } from '@sealane/ledger';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hbom } from '../../../trust/src/testing/gate-documents.js';
import { saltOf, TIMES } from '../../../trust/src/testing/statement-lane.js';
import { testSigner } from '../../../trust/src/testing/test-keys.js';
import { LedgerLane } from '../testing/ledger-lane.js';
import type { AuditContext } from './context.js';
import { coverage } from './coverage.js';

let lane: LedgerLane;
let context: AuditContext;

beforeEach(async () => {
  lane = new LedgerLane();
  const key = testSigner();
  lane.evidence();
  lane.site('plant-7', key);
  const receipt = { site: 'plant-7', keyId: key.keyId, seq: 1, prev: null, event: 'installed', release: lane.release } as const;
  const rest = { waybill: null, previous: null, reason: null, checks: [], checkpoint: null, salt: saltOf(1) } as const;
  lane.receipt({ ...receipt, ...rest, at: TIMES.evidence, hardware: hbom() }, key);
  lane.seal(TIMES.decided);
  context = await lane.open();
});

afterEach(async () => {
  await lane.close();
});

/** The same with every document in an archive. */
function archived(): AuditContext {
  const ledger: Ledger = {
    ...context.ledger,
    documentsArchived: (documents: readonly Digest[]) => Promise.resolve(new Set(documents.filter((digest) => lane.blobs.has(digest)))),
    archivedDocument: (digest: Digest) => Promise.resolve(lane.blobs.get(digest)),
  };
  return { ...context, ledger, readBlob: () => undefined };
}

it('is what it was before', async () => {
  const before = await coverage(context, lane.release, {});
  expect(before.answer).toMatchObject({ covered: ['plant-7'], uncovered: [], reports: [{ site: 'plant-7', at: TIMES.evidence }] });
  expect(await coverage(archived(), lane.release, {})).toEqual(before);
});
