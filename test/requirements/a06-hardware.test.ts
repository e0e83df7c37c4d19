/** A6: a release goes where its tests have been: every class of machine and attached device at the target sites, or the site is named and left out. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Check } from '@sealane/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Machine, writeMachine } from '../support/hardware.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { expectJson, runJson } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

/** Towns with what stands there: all but Dale are like the lab's machine, which has another serial and another camera of the same kind. */
const TOWNS = {
  abbey: { serial: 'NR0101', cameras: { 'OK-1': '10.12' } },
  brook: { serial: 'NR0102', cameras: { 'OK-2': '10.12', 'OK-3': '10.12' } },
  dale: { serial: 'NR0104', cameras: { 'OK-5': '10.12' }, nic: '9.40' },
} as const satisfies Readonly<Record<string, Machine>>;

let dir: string;
let lane: TestLane;
const sites = new Map<string, TestSite>();

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-hardware-'));
  lane = await makeLane(dir, { pipeline: withTowns });
  await labInventory({ serial: 'NR0001', cameras: { 'OK-9': '10.12' } });
  for (const [name, machine] of Object.entries(TOWNS)) {
    const { root, devices } = writeMachine(path.join(dir, name), machine);
    const yaml = `inventory: { root: ${root}, devices: [${devices}] }`;
    sites.set(name, await enrolSite(lane, path.join(dir, name), { name, labels: [`town=${name}`], yaml }));
  }
  const first = await lane.release('1.0.0');
  await lane.promote(first);
});

afterAll(async () => {
  for (const each of sites.values()) await each.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** The pipeline with a group for each town, and with the facts that real fleets ask for. */
function withTowns(text: string): string {
  const groups = Object.keys(TOWNS).map((town) => `    - { name: ${town}, match: { town: ${town} } }\n`);
  return `${text.replace('require: [arch, cpu]', 'require: [vendor, model, revision, firmware]')}groups:\n  prod:\n${groups.join('')}`;
}

/** Takes the inventory of the lab's machine into the file that evidence hands in. */
async function labInventory(machine: Machine): Promise<void> {
  const { root, devices } = writeMachine(path.join(dir, 'lab'), machine);
  await expectJson('sealane-site', ['inventory', '--root', root, '--devices', devices, '--out', lane.hardware]);
}

function site(name: keyof typeof TOWNS): TestSite {
  const found = sites.get(name);
  if (found === undefined) throw new RangeError(`look up site ${name}: expected one`);
  return found;
}

/** Carries the receipts of every site to the promoter. */
async function carryReceipts(): Promise<void> {
  for (const each of sites.values()) {
    const folder = path.join(dir, 'receipts', each.name);
    await each.must(['receipt', 'export', folder]);
    const files = readdirSync(folder).map((file) => path.join(folder, file));
    await lane.sealane(['statement', 'add', ...files]);
  }
}

/** What the gate says of a release in a plan for prod, whatever else is missing. */
async function hardwareCheck(release: string, words: readonly string[] = []): Promise<Check> {
  const { json } = await runJson('sealane', ['plan', release, '--to', 'prod', '--home', lane.home, ...words]);
  const found = (json.checks as readonly Check[]).find(({ id }) => id === 'hardware');
  if (found === undefined) throw new RangeError('look up the check hardware: expected one');
  return found;
}

const UNCOVERED = { verdict: 'fail', code: 'HARDWARE_UNCOVERED' };
const DALE = 'dale is uncovered (firmware: tested Intel X710 02: firmware 9.20, here Intel X710 02: firmware 9.40';

describe('tested hardware', () => {
  test('A6 the town whose network card has other firmware refuses by itself; the others install', async () => {
    expect(await site('abbey').must(['update'])).toMatchObject({ outcome: 'installed' });
    expect(await site('brook').must(['update'])).toMatchObject({ outcome: 'installed' });
    const refused = await site('dale').must(['update'], 3);
    expect(refused).toMatchObject({
      outcome: 'refused',
      reason: 'HARDWARE_UNCOVERED',
      release: expect.stringMatching(/^sha256:/) as string,
    });
    expect(JSON.stringify(refused.checks)).toContain('here Intel X710 02: firmware 9.40');
    expect((await site('dale').must(['status'])).current).toBe(null);
    await carryReceipts();
  });

  test('A6 the gate names that town by its last report, refuses a rollout of it alone, and passes once its class was tested', async () => {
    const release = await lane.release('1.1.0');
    await lane.promote(release, 'edge-preprod');
    expect(await hardwareCheck(release)).toMatchObject({
      verdict: 'pass',
      actual: expect.stringContaining('2 of 3 sites covered') as string,
    });
    expect((await hardwareCheck(release)).actual).toContain(DALE);
    expect(await hardwareCheck(release, ['--group', 'dale'])).toMatchObject({
      ...UNCOVERED,
      actual: expect.stringContaining(DALE) as string,
    });
    const refusal = await lane.sealane(['promote', release, '--to', 'prod', '--group', 'dale'], 3);
    expect(refusal).toMatchObject({ decision: 'refused', logIndex: expect.any(Number) as number });
    await labInventory({ serial: 'NR0001', nic: '9.40', cameras: { 'OK-9': '10.12' } });
    await lane.evidence(release);
    expect(await hardwareCheck(release, ['--group', 'dale'])).toMatchObject({ verdict: 'pass' });
    expect((await hardwareCheck(release)).actual).toContain('3 of 3 sites covered');
    for (const person of ['alice', 'bob']) await lane.sealane(['approve', release, '--to', 'prod', '--key', person]);
    await lane.sealane(['promote', release, '--to', 'prod']);
    expect(await site('dale').must(['update'])).toMatchObject({ outcome: 'installed', release });
  });

  test('A6 a camera swapped for one with other firmware, or a file of devices that is lost, takes a town out of coverage', async () => {
    writeMachine(path.join(dir, 'brook'), { ...TOWNS.brook, cameras: { 'OK-2': '10.12', 'OK-3': '10.13' } });
    const brook = await site('brook').must(['update'], 3);
    expect(brook).toMatchObject({ outcome: 'refused', reason: 'HARDWARE_UNCOVERED' });
    expect(JSON.stringify(brook.checks)).toContain('camera Okulo VX-8 HW 1.2: firmware: tested firmware 10.12, here firmware 10.13');
    rmSync(path.join(dir, 'abbey', 'devices.cdx.json'));
    const abbey = await site('abbey').must(['update'], 3);
    expect(JSON.stringify(abbey.checks)).toContain('firmware: tested Intel X710 02: firmware 9.20, here none');
    await carryReceipts();
    await labInventory({ serial: 'NR0001', cameras: { 'OK-9': '10.12' } });
    const release = await lane.release('1.2.0');
    await lane.evidence(release);
    const { actual } = await hardwareCheck(release);
    expect(actual).toContain('no site is covered: 0 of 3 sites covered');
    expect(actual).toContain('brook is uncovered (camera Okulo VX-8');
    expect(actual).toContain('abbey is uncovered (firmware: tested Intel X710');
  });
});
