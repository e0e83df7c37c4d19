/** An approver's laptop is one vote (THREATS T4): what it says of the log stops nobody else's release. */
import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { base64, canonicalJson, INTOTO_PAYLOAD_TYPE, pae } from '@sealane/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeHome, PROVENANCE, type TestHome } from '../testing/test-home.js';

let lane: TestHome;
let release: string;

beforeEach(async () => {
  lane = await makeHome();
  release = await lane.release('1.0.0');
  await lane.sealane(['evidence', 'add', release, '--provenance', lane.file('provenance.json', PROVENANCE), '--key', 'builder']);
  await lane.sealane(['promote', release, '--to', 'dev']);
});

afterEach(async () => {
  await lane.stop();
});

/** What the person would have signed, with another checkpoint in it, signed and brought. */
async function say(verdict: 'approve' | 'reject', person: string, seen: { readonly size?: number; readonly root?: string }): Promise<void> {
  const file = path.join(lane.dir, 'said.json');
  await lane.sealane([verdict, release, '--to', 'prod', '--key', person, '--out', file]);
  const bundle = JSON.parse(readFileSync(file, 'utf8'));
  const statement = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString());
  Object.assign(statement.predicate.checkpoint, seen);
  const payload = canonicalJson(statement);
  const key = createPrivateKey(readFileSync(path.join(lane.home, 'keys', `${person}.pem`)));
  bundle.dsseEnvelope.payload = base64(payload);
  bundle.dsseEnvelope.signatures[0].sig = sign('sha256', pae(INTOTO_PAYLOAD_TYPE, payload), key).toString('base64');
  await lane.sealane(['statement', 'add', lane.file('said.json', JSON.stringify(bundle))]);
}

const approvals = (checks: { id: string }[]): object | undefined => checks.find(({ id }) => id === 'approvals');

it.each([
  ['another history', { root: Buffer.alloc(32, 1).toString('base64') }, 'saw another history'],
  ['more than there was', { size: 1_000_000 }, 'saw 1000000 entries'],
])('an approval that saw %s is none, and the next one counts', async (_, seen, why) => {
  await say('approve', 'alice', seen);
  const waiting = await lane.sealane(['promote', release, '--to', 'prod'], 5);
  expect(approvals(waiting.checks)).toMatchObject({ verdict: 'pending', actual: expect.stringContaining(why) });
  await lane.sealane(['approve', release, '--to', 'prod', '--key', 'bob']);
  const passed = await lane.sealane(['promote', release, '--to', 'prod']);
  expect(approvals(passed.checks)).toMatchObject({ verdict: 'pass', actual: 'approved by bob' });
  const again = await lane.sealane(['replay', passed.statement]);
  expect(again).toMatchObject({ sameVerdict: true });
});

it('an approval that saw less than there is counts, and a rejection stands whatever it saw', async () => {
  await say('approve', 'alice', {});
  await say('reject', 'bob', { root: Buffer.alloc(32, 1).toString('base64') });
  const refused = await lane.sealane(['promote', release, '--to', 'prod'], 3);
  expect(approvals(refused.checks)).toMatchObject({ verdict: 'fail', actual: expect.stringContaining('bob rejected it') });
});
