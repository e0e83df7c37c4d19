/** A13: refuse, revoke, freeze, go back: signed, logged with a reason, and heard at the next poll by a real site. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clockAhead } from '../support/clock.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { type Answer, runJson } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

const HOUR_MS = 3_600_000;

let dir: string;
let lane: TestLane;
let site: TestSite;
let one: string;
let two: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-a13-'));
  lane = await makeLane(dir);
  one = await lane.release('1.0.0');
  await lane.promote(one);
  site = await enrolSite(lane, path.join(dir, 'site'));
  await site.must(['update']);
  two = await lane.release('1.1.0');
  await lane.promote(two);
});

afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

const current = async (): Promise<string> => (await site.must(['status'])).current.release;

/** What the log holds of an order that a command answered with: its signer's statement, in full. */
async function logged(answer: Answer['json']): Promise<Record<string, unknown>> {
  const [{ digest, logIndex, predicateType }] = answer.statements;
  expect(logIndex).toEqual(expect.any(Number));
  const { statement } = await lane.sealane(['evidence', 'show', digest]);
  expect(statement.predicateType).toBe(predicateType);
  return statement.predicate;
}

/** The last receipt of the site. */
function lastReceipt(): Record<string, unknown> {
  const folder = path.join(site.state, 'receipts');
  const file = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .at(-1);
  const { dsseEnvelope } = JSON.parse(readFileSync(path.join(folder, file ?? ''), 'utf8'));
  return JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString()).predicate;
}

it('A13 a frozen stage: promote is refused as planned, sites install nothing, what runs goes on; unfreeze lifts it', async () => {
  const frozen = await lane.sealane(['freeze', 'prod', '--reason', 'year-end', '--until', '2031-01-05T00:00:00Z'], 2);
  expect(frozen.error.code).toBe('USAGE');
  const answer = await lane.sealane(['freeze', 'prod', '--reason', 'year-end']);
  expect(await logged(answer)).toMatchObject({ order: 'freeze', stage: 'prod', reason: 'year-end', expiresAt: answer.frozen.until });
  expect((await lane.sealane(['channel', 'show', 'prod'])).frozen).toEqual(answer.frozen);

  const three = await lane.release('1.2.0');
  await lane.promote(three, 'edge-preprod');
  for (const person of ['alice', 'bob']) await lane.sealane(['approve', three, '--to', 'prod', '--key', person]);
  const plan = await lane.sealane(['plan', three, '--to', 'prod'], 3);
  const refused = await lane.sealane(['promote', three, '--to', 'prod'], 3);
  for (const { checks } of [plan, refused])
    expect(checks.at(-1)).toMatchObject({
      id: 'frozen',
      verdict: 'fail',
      code: 'STAGE_FROZEN',
      remedy: 'sealane unfreeze prod --reason TEXT',
      evidence: [answer.statements[0].digest],
    });
  expect((await lane.sealane(['promote', three, '--to', 'prod'], 3)).logIndex).toBe(refused.logIndex);
  for (const words of [
    ['channel', 'set', 'prod', one],
    ['channel', 'rollback', 'prod', '--to', one, '--reason', 'slow'],
  ])
    expect((await lane.sealane(words, 3)).error.code).toBe('STAGE_FROZEN');

  const held = await site.must(['update'], 3);
  expect(held).toMatchObject({ outcome: 'refused', reason: 'CHANNEL_HELD' });
  expect(await current()).toBe(one);
  expect(lastReceipt()).toMatchObject({ event: 'refused', reason: 'CHANNEL_HELD' });

  const lifted = await lane.sealane(['unfreeze', 'prod', '--reason', 'the season is over']);
  expect(await logged(lifted)).toMatchObject({ order: 'unfreeze', reason: 'the season is over' });
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: two, previous: one });
  expect((await lane.sealane(['plan', three, '--to', 'prod'])).decision).toBe('passed');
});

it('A13 a stage goes back to an earlier release, the site follows at its next poll, and a retried promotion does not undo it', async () => {
  const back = await lane.sealane(['channel', 'rollback', 'prod', '--to', one, '--reason', 'slow since 1.1.0']);
  expect(await logged(back)).toMatchObject({ order: 'rollback', stage: 'prod', groups: ['all'], release: one, reason: 'slow since 1.1.0' });
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: one, previous: two });
  expect(lastReceipt()).toMatchObject({ event: 'installed', release: one });
  await lane.sealane(['promote', two, '--to', 'prod']);
  expect((await lane.sealane(['channel', 'show', 'prod'])).groups).toMatchObject([{ release: one }]);
  expect(await site.must(['update'])).toMatchObject({ outcome: 'unchanged' });
  const never = await lane.release('0.9.0');
  expect((await lane.sealane(['channel', 'rollback', 'prod', '--to', never, '--reason', 'x'], 4)).error.code).toBe('WAYBILL_STAGE_ORDER');
});

