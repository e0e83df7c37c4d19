/** THREATS.md: skipped stage, missing or forged decision, decision of another release; bytes of the waybill and what travels with it. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type Digest, sha256, utf8 } from '@sealane/core';
import { AdmitLane, TIMES } from '../testing/admit-lane.js';
import { expectAdmitted, expectRefused } from '../../../../test/support/admit-verdicts.js';
import { blobPath } from './lane-reader.js';

/** The story up to prod's approvals, with `preprod` in place of the decision before. */
function approved(preprod: (lane: AdmitLane) => unknown = (lane) => lane.decide('edge-preprod', 'dev')): AdmitLane {
  const lane = new AdmitLane();
  lane.evidence();
  lane.decide('dev', null);
  preprod(lane);
  lane.seal(TIMES.evidence);
  lane.approve('alice');
  lane.approve('bob');
  return lane;
}

/** Seals and publishes with this decision of prod. */
async function decided(lane: AdmitLane, decision: Digest, change: Parameters<AdmitLane['waybill']>[1] = {}): Promise<AdmitLane> {
  lane.seal(TIMES.decided);
  lane.waybill(decision, change);
  await lane.publish();
  return lane;
}

const elsewhere = sha256(utf8('another release'));

it('admits a release that every stage decided, that its people approved and that was tested here', async () => {
  const lane = await new AdmitLane().passed();
  const answer = expectAdmitted(lane);
  expect(answer.checks.map(({ id }) => id)).toEqual([
    'trust',
    'log',
    'site',
    'drain',
    'fence',
    'channel',
    'revoked',
    'held',
    'waybill',
    'statements',
    'decision',
    'release',
    'stage-order',
    'tests',
    'hardware',
    'approvals',
    'variables',
    'floor',
  ]);
  expect(answer).toMatchObject({ group: 'all', decision: { counter: 1, logIndex: 6 }, releaseDoc: { name: 'api', version: '1.0.0' } });
  expect(answer).toMatchObject({ expiresAt: '2026-12-01T11:00:00Z', rootExpiresAt: '2027-11-24T11:00:00Z' });
});

describe('the decision of this stage', () => {
  it('is missing: refused', async () => {
    const lane = approved();
    lane.decide('prod', 'edge-preprod');
    expectRefused(await decided(lane, elsewhere), 'WAYBILL_STAGE_ORDER');
  });

  it('is a refusal: refused', async () => {
    const lane = approved();
    const refusal = lane.decide('prod', 'edge-preprod', { counter: null, fields: { result: 'FAILED' } });
    expectRefused(await decided(lane, refusal), 'WAYBILL_STAGE_ORDER');
  });

  it('is that of another stage, though by a key of this one: refused', async () => {
    const lane = approved();
    const other = lane.decide('edge-preprod', 'dev', { signer: lane.people.prod });
    expectRefused(await decided(lane, other), 'WAYBILL_STAGE_ORDER');
  });

  it('takes the release out of a stage that this one does not follow: refused', async () => {
    const lane = approved();
    expectRefused(await decided(lane, lane.decide('prod', 'dev')), 'WAYBILL_STAGE_ORDER');
  });

  it('is of another lane: refused', async () => {
    const lane = approved();
    expectRefused(await decided(lane, lane.decide('prod', 'edge-preprod', { fields: { origin: 'other.example' } })), 'WAYBILL_STAGE_ORDER');
  });

  it('names another release: refused', async () => {
    const lane = approved();
    expectRefused(await decided(lane, lane.decide('prod', 'edge-preprod', { release: elsewhere })), 'WAYBILL_SUBJECT');
  });

  it('is about this release but decides on another, or the other way round: refused', async () => {
    for (const part of ['subject', 'predicate']) {
      const lane = approved();
      expectRefused(await decided(lane, lane.forgeDecision(part, elsewhere)), 'WAYBILL_SUBJECT');
    }
  });

  it.each(['dev', 'preprod', 'alice', 'stranger'] as const)('is signed by %s and not by the stage: refused', async (name) => {
    const lane = approved();
    const forged = lane.decide('prod', 'edge-preprod', { signer: lane.people[name] });
    expectRefused(await decided(lane, forged), 'WAYBILL_SIGNATURE');
  });

  it('was changed after it was signed: refused', async () => {
    const lane = approved();
    const decision = lane.decide('prod', 'edge-preprod');
    lane.seal(TIMES.decided);
    const bundle = lane.bundles.get(decision) as { dsseEnvelope: { payload: string } };
    const payload = Buffer.from(
      Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString().replace('"counter":1', '"counter":9'),
    ).toString('base64');
    lane.bundles.set(decision, { ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, payload } });
    lane.waybill(sha256(Buffer.from(payload, 'base64')));
    await lane.publish();
    expectRefused(lane, 'WAYBILL_SIGNATURE');
  });

  it('is for other groups than the one of this site: refused', async () => {
    const lane = approved();
    expectRefused(await decided(lane, lane.decide('prod', 'edge-preprod', { rollout: ['canary'] })), 'SITE_MISMATCH');
  });
});

