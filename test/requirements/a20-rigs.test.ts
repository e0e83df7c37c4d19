/** A20: evidence counts only from an enrolled rig's key, with an inventory of that run, on a rig rebuilt lately and free of drift; a recall reopens it. */
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Check } from '@sealane/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Machine, writeMachine } from '../support/hardware.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { expectJson, runJson } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

const RIG = { serial: 'NR0001', cameras: { 'OK-1': '10.12' } } as const satisfies Machine;

let dir: string;
let lane: TestLane;
let near: TestSite;
let far: TestSite;
/** KEYREF of the rig's own key, which never leaves the rig. */
let rigKey: string;
let release: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-rigs-'));
  lane = await makeLane(dir, { pipeline: withRigs });
  writeFileSync(at('rig.yaml'), 'image: golden-2026-11\n');
  near = await site('near', { serial: 'NR0101', cameras: { 'OK-8': '10.12' } });
  far = await site('far', { serial: 'NR0102', cameras: { 'OK-9': '10.12' } });
  await enrolRig('rig-1', RIG);
  rigKey = `file:${at('rig-1', 'state', 'site.pem')}`;
  writeFileSync(lane.hardware, readFileSync(at('rig-1.cdx.json')));
  release = await lane.release('1.0.0');
  await lane.promote(release, 'edge-preprod');
});

