/** Rigs at a site: their keys come from the registrar's records in the waybill, and a recall in it counts whenever it was logged. */
import { base64, canonicalJson, type Digest, type JsonObject } from '@sealane/core';
import { expect, it } from 'vitest';
import { recallStatement } from '../evidence/predicates/recall.js';
import { rigStatement } from '../evidence/predicates/rig.js';
import { parseJUnit } from '../reports/junit.js';
import { testResultPredicate, testResultStatement } from '../reports/test-result.js';
import { AdmitLane, TIMES } from '../testing/admit-lane.js';
import { hbom, junit } from '../testing/gate-documents.js';
import { saltOf } from '../testing/statement-lane.js';
import { type TestSigner, testSigner } from '../testing/test-keys.js';
import { expectAdmitted, expectRefused } from '../../../../test/support/admit-verdicts.js';

const rig = testSigner();

/** A lane whose prod asks for rigs, with a release that `rig` tested and prod decided; `enrol` says who signs the record. */
function tested(enrol: (lane: AdmitLane) => TestSigner = ({ people }) => people.registrar): { lane: AdmitLane; decision: Digest } {
  const gates = [
    { use: 'tests', with: {} },
    { use: 'hardware', with: { rigs: 'required', rebuiltWithinDays: 7 } },
    { use: 'approvals', with: { count: 2 } },
  ];
  const lane = new AdmitLane(() => ({ gates }));
  lane.evidence();
  const inventory = lane.keep(canonicalJson(hbom()));
  const record = {
    rig: 'rig-1',
    key: { id: rig.keyId, spki: base64(rig.spki) },
    template: inventory,
    inventory,
    builtAt: '2026-11-20T08:00:00Z',
  };
  lane.seen.push(lane.sign(rigStatement({ ...record, salt: saltOf(7) }), enrol(lane)), run(lane, hbom({ takenAt: TIMES.evidence })));
  lane.earlierStages();
  lane.seal(TIMES.evidence);
  lane.approve('alice');
  lane.approve('bob');
  const decision = lane.decide('prod', 'edge-preprod');
  lane.seal(TIMES.decided);
  return { lane, decision };
}

/** A passing run on the rig, signed by its own key. */
function run(lane: AdmitLane, inventory: JsonObject): Digest {
  const report = junit(3);
  lane.keep(report);
  const hardware = lane.keep(canonicalJson(inventory));
  const predicate = testResultPredicate({
    report,
    format: 'junit',
    parsed: parseJUnit(report),
    hardware,
    finishedAt: TIMES.evidence,
    salt: saltOf(8),
  });
  return lane.sign(testResultStatement([{ digest: lane.release }], predicate), rig);
}

async function published({ lane, decision }: ReturnType<typeof tested>): Promise<AdmitLane> {
  lane.waybill(decision);
  await lane.publish();
  return lane;
}

it('admits a release that an enrolled rig tested', async () => {
  expectAdmitted(await published(tested()));
});

it.each(['lab', 'prod', 'alice'] as const)('refuses what a rig says that %s enrolled: only the registrar enrols', async (person) => {
  expectRefused(await published(tested(({ people }) => people[person])), 'EVIDENCE_SIGNER');
});

it('refuses what a rig says that a stranger enrolled', async () => {
  expectRefused(await published(tested(() => testSigner())), 'EVIDENCE_SIGNER');
});

it('refuses a new installation once the registrar has recalled the rig, though that was logged after the decision', async () => {
  const story = tested();
  const { lane } = story;
  const recalled = { rig: 'rig-1', keyId: rig.keyId };
  lane.sign(recallStatement({ recalled, untilIndex: 0, reason: 'loose cable', salt: saltOf(9) }), lane.people.registrar);
  lane.seal(TIMES.published);
  const answer = expectRefused(await published(story), 'EVIDENCE_RIG');
  expect(JSON.stringify(answer.checks)).toContain('was recalled: loose cable');
});

it('takes no recall by another key', async () => {
  const story = tested();
  const { lane } = story;
  const recalled = { rig: 'rig-1', keyId: rig.keyId };
  for (const signer of [rig, lane.people.lab, lane.people.prod])
    lane.sign(recallStatement({ recalled, untilIndex: 0, reason: 'mischief', salt: saltOf(9) }), signer);
  lane.seal(TIMES.published);
  expectAdmitted(await published(story));
});

it('a rig has no other role: what it decides or approves is nothing', async () => {
  const { lane } = tested();
  const decision = lane.decide('prod', 'edge-preprod', { signer: rig });
  lane.seal(TIMES.decided);
  expectRefused(await published({ lane, decision }), 'WAYBILL_SIGNATURE');
});