it('A13 what is held, fenced and pointed by hand is signed and logged with its reason too, and so is what takes it back', async () => {
  const hold = await lane.sealane(['channel', 'hold', 'prod', '--reason', 'incident 12']);
  expect(await logged(hold)).toMatchObject({ order: 'hold', stage: 'prod', groups: ['all'], release: null, reason: 'incident 12' });
  // a hold is no freeze: it bars sites and not promotions, and an order about something else ends none
  await lane.sealane(['freeze', 'prod', '--reason', 'year-end']);
  const fence = await lane.sealane(['site', 'fence', site.name, '--reason', 'stolen']);
  expect(await logged(fence)).toMatchObject({ order: 'fence', site: site.name, groups: [], reason: 'stolen' });
  expect((await lane.sealane(['plan', two, '--to', 'prod'], 3)).checks.at(-1)).toMatchObject({ id: 'frozen' });
  await lane.sealane(['unfreeze', 'prod', '--reason', 'the year is over']);
  const rejoin = await lane.sealane(['site', 'rejoin', site.name, '--reason', 'found']);
  expect(await logged(rejoin)).toMatchObject({ order: 'rejoin', site: site.name, reason: 'found' });
  const unhold = await lane.sealane(['channel', 'unhold', 'prod']);
  expect(await logged(unhold)).toMatchObject({ order: 'unhold', reason: 'none given' });
  const set = await lane.sealane(['channel', 'set', 'prod', one, '--reason', 'as it was']);
  expect(await logged(set)).toMatchObject({ order: 'set', stage: 'prod', groups: ['all'], release: one, reason: 'as it was' });
  // what was let in before it is not published again by a retried job
  await lane.sealane(['promote', two, '--to', 'prod']);
  expect((await lane.sealane(['channel', 'show', 'prod'])).groups).toMatchObject([{ release: one }]);
});

it('A13 a veto, signed with a reason, bars a release from the stage until that person takes it back', async () => {
  const four = await lane.release('1.3.0');
  await lane.promote(four, 'edge-preprod');
  const veto = await lane.sealane(['reject', four, '--to', 'prod', '--key', 'alice', '--reason', 'not before the audit']);
  expect(await logged(veto)).toMatchObject({ verdict: 'reject', reason: 'not before the audit' });
  await lane.sealane(['approve', four, '--to', 'prod', '--key', 'bob']);
  const refused = await lane.sealane(['promote', four, '--to', 'prod'], 3);
  expect(refused.checks.find(({ id }: { id: string }) => id === 'approvals')).toMatchObject({ verdict: 'fail', code: 'WAYBILL_APPROVALS' });
  expect(await site.must(['update'])).toMatchObject({ outcome: 'unchanged' });
  await lane.sealane(['approve', four, '--to', 'prod', '--key', 'alice']);
  expect((await lane.sealane(['plan', four, '--to', 'prod'])).decision).toBe('passed');
});

it('A13 a freeze ends by itself at the time that it says, for promotions and for sites', async () => {
  const until = new Date(Math.ceil(Date.now() / 1000) * 1000 + HOUR_MS).toISOString().replace('.000Z', 'Z');
  await lane.sealane(['channel', 'set', 'prod', two, '--reason', 'for the weekend']);
  const { frozen } = await lane.sealane(['freeze', 'prod', '--reason', 'a match is on', '--until', until]);
  expect(frozen).toEqual({ until, reason: 'a match is on' });
  const planned = async (env: Parameters<typeof runJson>[2] = {}): Promise<string[]> =>
    (await runJson('sealane', ['plan', two, '--to', 'prod', '--home', lane.home], env)).json.checks
      .filter(({ verdict }: { verdict: string }) => verdict !== 'pass')
      .map(({ id }: { id: string }) => id);
  expect([await planned(), await planned(clockAhead(HOUR_MS / 2)), await planned(clockAhead(2 * HOUR_MS))]).toEqual([
    ['frozen'],
    ['frozen'],
    [],
  ]);
  expect(await site.must(['update'], 3)).toMatchObject({ outcome: 'refused', reason: 'CHANNEL_HELD' });
  expect((await site.run(['update'], clockAhead(2 * HOUR_MS))).json).toMatchObject({ outcome: 'installed', release: two });
  await lane.sealane(['unfreeze', 'prod', '--reason', 'rained off']);
  await lane.sealane(['channel', 'set', 'prod', one, '--reason', 'as it was']);
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: one });
});

it('A13 B8 a revoked release is held back from a site at its next poll, and never comes back; no witness is needed for that', async () => {
  await lane.sealane(['channel', 'set', 'prod', two, '--reason', 'the fix is in 1.1.0 after all']);
  await lane.witness.stop();
  const revoked = await lane.sealane(['revoke', two, '--reason', 'burns its host']);
  expect(revoked.statements).toMatchObject([{ predicateType: 'urn:sealane:revocation:v1', logIndex: expect.any(Number) }]);
  expect(await site.must(['update'], 3)).toMatchObject({ outcome: 'refused', reason: 'RELEASE_REVOKED' });
  expect(await current()).toBe(one);
  for (const words of [
    ['channel', 'set', 'prod', two],
    ['channel', 'rollback', 'prod', '--to', two, '--reason', 'try again'],
  ])
    expect((await lane.sealane(words, 3)).error.code).toBe('RELEASE_REVOKED');
  const again = await lane.sealane(['promote', two, '--to', 'prod'], 3);
  expect(again.checks.find(({ id }: { id: string }) => id === 'revoked')).toMatchObject({ verdict: 'fail', code: 'RELEASE_REVOKED' });
  expect(await site.must(['rollback'], 3)).toMatchObject({ outcome: 'refused', reason: 'RELEASE_REVOKED' });
  expect(await current()).toBe(one);
});