afterAll(async () => {
  await near.stop();
  await far.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

const at = (...words: readonly string[]): string => path.join(dir, ...words);

/** The pipeline with rigs in prod. */
function withRigs(text: string): string {
  const wish = '- use: hardware\n        with: { rigs: required, rebuiltWithinDays: 7, drift: refuse }';
  const place = text.lastIndexOf('- use: hardware');
  const prod = `${text.slice(0, place)}${wish}${text.slice(place + '- use: hardware'.length)}`;
  return prod.replace('require: [arch, cpu]', 'require: [vendor, model, revision, firmware]');
}

/** Takes a machine's inventory now; returns the file. */
async function inventory(name: string, machine: Machine): Promise<string> {
  const { root, devices } = writeMachine(at(name), machine);
  const out = at(`${name}.cdx.json`);
  await expectJson('sealane-site', ['inventory', '--root', root, '--devices', devices, '--out', out]);
  return out;
}

/** Makes the key of a rig and has the registrar enrol it as it stands. */
async function enrolRig(name: string, machine: Machine, exit = 0): Promise<void> {
  const request = at(`${name}-request.json`);
  await expectJson('sealane-site', [
    'enroll',
    '--name',
    name,
    '--out',
    request,
    '--config',
    at(name, 'site.yaml'),
    '--state',
    at(name, 'state'),
  ]);
  const hardware = await inventory(name, machine);
  const words = ['rig', 'add', request, '--template', at('rig.yaml'), '--hardware', hardware, '--key', 'registrar'];
  await lane.sealane(words, exit);
}

async function site(name: string, machine: Machine): Promise<TestSite> {
  const { root, devices } = writeMachine(at(name), machine);
  return await enrolSite(lane, at(name), { name, yaml: `inventory: { root: ${root}, devices: [${devices}] }` });
}

/** Hands in a run as it was signed by `key` on a machine, inventoried now. */
async function run(key: string, machine: Machine, about = release): Promise<void> {
  const hardware = await inventory('run', machine);
  await lane.sealane(['evidence', 'add', about, '--tests', at('junit.xml'), '--hardware', hardware, '--key', key]);
}

/** What the gate says in a plan for prod. */
async function hardwareCheck(about = release): Promise<Check> {
  const { json } = await runJson('sealane', ['plan', about, '--to', 'prod', '--home', lane.home]);
  const found = (json.checks as readonly Check[]).find(({ id }) => id === 'hardware');
  if (found === undefined) throw new RangeError('look up the check hardware: expected one');
  return found;
}

async function approveAndPromote(about: string): Promise<void> {
  for (const person of ['alice', 'bob']) await lane.sealane(['approve', about, '--to', 'prod', '--key', person]);
  await lane.sealane(['promote', about, '--to', 'prod']);
}

const refused = (code: string, why: string) => ({ verdict: 'fail', code, actual: expect.stringContaining(why) as string });

describe('test rigs', () => {
  test('A20 a run counts only when an enrolled rig signed it; a key of another role cannot be enrolled, nor by another than the registrar', async () => {
    await run('lab', RIG);
    expect(await hardwareCheck()).toMatchObject(refused('EVIDENCE_SIGNER', 'which policy does not name for it'));
    await enrolRig('rig-2', { serial: 'NR0002' });
    const request = at('rig-2-request.json');
    const words = ['rig', 'add', request, '--template', at('rig.yaml'), '--hardware', at('rig-2.cdx.json')];
    const byLab = await runJson('sealane', [...words, '--key', 'lab', '--home', lane.home]);
    expect(byLab).toMatchObject({ exit: 3, json: { error: { code: 'EVIDENCE_SIGNER' } } });
    const { rigs } = await lane.sealane(['rig', 'list']);
    expect(rigs.map(({ rig, recalled }: { rig: string; recalled: unknown }) => [rig, recalled])).toEqual([
      ['rig-1', null],
      ['rig-2', null],
    ]);
  });

  test('A20 a rig that is not what was built does not count: other firmware, another unit of a camera, an inventory of last week', async () => {
    await run(rigKey, { ...RIG, nic: '9.40' });
    expect(await hardwareCheck()).toMatchObject(
      refused('EVIDENCE_RIG', 'it is not what was built: gone: Intel X710 02, serial NR0001-nic: firmware 9.20'),
    );
    await run(rigKey, { ...RIG, cameras: { 'OK-2': '10.12' } });
    const old = await inventory('run', RIG);
    writeFileSync(old, readFileSync(old, 'utf8').replace(/"timestamp": ?"[^"]+"/, '"timestamp":"2026-01-01T00:00:00Z"'));
    await lane.sealane(['evidence', 'add', release, '--tests', at('junit.xml'), '--hardware', old, '--key', rigKey]);
    expect((await hardwareCheck()).verdict).toBe('fail');
    await run(rigKey, RIG);
    expect(await hardwareCheck()).toMatchObject({ verdict: 'pass' });
  });

  test('A20 a rebuild from the template brings new firmware; other units or another template are refused', async () => {
    const newer = await inventory('rebuilt', { ...RIG, nic: '9.40' });
    const words = (template: string, hardware: string) => [
      'rig',
      'rebuilt',
      'rig-1',
      '--template',
      template,
      '--hardware',
      hardware,
      '--key',
      rigKey,
    ];
    await lane.sealane(words(newer, newer), 3);
    await lane.sealane(words(at('rig.yaml'), await inventory('other', { ...RIG, serial: 'NR0099' })), 3);
    await lane.sealane(words(at('rig.yaml'), newer));
    await run(rigKey, { ...RIG, nic: '9.40' });
    await lane.sealane(words(at('rig.yaml'), await inventory('rebuilt', RIG)));
    await run(rigKey, RIG);
    const check = await hardwareCheck();
    expect(check).toMatchObject({ verdict: 'pass', actual: expect.stringContaining('0 of 2 sites covered') as string });
  });

  test('A20 a site installs by the proofs in the waybill; revoking the rig refuses the next site and the next plan, what runs goes on', async () => {
    await approveAndPromote(release);
    expect(await near.must(['update'])).toMatchObject({ outcome: 'installed', release });
    const words = ['rig', 'revoke', 'rig-1', '--reason', 'loose cable since spring', '--key', 'registrar'];
    const stageKey = path.join(lane.home, 'keys', 'prod.pem');
    // a stage whose key is away hears of it once it is said again; for the gates it is logged at once
    renameSync(stageKey, at('prod.pem'));
    const first = await lane.sealane(words, 5);
    renameSync(at('prod.pem'), stageKey);
    expect(first).toMatchObject({
      statements: [{ logIndex: expect.any(Number) as number }],
      left: [{ stage: 'prod', why: expect.stringMatching(/^sign as stage prod/) as string }],
    });
    expect(await hardwareCheck()).toMatchObject(refused('EVIDENCE_RIG', 'was recalled: loose cable since spring'));
    const { statements, ...rest } = await lane.sealane(words);
    expect(rest).toEqual({});
    expect(statements).toEqual([
      { predicateType: 'urn:sealane:recall:v1', digest: expect.any(String) as string, logIndex: expect.any(Number) as number },
    ]);
    expect(await hardwareCheck()).toMatchObject(refused('EVIDENCE_RIG', 'was recalled: loose cable since spring'));
    const outcome = await far.must(['update'], 3);
    expect(outcome).toMatchObject({ outcome: 'refused', reason: 'EVIDENCE_RIG', release });
    expect(JSON.stringify(outcome.checks)).toContain('was recalled: loose cable since spring');
    expect(await near.must(['update'])).toMatchObject({ outcome: 'unchanged', release });
    const { rigs } = await lane.sealane(['rig', 'list']);
    expect(rigs[0]).toMatchObject({ rig: 'rig-1', recalled: { untilIndex: 0, reason: 'loose cable since spring' } });
  });

  test('A20 recalling a camera by its serial reopens what was tested with it, also on a rig that is well', async () => {
    const next = await lane.release('1.1.0');
    await lane.promote(next, 'edge-preprod');
    await enrolRig('rig-3', { serial: 'NR0003', cameras: { 'OK-3': '10.12' } });
    await run(`file:${at('rig-3', 'state', 'site.pem')}`, { serial: 'NR0003', cameras: { 'OK-3': '10.12' } }, next);
    await approveAndPromote(next);
    await lane.sealane(['rig', 'revoke', '--serial', 'OK-3', '--reason', 'sensor fails when hot', '--key', 'registrar']);
    expect(await hardwareCheck(next)).toMatchObject(refused('EVIDENCE_RIG', 'sensor fails when hot'));
    expect(await far.must(['update'], 3)).toMatchObject({ outcome: 'refused', reason: 'EVIDENCE_RIG', release: next });
  });
});
