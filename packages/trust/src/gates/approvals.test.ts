import { describe, expect, test } from 'vitest';
import type { JsonObject } from '@sealane/core';
import { junit } from '../testing/gate-documents.js';
import { digestOf, gate, GateLane, keyOf, POLICY, RELEASE } from '../testing/gate-lane.js';
import { evidenceToApprove } from './index.js';

const short = { verdict: 'pending', code: 'WAYBILL_APPROVALS' };

function lane(settings: JsonObject = { count: 2 }): GateLane {
  const it = new GateLane(gate('tests'), gate('approvals', settings));
  it.tests(junit(3));
  return it;
}

describe('approvals gate', () => {
  test('passes on enough different people', () => {
    const it = lane();
    const digests = [it.approve('alice'), it.approve('bob')];
    expect(it.check('approvals')).toMatchObject({ verdict: 'pass', actual: 'approved by alice, bob', evidence: [...digests].sort() });
  });

  test('too few is pending, and says who may and how', () => {
    const it = lane();
    expect(it.check('approvals')).toMatchObject({
      ...short,
      actual: '0 of 2, by nobody',
      remedy: `sealane approve ${RELEASE} --to prod --key alice`,
    });
    it.approve('alice');
    expect(it.check('approvals')).toMatchObject({
      ...short,
      actual: '1 of 2, by alice',
      remedy: `sealane approve ${RELEASE} --to prod --key bob`,
    });
  });

  test('a person with two keys, or who approves twice, is one person', () => {
    const it = lane();
    it.approve('alice');
    it.approve('alice', { key: 'alice2' });
    it.approve('alice', { expiresAt: '2026-11-28T09:00:00Z' });
    expect(it.check('approvals')).toMatchObject({ ...short, actual: '1 of 2, by alice' });
  });

  test("a stranger's approval is nobody's", () => {
    const it = lane();
    it.approve('stranger');
    it.approve('alice');
    expect(it.check('approvals')).toMatchObject({ ...short, actual: '1 of 2, by alice' });
  });

  test.each([
    ['of another release', { release: digestOf('other') }],
    ['whose subject is another release', { subject: digestOf('other') }],
    ['about this release that names another', { release: digestOf('other'), subject: RELEASE }],
    ['for another stage', { stage: 'edge-preprod' }],
    ['for other groups', { rollout: ['canary'] }],
    ['for more groups', { rollout: ['all', 'canary'] }],
    ['under another policy', { policy: digestOf('old policy') }],
    ['that expired before the witnessed time', { expiresAt: '2026-11-24T09:59:59Z' }],
    ['that expires at the witnessed time', { expiresAt: '2026-11-24T10:00:00Z' }],
    ['that expires before it was issued', { issuedAt: '2027-01-01T00:00:00Z', expiresAt: '2026-12-01T00:00:00Z' }],
    ['that has seen nothing', { seen: [] }],
    ['that saw another log', { checkpoint: { origin: 'other.example', size: 0, root: `${'A'.repeat(43)}=` } }],
  ])('one %s does not count', (_, change) => {
    const it = lane();
    it.approve('alice');
    it.approve('bob', change);
    expect(it.check('approvals')).toMatchObject({ ...short, actual: expect.stringMatching(/^1 of 2, by alice/) as string });
  });

  test('expiry is judged at the highest time of the quorum', () => {
    const it = lane();
    it.approve('alice');
    it.approve('bob');
    it.time = { lowest: '2026-11-24T10:00:00Z', highest: '2026-11-27T09:00:00Z' };
    expect(it.check('approvals')).toMatchObject({
      ...short,
      actual: expect.stringContaining('alice: expired at 2026-11-27T09:00:00Z') as string,
    });
  });

  test('one under an earlier policy counts only below the index that the policy of now gives', () => {
    const it = lane();
    it.approve('alice');
    it.approve('bob', { policy: digestOf('old policy') });
    const index = it.statements.at(-1)!.logIndex;
    it.policy = { ...it.policy, accepts: [{ digest: digestOf('old policy'), belowIndex: index }] };
    expect(it.check('approvals')).toMatchObject(short);
    it.policy = { ...it.policy, accepts: [{ digest: digestOf('old policy'), belowIndex: index + 1 }] };
    expect(it.check('approvals')).toMatchObject({ verdict: 'pass' });
  });

  test('the order of groups is part of what is approved', () => {
    const it = lane({ count: 1 });
    it.policy = {
      ...it.policy,
      groups: [
        { name: 'canary', match: {} },
        { name: 'rest', match: {} },
      ],
    };
    it.rollout = ['canary', 'rest'];
    it.approve('alice', { rollout: ['rest', 'canary'] });
    expect(it.check('approvals')).toMatchObject(short);
    it.rollout = ['canary'];
    expect(it.check('approvals').remedy).toBe(`sealane approve ${RELEASE} --to prod --group canary --key alice`);
  });

  test('more approvers than policy names can never be: that fails, it does not wait', () => {
    expect(lane({ count: 4 }).check('approvals')).toMatchObject({ verdict: 'fail', code: 'WAYBILL_APPROVALS' });
  });

  test('bob may sign what alice signed, but not be counted for her signature', () => {
    const it = lane();
    it.approve('alice');
    const first = it.statements.at(-1)!;
    it.statements.push({ ...first, logIndex: 40 }, { ...first, keyId: keyOf('stranger'), logIndex: 41 });
    expect(it.check('approvals')).toMatchObject({ ...short, actual: '1 of 2, by alice' });
  });
});

