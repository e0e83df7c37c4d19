/** THREATS.md: approvals, evidence, revoked keys, floors: what the gates refuse once more at the site, at the witnessed time. */
import { type Digest, digestHex, encodeStatement, PREDICATE, sha256, utf8 } from '@sealane/core';
import { describe, expect, it } from 'vitest';
import { revocationStatement } from '../evidence/predicates/revocation.js';
import { parseWaybill } from '../waybill/waybill.js';
import { hbom, junit } from '../testing/gate-documents.js';
import { AdmitLane, TIMES } from '../testing/admit-lane.js';
import { expectAdmitted, expectRefused } from '../../../../test/support/admit-verdicts.js';
import { checkpointSizesOf } from './waybill-step.js';

/** Steps of a story in the place of the usual ones. */
interface Steps {
  readonly evidence?: (lane: AdmitLane) => void;
  readonly approvals?: (lane: AdmitLane) => void;
  readonly policy?: ConstructorParameters<typeof AdmitLane>[0];
}

const both = (lane: AdmitLane): void => {
  lane.approve('alice');
  lane.approve('bob');
};

/** A lane up to the end of the approvals; prod has not decided. */
function beforeDecision({ evidence = (it) => it.evidence(), approvals = both, policy }: Steps): AdmitLane {
  const lane = new AdmitLane(policy);
  evidence(lane);
  lane.earlierStages();
  lane.seal(TIMES.evidence);
  approvals(lane);
  return lane;
}

/** The promoter says PASSED, whatever there is: the site must see through it. */
async function passedAnyway(lane: AdmitLane, counter = 1): Promise<AdmitLane> {
  const decision = lane.decide('prod', 'edge-preprod', { counter });
  lane.seal(TIMES.decided);
  lane.waybill(decision);
  await lane.publish();
  return lane;
}

const story = (steps: Steps): Promise<AdmitLane> => passedAnyway(beforeDecision(steps));
const elsewhere = sha256(utf8('another release'));

describe('approvals', () => {
  it.each<[string, (lane: AdmitLane) => void]>([
    ['nobody', () => undefined],
    ['one person', (lane) => lane.approve('alice')],
    [
      'one person with two keys',
      (lane) => {
        lane.approve('alice');
        lane.approve('alice2');
      },
    ],
    [
      'one person and a stranger',
      (lane) => {
        lane.approve('alice');
        lane.approve('stranger');
      },
    ],
    [
      'one person, and another for other groups',
      (lane) => {
        lane.approve('alice');
        lane.approve('bob', { rollout: ['canary'] });
      },
    ],
    [
      'one person, and another for another stage',
      (lane) => {
        lane.approve('alice');
        lane.approve('bob', { stage: 'dev' });
      },
    ],
    [
      'one person, and another over another release',
      (lane) => {
        lane.approve('alice');
        lane.approve('bob', { release: elsewhere });
      },
    ],
    [
      'one person, and another who has not seen the evidence',
      (lane) => {
        lane.approve('alice');
        lane.approve('bob', { seen: [] });
      },
    ],
    [
      'one person, and another who approved under another policy',
      (lane) => {
        lane.approve('alice');
        lane.approve('bob', { policy: elsewhere });
      },
    ],
    [
      'two people, one of whom then rejected it',
      (lane) => {
        both(lane);
        lane.approve('bob', { verdict: 'reject', reason: 'no' });
      },
    ],
  ])('by %s: refused', async (_, approvals) => {
    expectRefused(await story({ approvals }), 'WAYBILL_APPROVALS');
  });

  it.each(['author', 'lab', 'prod', 'dev'] as const)('by one person and the %s, who is no second one: refused', async (role) => {
    const lane = await story({
      policy: ({ people }, keys) => ({ people: [...people, { id: 'carol', keys: [keys[role].keyId] }] }),
      approvals: (it) => {
        it.approve('alice');
        it.approve(role);
      },
    });
    const answer = expectRefused(lane, 'WAYBILL_APPROVALS');
    expect(answer.checks.find(({ id }) => id === 'approvals')?.actual).toMatch(/carol: is (?:author|tester|promoter), and may not approve/);
  });

  it('that cannot be read are no votes, and take nobody else his: one approver alone does not stop a release', async () => {
    const unreadable = (lane: AdmitLane): void => {
      lane.sign(
        encodeStatement({
          subject: [{ digest: { sha256: digestHex(lane.release) } }],
          predicateType: PREDICATE.approval,
          predicate: { verdict: 'reject' },
        }),
        lane.people.alice,
      );
    };
    const lane = await story({
      approvals: (it) => {
        unreadable(it);
        both(it);
        unreadable(it);
      },
    });
    expectAdmitted(lane);
    const { bundles, blobs, waybillDigest, release } = lane;
    expect(checkpointSizesOf(parseWaybill(blobs.get(waybillDigest ?? release) ?? new Uint8Array()))).toEqual([4, lane.log.size()]);
    expect(bundles.size).toBe(8);
    expectRefused(
      await story({
        approvals: (it) => {
          it.approve('alice');
          unreadable(it);
        },
      }),
      'WAYBILL_APPROVALS',
    );
  });

  it('that came after the decision do not count for it: refused', async () => {
    const lane = beforeDecision({ approvals: (it) => it.approve('alice') });
    const decision = lane.decide('prod', 'edge-preprod');
    lane.approve('bob');
    lane.seal(TIMES.decided);
    lane.waybill(decision);
    await lane.publish();
    expectRefused(lane, 'WAYBILL_APPROVALS');
  });

  it("that had expired when witnesses saw the decision: refused, whatever a site's slow clock says", async () => {
    const lane = await story({
      approvals: (it) => {
        it.approve('alice');
        it.approve('bob', { expiresAt: '2026-11-24T09:59:59Z' });
      },
    });
    expectRefused(lane, 'WAYBILL_APPROVALS', { now: '2026-11-24T09:00:00Z' });
  });

  it("that were fresh when witnesses saw the decision: admitted, however long the courier's stick took", async () => {
    const lane = await story({
      approvals: (it) => {
        it.approve('alice');
        it.approve('bob', { expiresAt: '2026-11-24T10:00:01Z' });
      },
    });
    expectAdmitted(lane, { now: '2026-12-20T00:00:00Z', freshness: 'medium' });
  });

  it('expire by the latest clock of the quorum: no single witness can keep them alive', async () => {
    const lane = beforeDecision({
      approvals: (it) => {
        it.approve('alice');
        it.approve('bob', { expiresAt: '2026-11-24T10:30:00Z' });
      },
    });
    const decision = lane.decide('prod', 'edge-preprod');
    lane.seal(
      TIMES.decided,
      lane.witnesses.map((witness, at) => (at === 0 ? { ...witness, clock: '2026-11-24T10:31:00Z' } : witness)),
    );
    lane.waybill(decision);
    await lane.publish();
    expectRefused(lane, 'WAYBILL_APPROVALS');
  });
});

