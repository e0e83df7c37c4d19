/** Pages over a ledger that its owner edits: who signed is what the signature says, and where it is what the log proves. */
import { type Digest, type Envelope } from '@sealane/core';
import type { Ledger, LedgerEntry } from '@sealane/ledger';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TIMES } from '../../../trust/src/testing/statement-lane.js';
import { envelopeOf, testSigner } from '../../../trust/src/testing/test-keys.js';
import type { AuditContext } from '../answers/context.js';
import { LedgerLane } from '../testing/ledger-lane.js';
import { namesOf } from './site-page.js';
import { signedStatement } from './statement-page.js';

let lane: LedgerLane;
let context: AuditContext;
let approval: Digest;

beforeEach(async () => {
  lane = new LedgerLane();
  lane.evidence();
  lane.seal(TIMES.evidence);
  approval = lane.approve('alice');
  lane.seal(TIMES.decided);
  context = await lane.open();
});

afterEach(async () => {
  await lane.close();
});

/** The row of the approval as somebody left it who may write in the database. */
async function edited(change: (entry: LedgerEntry) => Partial<LedgerEntry>): Promise<AuditContext> {
  const ledger: Ledger = {
    ...context.ledger,
    byStatement: async (digest) => (await context.ledger.byStatement(digest)).map((entry) => ({ ...entry, ...change(entry) })),
  };
  return await Promise.resolve({ ...context, ledger });
}

function signedAgain({ envelope }: LedgerEntry, signer = testSigner()): Envelope {
  return envelopeOf(Buffer.from(envelope.payload, 'base64'), signer);
}

it('is by the key that signed it, and proved to be in the log', async () => {
  const { answer, statements, complete } = await signedStatement(context, approval);
  expect(answer.entries.map(({ keyId }) => keyId)).toEqual([lane.people.alice.keyId]);
  expect({ complete, statements }).toMatchObject({ complete: true, statements: [{ digest: approval }] });
});

it('is by nobody where the signature is not by the key that stands beside it', async () => {
  const forged = await edited((entry) => ({ envelope: signedAgain(entry) }));
  const { answer, statements } = await signedStatement(forged, approval);
  expect(answer).toMatchObject({ entries: [], doubts: [{ code: 'STATEMENT_SIGNATURE' }] });
  expect(statements).toEqual([]);
});

it('is no answer where the log has another entry at its place', async () => {
  const stranger = testSigner();
  const forged = await edited((entry) => ({ envelope: signedAgain(entry, stranger), spki: stranger.spki, keyId: stranger.keyId }));
  await expect(signedStatement(forged, approval)).rejects.toMatchObject({ code: 'LOG_NOT_INCLUDED' });
});

it('is one that the log has, by its digest', async () => {
  for (const named of [`sha256:${'0'.repeat(64)}`, 'approval'])
    await expect(signedStatement(context, named)).rejects.toMatchObject({ code: 'STATEMENT_UNKNOWN' });
});

it('calls a release what its author signed, whatever the index calls it', async () => {
  const renamed: Ledger = {
    ...context.ledger,
    releases: async (release) => (await context.ledger.releases(release)).map((row) => ({ ...row, name: 'other', version: '9.9.9' })),
    noting: () => renamed,
  };
  const { answer, statements } = await namesOf({ ...context, ledger: renamed }, [lane.release, lane.release], undefined);
  expect([...answer.names]).toEqual([[lane.release, 'api@1.0.0']]);
  expect(statements).toHaveLength(1);
});