describe('who may not approve', () => {
  test.each([
    ['the author', 'author', () => undefined],
    ['the tester', 'lab', () => undefined],
    ['the promoter', 'prod', () => undefined],
    ['the promoter of a stage before', 'dev', () => undefined],
  ])("%s does not count, by any of the person's keys", (_, key) => {
    const it = lane();
    it.policy = {
      ...it.policy,
      people: [
        { id: 'alice', keys: [keyOf('alice'), keyOf(key)] },
        { id: 'bob', keys: [keyOf('bob')] },
        { id: 'carol', keys: [keyOf('carol')] },
      ],
    };
    it.approve('alice');
    it.approve('bob');
    expect(it.check('approvals')).toMatchObject({
      ...short,
      actual: expect.stringMatching(/^1 of 2, by bob; alice: is (author|tester|promoter), and may not approve/) as string,
    });
  });

  test('who tested counts as tester whether policy names the key for tests or for hardware only', () => {
    for (const signers of [
      { tests: [keyOf('lab')], hardware: [] },
      { tests: [], hardware: [keyOf('lab')] },
    ]) {
      const it = new GateLane(gate('approvals', { count: 1 }));
      const people = [{ id: 'dora', keys: [keyOf('carol'), keyOf('lab')] }, ...it.policy.people.slice(0, 1)];
      it.policy = { ...it.policy, people, signers: { ...it.policy.signers, ...signers } };
      it.tests(junit(3));
      it.approve('dora', { key: 'carol' });
      expect(it.check('approvals')).toMatchObject({ ...short, actual: '0 of 1, by nobody; dora: is tester, and may not approve' });
    }
  });

  test('an author who is not known refuses', () => {
    const it = lane();
    it.statements.splice(
      it.statements.findIndex(({ keyId }) => keyId === keyOf('author')),
      1,
    );
    it.approve('alice');
    it.approve('bob');
    expect(it.check('approvals')).toMatchObject({
      verdict: 'fail',
      code: 'WAYBILL_APPROVALS',
      actual: expect.stringContaining('the author is not known') as string,
    });
  });

  test('every signer of the release statement is an author, also of the very same statement', () => {
    const it = lane();
    it.policy = { ...it.policy, signers: { ...it.policy.signers, release: [keyOf('author'), keyOf('bob')] } };
    it.release('bob');
    it.approve('alice');
    it.approve('bob');
    expect(it.check('approvals')).toMatchObject({ ...short, actual: '1 of 2, by alice; bob: is author, and may not approve' });
  });

  test('policy may allow a role', () => {
    const it = lane({ count: 2, distinctFrom: ['author'] });
    it.policy = {
      ...it.policy,
      people: [
        { id: 'alice', keys: [keyOf('alice'), keyOf('lab')] },
        { id: 'bob', keys: [keyOf('bob')] },
      ],
    };
    it.approve('alice');
    it.approve('bob');
    expect(it.check('approvals')).toMatchObject({ verdict: 'pass' });
  });
});