describe('evidence', () => {
  const about = (bend: (lane: AdmitLane) => unknown): Steps => ({
    evidence: (lane) => {
      lane.author();
      bend(lane);
    },
  });

  it.each<[string, string, (lane: AdmitLane) => unknown]>([
    ['is missing', 'EVIDENCE_RESULT', () => undefined],
    ['is about another digest', 'EVIDENCE_SUBJECT', (lane) => lane.tests({ about: elsewhere })],
    ['is by a stranger', 'EVIDENCE_SIGNER', (lane) => lane.tests({ signer: lane.people.stranger })],
    ['is by a key that policy names for something else', 'EVIDENCE_SIGNER', (lane) => lane.tests({ signer: lane.people.builder })],
    ['says that a test failed', 'EVIDENCE_RESULT', (lane) => lane.tests({ report: junit(3, 1) })],
  ])('that %s: refused with %s', async (_, code, bend) => {
    expectRefused(await story(about(bend)), code as 'EVIDENCE_RESULT');
  });

  it.each([
    ['an empty report', junit(0)],
    ['a report that cannot be read', utf8('<testsuites><testcase name="a"/>')],
  ])('whose signer says PASSED over %s: refused', async (_, report) => {
    expectRefused(await story(about((lane) => lane.tests({ report, claim: 'PASSED' }))), 'EVIDENCE_RESULT');
  });

  it('without a statement of the author, or with one by another: refused', async () => {
    const tests = (lane: AdmitLane): Digest => lane.tests();
    expectRefused(await story({ evidence: tests }), 'EVIDENCE_SIGNER');
    expectRefused(
      await story({
        evidence: (lane) => {
          lane.author({ signer: lane.people.builder });
          tests(lane);
        },
      }),
      'EVIDENCE_SIGNER',
    );
    expectRefused(
      await story({
        evidence: (lane) => {
          lane.author({ signer: lane.people.stranger });
          tests(lane);
        },
      }),
      'EVIDENCE_SIGNER',
    );
  });

  it('that was logged after the decision does not count for it: refused', async () => {
    const lane = beforeDecision(about(() => undefined));
    const decision = lane.decide('prod', 'edge-preprod');
    lane.tests();
    lane.seal(TIMES.decided);
    lane.waybill(decision);
    await lane.publish();
    expectRefused(lane, 'EVIDENCE_RESULT');
  });

  it('of a gate that this program does not know, or whose settings it cannot read: refused', async () => {
    const withGate = (use: string, settings: Record<string, string>): Steps => ({
      policy: ({ gates }) => ({ gates: [...gates, { use, with: settings }] }),
    });
    expectRefused(await story(withGate('moon-phase', {})), 'GATE_UNKNOWN');
    expectRefused(await story(withGate('soak', { weeks: '2' })), 'GATE_ERROR');
  });
});

