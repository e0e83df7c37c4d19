/** THREATS.md: what the channel orders of this site, whose site it is, and what the site keeps in mind. */
import { sha256, utf8 } from '@sealane/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { admit } from '../admit.js';
import { AdmitLane, TIMES } from '../testing/admit-lane.js';
import { expectAdmitted, expectRefused } from '../../../../test/support/admit-verdicts.js';
import { testSigner } from '../testing/test-keys.js';

let lane: AdmitLane;
beforeAll(async () => {
  lane = await new AdmitLane().passed();
});

/** The site with another record. */
const withRecord = (record: Uint8Array): { readonly site: ReturnType<AdmitLane['input']>['site'] } => ({
  site: { ...lane.input().site, record },
});

describe('the record of the site', () => {
  it('is of another site, key or stage: refused', () => {
    expectRefused(lane, 'SITE_MISMATCH', withRecord(lane.siteRecord({ site: 'plant-8' })));
    const { keyId, spki } = testSigner();
    expectRefused(lane, 'SITE_MISMATCH', withRecord(lane.siteRecord({ key: { id: keyId, spki: Buffer.from(spki).toString('base64') } })));
    expectRefused(lane, 'SITE_MISMATCH', withRecord(lane.siteRecord({ stage: 'dev' })));
  });

  it('is presented by a clone with a key of its own: refused', () => {
    expectRefused(lane, 'SITE_MISMATCH', { site: { ...lane.input().site, keyId: testSigner().keyId } });
  });

  it.each(['stranger', 'alice', 'prod'] as const)('is by %s and not by the registrar: refused', (name) => {
    expectRefused(lane, 'SITE_MISMATCH', withRecord(lane.siteRecord({}, lane.people[name])));
  });

  it('was changed, or is none: refused', () => {
    const text = Buffer.from(lane.siteRecord()).toString();
    const { dsseEnvelope } = JSON.parse(text) as { dsseEnvelope: { payload: string } };
    const payload = Buffer.from(Buffer.from(dsseEnvelope.payload, 'base64').toString().replace('"eu"', '"us"')).toString('base64');
    expectRefused(lane, 'SITE_MISMATCH', withRecord(utf8(text.replace(dsseEnvelope.payload, payload))));
    expectRefused(lane, 'SITE_MISMATCH', withRecord(utf8('{}')));
    expectRefused(lane, 'SITE_MISMATCH', withRecord(new Uint8Array()));
  });

  it('is by a registrar whose key was ended, with no proof of when: refused', async () => {
    const ended = await new AdmitLane().passed();
    ended.amend(({ keys }, { registrar }) => {
      const key = keys[registrar.keyId];
      return key === undefined ? {} : { keys: { ...keys, [registrar.keyId]: { ...key, untilIndex: 3, reason: 'lost' } } };
    });
    await ended.publish();
    expectRefused(ended, 'SITE_MISMATCH');
  });
});

describe('the group of the site', () => {
  it('is none: nothing is wanted of it, and the trust is kept', async () => {
    const other = await new AdmitLane(() => ({ groups: [{ name: 'all', match: { region: 'us' } }] })).passed();
    const { outcome, reason, next, group } = admit(other.input());
    expect([outcome, reason, group, next.seenCheckpoint]).toEqual(['unchanged', null, null, other.checkpoint]);
  });

  it('is more than one: refused', async () => {
    const twice = new AdmitLane(() => ({
      groups: [
        { name: 'all', match: {} },
        { name: 'eu', match: { region: 'eu' } },
      ],
    }));
    expectRefused(await twice.passed(), 'SITE_MISMATCH');
  });

  it('has another selector in the channel than in the policy: the stage does not say who belongs to it', async () => {
    const moved = await new AdmitLane().passed();
    const groups = moved.channel().groups.map((group) => ({ ...group, match: { region: 'eu' } }));
    await moved.publish({ channel: { groups } });
    expectRefused(moved, 'SITE_MISMATCH');
  });

  it('has no release yet: unchanged', async () => {
    const empty = new AdmitLane();
    empty.evidence();
    empty.seal(TIMES.evidence);
    await empty.publish();
    expect(admit(empty.input())).toMatchObject({ outcome: 'unchanged', reason: null, group: 'all', release: null });
  });
});

describe('orders of the channel', () => {
  it('hold the group: refused; another group: admitted', async () => {
    const held = await new AdmitLane().passed();
    await held.publish({ channel: { held: [{ group: 'all', reason: 'storm' }] } });
    expect(expectRefused(held, 'CHANNEL_HELD').checks.at(-1)?.actual).toContain('storm');
    await held.publish({ channel: { held: [{ group: 'canary', reason: 'storm' }] } });
    expectAdmitted(held);
    const { now } = held.input();
    await held.publish({ channel: { frozen: { reason: 'year-end', until: '2026-12-31T00:00:00Z' } } });
    expect(expectRefused(held, 'CHANNEL_HELD').checks.at(-1)?.actual).toContain('frozen until 2026-12-31T00:00:00Z: year-end');
    await held.publish({ channel: { frozen: { reason: 'year-end', until: now } } });
    expectAdmitted(held);
  });

  it('fence the site: refused; another site: admitted', async () => {
    const fenced = await new AdmitLane().passed();
    await fenced.publish({ channel: { fenced: [{ site: 'plant-7', reason: 'stolen' }] } });
    expectRefused(fenced, 'SITE_FENCED');
    await fenced.publish({ channel: { fenced: [{ site: 'plant-8', reason: 'stolen' }] } });
    expectAdmitted(fenced);
  });

  it('fence also a site that runs the release already', async () => {
    const fenced = await new AdmitLane().passed();
    await fenced.publish({ channel: { fenced: [{ site: 'plant-7', reason: 'stolen' }] } });
    expectRefused(fenced, 'SITE_FENCED', { siteState: { ...fenced.memory, installed: { release: fenced.release, counter: 1 } } });
  });
});