describe('a policy that was replaced', () => {
  it('still lets in what was decided under it, below the index that owners accept', async () => {
    const lane = await new AdmitLane().passed();
    lane.amend(() => ({}));
    await lane.publish();
    expectAdmitted(lane);
  });

  it.each([
    ['is not accepted', []],
    ['is accepted below the index of the decision', [6]],
  ])('counts no more when it %s', async (_, indexes) => {
    const lane = await new AdmitLane().passed();
    const digest = lane.policyDigest;
    lane.amend(() => ({ accepts: indexes.map((belowIndex) => ({ digest, belowIndex })) }));
    await lane.publish();
    expectRefused(lane, 'WAYBILL_STAGE_ORDER');
  });

  it('voids the approvals that were logged at its index or after, however the decision was made', async () => {
    const lane = new AdmitLane();
    const old = lane.policyDigest;
    lane.evidence();
    lane.earlierStages();
    lane.seal(TIMES.evidence);
    lane.approve('alice');
    const second = lane.log.size();
    lane.approve('bob');
    lane.amend(() => ({ accepts: [{ digest: old, belowIndex: second }] }));
    const answer = expectRefused(await decided(lane, lane.decide('prod', 'edge-preprod')), 'WAYBILL_APPROVALS');
    expect(answer.checks.find(({ id }) => id === 'approvals')?.actual).toContain('bob: approved under another policy');
  });
});

describe('the stages before', () => {
  it.each([
    ['never decided', 'WAYBILL_STAGE_ORDER', () => undefined],
    [
      'only refused',
      'WAYBILL_STAGE_ORDER',
      (lane: AdmitLane) => lane.decide('edge-preprod', 'dev', { counter: null, fields: { result: 'FAILED' } }),
    ],
    [
      'decided by the key of the stage before',
      'WAYBILL_SIGNATURE',
      (lane: AdmitLane) => lane.decide('edge-preprod', 'dev', { signer: lane.people.dev }),
    ],
    ['decided about another release', 'WAYBILL_SUBJECT', (lane: AdmitLane) => lane.decide('edge-preprod', 'dev', { release: elsewhere })],
    ['let it in from nowhere', 'WAYBILL_STAGE_ORDER', (lane: AdmitLane) => lane.decide('edge-preprod', null)],
  ] as const)('%s: refused with %s', async (_, code, preprod) => {
    const lane = approved(preprod);
    expectRefused(await decided(lane, lane.decide('prod', 'edge-preprod')), code);
  });

  it('decided in the wrong order of the log: refused', async () => {
    const lane = new AdmitLane();
    lane.evidence();
    lane.decide('edge-preprod', 'dev');
    lane.decide('dev', null);
    lane.seal(TIMES.evidence);
    lane.approve('alice');
    lane.approve('bob');
    expectRefused(await decided(lane, lane.decide('prod', 'edge-preprod')), 'WAYBILL_STAGE_ORDER');
  });

  it('decided after this one: refused', async () => {
    const lane = approved(() => undefined);
    const decision = lane.decide('prod', 'edge-preprod');
    lane.decide('edge-preprod', 'dev');
    expectRefused(await decided(lane, decision), 'WAYBILL_STAGE_ORDER');
  });
});