describe('evidence seen', () => {
  test('is what the evidence gates read: a newer failure needs new approvals', () => {
    const it = lane();
    it.approve('alice');
    it.approve('bob');
    it.tests(junit(2, 1));
    it.tests(junit(3));
    expect(it.check('tests')).toMatchObject({ verdict: 'pass' });
    expect(it.check('approvals')).toMatchObject({ ...short, actual: expect.stringContaining('has not seen 1 statement ') as string });
    it.approve('alice');
    it.approve('bob');
    expect(it.check('approvals')).toMatchObject({ verdict: 'pass' });
  });

  test('a failure must have been seen also where no gate reads tests', () => {
    const it = new GateLane(gate('approvals', { count: 1 }));
    it.approve('alice');
    const failure = it.tests(junit(2, 1));
    expect(evidenceToApprove(it.input())).toEqual([failure]);
    expect(it.check('approvals')).toMatchObject(short);
    it.approve('bob');
    expect(it.check('approvals')).toMatchObject({ verdict: 'pass', actual: 'approved by bob' });
  });

  test('a failure must have been seen whether policy names its lab for tests or for hardware only', () => {
    for (const signers of [
      { tests: [keyOf('lab')], hardware: [] },
      { tests: [], hardware: [keyOf('lab')] },
    ]) {
      const it = new GateLane(gate('approvals', { count: 1 }));
      it.policy = { ...it.policy, signers: { ...it.policy.signers, ...signers } };
      it.approve('alice');
      it.tests(junit(2, 1));
      expect(it.check('approvals')).toMatchObject(short);
    }
  });

  test('decisions of earlier stages are not evidence: who approved before them need not again', () => {
    const it = new GateLane(gate('approvals', { count: 1 }));
    it.statements.length = 0;
    it.release();
    it.approve('alice');
    it.decide('dev', null);
    it.decide('edge-preprod', 'dev');
    expect(it.check('approvals')).toMatchObject({ verdict: 'pass' });
  });
});

describe('rejections', () => {
  test("one person's veto refuses, whatever the others say", () => {
    const it = lane();
    it.approve('alice');
    it.approve('bob');
    const veto = it.approve('carol', { verdict: 'reject', reason: 'leaks memory' });
    expect(it.check('approvals')).toMatchObject({
      verdict: 'fail',
      code: 'WAYBILL_APPROVALS',
      actual: 'carol rejected it: leaks memory',
      evidence: [veto],
    });
  });

  test.each([
    ['has expired', { expiresAt: '2026-11-24T09:30:00Z' }],
    ['was for other groups', { rollout: ['canary'] }],
    ['was under another policy', { policy: digestOf('old') }],
    ['has seen nothing', { seen: [] }],
  ])('a veto stands also when it %s', (_, change) => {
    const it = lane({ count: 1 });
    it.approve('alice');
    it.approve('bob', { verdict: 'reject', ...change });
    expect(it.check('approvals')).toMatchObject({ verdict: 'fail' });
  });

  test("only the same person's later approval that counts lifts it", () => {
    const it = lane({ count: 1 });
    it.approve('bob');
    it.approve('bob', { verdict: 'reject' });
    it.approve('alice');
    expect(it.check('approvals')).toMatchObject({ verdict: 'fail' });
    it.approve('bob', { seen: [] });
    expect(it.check('approvals')).toMatchObject({ verdict: 'fail' });
    it.approve('bob', { policy: POLICY });
    expect(it.check('approvals')).toMatchObject({ verdict: 'pass', actual: 'approved by alice, bob' });
  });

  test('a person who may not approve may still veto', () => {
    const it = lane({ count: 1 });
    it.policy = { ...it.policy, people: [...it.policy.people, { id: 'dave', keys: [keyOf('author')] }] };
    it.approve('alice');
    it.approve('author', { verdict: 'reject' });
    expect(it.check('approvals')).toMatchObject({ verdict: 'fail' });
  });

  test("a stranger's veto, or one of another stage, is nothing", () => {
    const it = lane({ count: 1 });
    it.approve('alice');
    it.approve('stranger', { verdict: 'reject' });
    it.approve('bob', { verdict: 'reject', stage: 'dev' });
    expect(it.check('approvals')).toMatchObject({ verdict: 'pass' });
  });
});
