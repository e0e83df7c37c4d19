/** A13: untested hardware and a closed window are let through by people whom policy names for just that: at the promoter, and again at the very sites that they name. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Machine, writeMachine } from '../support/hardware.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { expectJson } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

/** Dale has another firmware in its network card than what is tested. */
const TOWNS = {
  abbey: { serial: 'NR0101', cameras: { 'OK-1': '10.12' } },
  dale: { serial: 'NR0104', cameras: { 'OK-5': '10.12' }, nic: '9.40' },
  ewell: { serial: 'NR0105', cameras: { 'OK-6': '10.12' } },
} as const satisfies Readonly<Record<string, Machine>>;

const KINDS = `  - { kind: hardware, people: [alice], need: 1, maxDays: 2, maxUses: 1 }
  - { kind: window, people: [bob], need: 1, maxDays: 2, maxUses: 1 }
`;

interface Check {
  readonly id: string;
  readonly verdict: string;
  readonly actual: string;
}

let dir: string;
let lane: TestLane;
let release: string;
let waivedBefore: string;
const sites: Record<string, TestSite> = {};

/** Prod's window is that of an hour on new year's day. */
function pipeline(text: string): string {
  const closed = "{ timeZone: UTC, allow: [{ start: '2020-01-01T00:00', rule: 'FREQ=YEARLY', hours: 1 }] }";
  return text
    .replace('require: [arch, cpu]', 'require: [vendor, model, revision, firmware]')
    .replace(/( +)- use: approvals/, `$1- use: windows\n$1  with: ${closed}\n$1- use: approvals`)
    .replace(/( {2}- \{ kind: stale.*\n)/, `$1${KINDS}`);
}

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-waived-'));
  lane = await makeLane(dir, { pipeline });
  const lab = writeMachine(path.join(dir, 'lab'), { serial: 'NR0001', cameras: { 'OK-9': '10.12' } });
  await expectJson('sealane-site', ['inventory', '--root', lab.root, '--devices', lab.devices, '--out', lane.hardware]);
  for (const [name, machine] of Object.entries(TOWNS)) {
    const { root, devices } = writeMachine(path.join(dir, name), machine);
    sites[name] = await enrolSite(lane, path.join(dir, name), { name, yaml: `inventory: { root: ${root}, devices: [${devices}] }` });
  }
  // what the sites say of themselves before
  release = await lane.release('0.9.0');
  await lane.promote(release, 'edge-preprod');
  waivedBefore = (await waive('window', 'bob')).statements[0].digest;
  await approve();
  await lane.sealane(['promote', release, '--to', 'prod']);
  for (const name of ['abbey', 'ewell']) await sites[name]?.must(['update']);
  expect(await sites['dale']?.must(['update'], 3)).toMatchObject({ reason: 'HARDWARE_UNCOVERED' });
  for (const name of Object.keys(TOWNS)) await receiptsOf(name);
  await lane.sealane(['exception', 'review', waivedBefore, '--key', 'alice', '--reason', 'the fair was real']);
  release = await lane.release('1.0.0');
  await lane.promote(release, 'edge-preprod');
});

afterAll(async () => {
  for (const site of Object.values(sites)) await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

const approve = async (): Promise<void> => {
  for (const person of ['alice', 'bob']) await lane.sealane(['approve', release, '--to', 'prod', '--key', person]);
};
const waive = (kind: string, key: string, words: readonly string[] = [], exit = 0): ReturnType<TestLane['sealane']> =>
  lane.sealane(
    ['exception', 'create', '--release', release, '--to', 'prod', '--kind', kind, ...words, '--key', key, '--reason', 'the fair opens'],
    exit,
  );
const checkOf = (checks: readonly Check[], id: string): Check | undefined => checks.find((check) => check.id === id);
const receiptsOf = async (name: string): Promise<readonly { readonly event: string; readonly reason: string | null }[]> => {
  const folder = path.join(dir, 'receipts', name);
  await sites[name]?.must(['receipt', 'export', folder]);
  await lane.sealane(['statement', 'add', ...readdirSync(folder).map((file) => path.join(folder, file))]);
  return (await lane.sealane(['site', 'show', name])).receipts;
};

test('A13 only whom policy names for the kind may grant it, and only for sites that it names', async () => {
  for (const [kind, key, words] of [
    ['hardware', 'bob', ['--site', 'dale']],
    ['window', 'alice', []],
  ] as const)
    expect((await waive(kind, key, words, 3)).error.code).toBe('EVIDENCE_SIGNER');
  expect((await waive('hardware', 'alice', [], 2)).error.code).toBe('USAGE');
});

test('A13 a closed window waits until its exception is logged and approvers have seen it', async () => {
  await approve();
  const planned = await lane.sealane(['plan', release, '--to', 'prod'], 5);
  expect(checkOf(planned.checks, 'windows')).toMatchObject({ verdict: 'pending' });
  expect(planned.earliest).toMatch(/-01-01T00:00:00Z$/);
  await waive('window', 'bob');
  await waive('hardware', 'alice', ['--site', 'dale']);
  await approve();
  const { decision, checks } = await lane.sealane(['promote', release, '--to', 'prod']);
  expect(decision).toBe('passed');
  expect(checkOf(checks, 'windows')).toMatchObject({ verdict: 'pass', actual: expect.stringContaining('let through by bob') as string });
  expect(checkOf(checks, 'hardware')).toMatchObject({ verdict: 'pass', actual: expect.stringContaining('alice') as string });
});

test('A13 the site that the exception names installs on hardware that nobody tested; another one like it does not', async () => {
  expect(await sites['abbey']?.must(['update'])).toMatchObject({ outcome: 'installed', release });
  const dale = await sites['dale']?.must(['update']);
  expect(dale).toMatchObject({ outcome: 'installed', release });
  expect(checkOf(dale.checks, 'hardware')).toMatchObject({ verdict: 'pass', actual: expect.stringContaining('alice') as string });
  writeMachine(path.join(dir, 'ewell'), { ...TOWNS.ewell, nic: '9.40' });
  expect(await sites['ewell']?.must(['update'], 3)).toMatchObject({ outcome: 'refused', reason: 'HARDWARE_UNCOVERED' });
  expect((await receiptsOf('dale')).map(({ event }) => event)).toEqual(['refused', 'installed']);
  expect((await receiptsOf('ewell')).map(({ event }) => event)).toEqual(['installed', 'refused']);
});

test('A13 both uses are debts until somebody else has reviewed them, and another release is let through by neither', async () => {
  const open = (await lane.sealane(['exception', 'list', '--open'])).exceptions as readonly { readonly kind: string }[];
  expect(open.map(({ kind }) => kind).sort()).toEqual(['hardware', 'window']);
  const next = await lane.release('1.1.0');
  await lane.promote(next, 'edge-preprod');
  const { checks } = await lane.sealane(['plan', next, '--to', 'prod'], 5);
  expect(checkOf(checks, 'windows')?.actual).not.toContain('let through');
  expect(checkOf(checks, 'hardware')?.actual).toContain('dale is uncovered');
});