describe('a revoked release', () => {
  it('stays revoked when a later channel no longer says so', async () => {
    const revoked = await new AdmitLane().passed();
    await revoked.publish({ channel: { revoked: [{ release: revoked.release, reason: 'eats disks' }] } });
    const first = expectRefused(revoked, 'RELEASE_REVOKED');
    expect(first.next.bars?.revoked).toEqual([revoked.release]);
    await revoked.publish();
    const kept = { ...revoked.memory, revoked: first.next.revoked };
    const second = expectRefused(revoked, 'RELEASE_REVOKED', { siteState: kept, trust: first.next.trust });
    expect(second.next.revoked).toEqual(first.next.revoked);
  });

  it('counts again once the owners replaced the key of the stage that said so: a thief cannot stop the fleet for good', async () => {
    const stolen = await new AdmitLane().passed();
    await stolen.publish({ channel: { revoked: [{ release: stolen.release, reason: 'ransom' }], floor: { counter: 99, index: 0 } } });
    const { next } = expectRefused(stolen, 'RELEASE_REVOKED');
    stolen.trust.stages = { ...stolen.trust.stages, prod: testSigner() };
    await stolen.publish();
    const answer = expectAdmitted(stolen, { siteState: { ...stolen.memory, revoked: next.revoked }, trust: next.trust });
    expect(answer.next.revoked).toMatchObject({ releases: [], floor: null });
  });

  it('below a floor that a later channel no longer names: the floor stays', async () => {
    const raised = await new AdmitLane().passed();
    await raised.publish({ channel: { floor: { counter: 5, index: 0 } } });
    const { next } = expectRefused(raised, 'RELEASE_BELOW_FLOOR');
    await raised.publish();
    expectRefused(raised, 'RELEASE_BELOW_FLOOR', { siteState: { ...raised.memory, revoked: next.revoked }, trust: next.trust });
  });
});

describe('what the site knows', () => {
  const another = sha256(utf8('another release'));

  it('runs this release already: unchanged; another: admitted', () => {
    const { next, ...answer } = admit(lane.input({ siteState: { ...lane.memory, installed: { release: lane.release, counter: 1 } } }));
    expect([answer.outcome, answer.reason, next.seenCheckpoint]).toEqual(['unchanged', null, lane.checkpoint]);
    expectAdmitted(lane, { siteState: { ...lane.memory, installed: { release: another, counter: 1 } } });
  });

  it('has seen this release fail: unchanged, by its reason', () => {
    const denied = [{ release: lane.release, reason: 'health' }];
    expect(admit(lane.input({ siteState: { ...lane.memory, denied } }))).toMatchObject({
      outcome: 'unchanged',
      reason: 'RELEASE_FAILED_HERE',
    });
    expectAdmitted(lane, { siteState: { ...lane.memory, denied: [{ release: another, reason: 'health' }] } });
  });

  it('is held by its operator: deferred, with every check passed', () => {
    const answer = admit(lane.input({ local: { hold: 'maintenance' } }));
    expect(answer).toMatchObject({ outcome: 'deferred', reason: 'LOCAL_HOLD', release: lane.release });
    expect(answer.checks.every(({ verdict }) => verdict === 'pass')).toBe(true);
  });

  it('keeps the lowest time of the quorum as its floor of time, never goes back, and never past the expiry of the root', async () => {
    expect(expectAdmitted(lane).next.timeFloor).toBe(TIMES.decided);
    expect(expectAdmitted(lane, { siteState: { ...lane.memory, timeFloor: '2026-11-25T00:00:00Z' } }).next.timeFloor).toBe(
      '2026-11-25T00:00:00Z',
    );
    const future = await new AdmitLane().passed();
    future.seal('2099-01-01T00:00:00Z');
    expect(expectAdmitted(future).next.timeFloor).toBe('2027-11-24T11:00:00Z');
    const [first, second] = future.witnesses;
    if (first === undefined || second === undefined) throw new RangeError('seal: expected two witnesses');
    future.seal(TIMES.published, [{ ...first, clock: '2099-01-01T00:00:00Z' }, second]);
    expect(expectAdmitted(future).next.timeFloor).toBe(TIMES.published);
  });

  it('gives the same answer to the same input', () => {
    const input = lane.input();
    expect(admit(input)).toEqual(admit(input));
  });
});