describe('hardware', () => {
  it('of another class than the tested one, or of none that is known: refused', async () => {
    const lane = await new AdmitLane().passed();
    lane.hbom = hbom({ model: 'ER-900' });
    expectRefused(lane, 'HARDWARE_UNCOVERED');
    lane.hbom = hbom({ bios: '9.0' });
    expectRefused(lane, 'HARDWARE_UNCOVERED');
    lane.hbom = null;
    expectRefused(lane, 'HARDWARE_UNCOVERED');
    lane.hbom = hbom({ serial: 'another unit' });
    expectAdmitted(lane);
  });

  it('that is unknown is refused at the site, also where the fleet leaves such sites out', async () => {
    const lane = await story({
      policy: ({ gates }) => ({
        gates: gates.map((gate) => (gate.use === 'hardware' ? { use: 'hardware', with: { unknown: 'exclude' } } : gate)),
      }),
    });
    lane.hbom = null;
    expectRefused(lane, 'HARDWARE_UNCOVERED');
  });
});

describe('a key that was revoked from a log index on', () => {
  /** The usual story, then the owners end a key at an index; log indexes: author 0, tests 1, dev 2, edge-preprod 3, alice 4, bob 5, prod 6. */
  async function revoked(name: 'author' | 'lab' | 'dev' | 'preprod' | 'alice' | 'prod', untilIndex: number): Promise<AdmitLane> {
    const lane = await new AdmitLane().passed();
    lane.amend(({ keys }, people) => {
      const { keyId } = people[name];
      const key = keys[keyId];
      if (key === undefined) throw new RangeError(`revoke ${name}: expected its key in the policy`);
      return { keys: { ...keys, [keyId]: { ...key, untilIndex, reason: 'stolen' } } };
    });
    await lane.publish();
    return lane;
  }

  it.each([
    ['author', 0, 'KEY_REVOKED'],
    ['lab', 1, 'KEY_REVOKED'],
    ['dev', 2, 'KEY_REVOKED'],
    ['preprod', 3, 'KEY_REVOKED'],
    ['alice', 4, 'WAYBILL_APPROVALS'],
    ['prod', 6, 'KEY_REVOKED'],
  ] as const)('of %s: what it signed at or after that index is void, what it signed before stands', async (name, index, code) => {
    expectRefused(await revoked(name, index), code);
    expectAdmitted(await revoked(name, index + 1));
  });
});

describe('floors', () => {
  it("refuse a lower counter: policy's, the channel's, the site's own", async () => {
    const low = await new AdmitLane(() => ({ floor: { counter: 2, index: 0 } })).passed();
    expectRefused(low, 'RELEASE_BELOW_FLOOR');
    const lane = await new AdmitLane().passed(3);
    expectAdmitted(lane);
    expectRefused(lane, 'RELEASE_BELOW_FLOOR', { siteState: { ...lane.memory, floor: { counter: 4, index: 0 } } });
    await lane.publish({ channel: { floor: { counter: 4, index: 0 } } });
    const answer = expectRefused(lane, 'RELEASE_BELOW_FLOOR');
    expect(answer.next.bars?.counter).toBe(4);
  });

  it('with an index want approvals from that index on for every decision from it on: none is spent twice', async () => {
    const lane = beforeDecision({});
    const index = lane.log.size();
    // a second decision over approvals from before the floor
    await passedAnyway(lane, 5);
    await lane.publish({ channel: { floor: { counter: 5, index } } });
    expectRefused(lane, 'WAYBILL_APPROVALS');
    await lane.publish({ channel: { floor: { counter: 5, index: index + 1 } } });
    expectAdmitted(lane);
    const approvedAgain = beforeDecision({});
    const floor = { counter: 5, index: approvedAgain.log.size() };
    both(approvedAgain);
    await passedAnyway(approvedAgain, 5);
    await approvedAgain.publish({ channel: { floor } });
    expectAdmitted(approvedAgain);
  });
});

it('refuses a release that was revoked in the log, whenever that was logged', async () => {
  const lane = beforeDecision({});
  const decision = lane.decide('prod', 'edge-preprod');
  lane.sign(revocationStatement({ release: lane.release, reason: 'eats disks', floor: null }), lane.people.author);
  lane.seal(TIMES.decided);
  lane.waybill(decision);
  await lane.publish();
  expectRefused(lane, 'RELEASE_REVOKED');
});

it('waits for a soak by the lowest clock of the quorum', async () => {
  const soaked: Steps = { policy: ({ gates }) => ({ gates: [...gates, { use: 'soak', with: { hours: 2 } }] }) };
  expectAdmitted(await story(soaked));
  const lane = beforeDecision(soaked);
  const decision = lane.decide('prod', 'edge-preprod');
  lane.seal(
    TIMES.decided,
    lane.witnesses.map((witness, at) => (at === 0 ? { ...witness, clock: '2026-11-24T09:59:59Z' } : witness)),
  );
  lane.waybill(decision);
  await lane.publish();
  expectRefused(lane, 'WAYBILL_SOAK');
});