describe('the bytes of a waybill', () => {
  let lane: AdmitLane;
  beforeAll(async () => {
    lane = await new AdmitLane().passed();
  });

  it('are of another release or another stage: refused', async () => {
    const otherRelease = approved();
    const decision = otherRelease.decide('prod', 'edge-preprod');
    expectRefused(await decided(otherRelease, decision, { release: elsewhere }), 'WAYBILL_SUBJECT');
    const otherStage = approved();
    expectRefused(await decided(otherStage, otherStage.decide('prod', 'edge-preprod'), { stage: 'dev' }), 'WAYBILL_STAGE_ORDER');
  });

  it('are a true waybill, but of another release than the channel points at: refused', async () => {
    const swapped = await new AdmitLane().passed();
    await swapped.publish({ channel: { groups: swapped.channel().groups.map((group) => ({ ...group, release: elsewhere })) } });
    expect(expectRefused(swapped, 'WAYBILL_SUBJECT').checks.at(-1)?.id).toBe('waybill');
  });

  it.each([
    ['the waybill', (it: AdmitLane) => it.waybillDigest ?? it.release],
    ['the release manifest', (it: AdmitLane) => it.release],
    ['a test report', (it: AdmitLane) => [...it.blobs.keys()][1] ?? it.release],
  ])('%s is missing or has other bytes: refused by its path', (_, digestIn) => {
    const path = blobPath(digestIn(lane));
    const gone = new Map([...lane.files()].filter(([name]) => name !== path));
    expect(expectRefused(lane, 'CONTENT_MISSING', { files: gone }).checks.at(-1)?.actual).toContain(path);
    const other = new Map([...lane.files(), [path, utf8('other bytes')]]);
    expect(expectRefused(lane, 'CONTENT_DIGEST', { files: other }).checks.at(-1)?.actual).toContain(path);
  });

  it('have another length than the channel says, or than the waybill says of a report: refused', async () => {
    const [group] = lane.channel().groups;
    if (group === undefined) throw new RangeError('read the channel: expected a group');
    const wrong = await new AdmitLane().passed();
    await wrong.publish({
      channel: { groups: [{ ...group, release: wrong.release, waybill: wrong.waybillDigest ?? wrong.release, length: group.length + 1 }] },
    });
    expectRefused(wrong, 'CONTENT_LENGTH');
    const report = approved();
    const decision = report.decide('prod', 'edge-preprod');
    const blobs = [...report.blobs].map(([digest, bytes]) => ({ digest, size: bytes.length + 1, mediaType: 'application/xml' }));
    expectRefused(await decided(report, decision, { blobs }), 'CONTENT_LENGTH');
  });

  it('are no waybill: refused, and nothing is remembered', async () => {
    const wrong = approved();
    wrong.seal(TIMES.decided);
    wrong.waybillDigest = wrong.keep(utf8('{"kind": "Waybill"}'));
    await wrong.publish();
    expectRefused(wrong, 'TRUST_MALFORMED');
  });
});

it.each([
  ['lists other components', { size: 4 }],
  ['calls a component otherwise', { name: 'other' }],
  ['says of a component that it is something else', { kind: 'files' as const }],
  ['declares something else', { declares: { dependencies: [] } }],
])('refuses a release manifest that %s than its author signed', async (_, claim) => {
  const lane = new AdmitLane();
  lane.author(claim);
  lane.tests();
  lane.earlierStages();
  lane.seal(TIMES.evidence);
  lane.approve('alice');
  lane.approve('bob');
  expectRefused(await decided(lane, lane.decide('prod', 'edge-preprod')), 'WAYBILL_SUBJECT');
});
