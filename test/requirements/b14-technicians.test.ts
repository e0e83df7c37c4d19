/** B14: technicians do little by themselves; more by a grant that people signed, for one person and a few uses, without a network, and the lane learns of each use. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseBundle, readReceipt } from '@sealane/trust';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { type Answer, expectJson } from '../support/run.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';
import { startTwoProcesses, type TwoProcesses } from '../support/two-processes.js';

const KIND = '  - { kind: local-role, people: [alice, bob], need: 2, maxDays: 2, maxUses: 2 }\n';

let dir: string;
let lane: TestLane;
let site: TestSite;
let pair: TwoProcesses;
const releases: string[] = [];

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-b14-'));
  lane = await makeLane(dir, { pipeline: (text) => text.replace(/( {2}- \{ kind: stale.*\n)/, `$1${KIND}`) });
  site = await enrolSite(lane, path.join(dir, 'site'), { receiptsTo: './out', yaml: 'pollSeconds: 3600' });
  for (const version of ['1.0.0', '1.1.0']) {
    const release = await lane.release(version);
    await lane.promote(release);
    await site.must(['update']);
    releases.push(release);
  }
  // from here on without the lane
  pair = await startTwoProcesses(site);
});

afterAll(async () => {
  await pair.must(['stop']);
  await pair.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Asks as a technician would. */
const technician = (words: readonly string[], exit = 0): Promise<Answer['json']> =>
  expectJson('sealane-site', [...words, '--service', pair.technicians], exit);

test('B14 a technician looks, holds, lifts the hold and goes back to a release that was good here, and nothing else', async () => {
  expect(await technician(['status'])).toMatchObject({ state: 'idle' });
  await technician(['hold', '--reason', 'crane works']);
  expect(await technician(['unhold'])).toMatchObject({ lifted: ['the hold is lifted'] });
  expect(await technician(['commit'])).toMatchObject({ outcome: 'unchanged' });
  expect(await technician(['rollback'])).toMatchObject({ outcome: 'installed', release: releases[0] });
  expect(versionOnDisk(site.state)).toBe('1.0.0');

  const more = [
    ['stop'],
    ['update'],
    ['gc'],
    ['mirror', 'sync'],
    ['doctor', '--mend'],
    ['unhold', releases[1] ?? ''],
    ['media', 'import', dir],
  ];
  for (const words of more) expect({ words, code: (await technician(words, 3)).error.code }).toEqual({ words, code: 'ROLE_DENIED' });
  for (const words of [
    ['stop', '--as', 'bob'],
    ['update', '--as', 'alice'],
  ])
    expect((await technician(words, 3)).error.code).toBe('ROLE_DENIED');
  expect(await technician(['status'])).toMatchObject({ workload: { is: 'running' } });
});

test('B14 a grant lets the one whom it names do what it names, as often as it says; it was asked for and is used without a network', async () => {
  const [request, grant] = [path.join(dir, 'request.json'), path.join(dir, 'grant.json')];
  const wish = ['--kind', 'local-role', '--person', 'carol', '--verb', 'stop', '--verb', 'start', '--reason', 'the belt is jammed'];
  await site.must(['exception', 'request', ...wish, '--out', request]);
  const words = ['exception', 'create', '--reason', 'she knows the belt'];
  const first = await lane.sealane([...words, '--request', request, '--uses', '2', '--key', 'alice']);
  const { digest } = first.statements[0];
  await lane.sealane(['exception', 'export', digest, '--out', grant]);
  expect((await site.must(['exception', 'apply', grant], 4)).error.code).toBe('EXCEPTION_INVALID');
  await lane.sealane([...words, '--with', digest, '--key', 'bob']);
  await lane.sealane(['exception', 'export', digest, '--out', grant]);
  expect(await site.must(['exception', 'apply', grant])).toMatchObject({ kind: 'local-role', by: ['alice', 'bob'] });

  for (const refused of [['stop'], ['stop', '--as', 'dave'], ['update', '--as', 'carol']])
    expect((await technician(refused, 3)).error.code).toBe('ROLE_DENIED');
  expect(await technician(['stop', '--as', 'carol'])).toMatchObject({ stopped: true });
  expect(await technician(['start', '--as', 'carol'])).toMatchObject({ stopped: false, workload: { is: 'running' } });
  expect((await technician(['stop', '--as', 'carol'], 3)).error.code).toBe('ROLE_DENIED');
  expect((await site.must(['exception', 'apply', grant], 4)).error.code).toBe('EXCEPTION_INVALID');
});

test('B14 each use is in a receipt, which the lane takes, and waits there for a review', async () => {
  await pair.must(['update']);
  const out = path.join(site.dir, 'out');
  const files = readdirSync(out).map((name) => path.join(out, name));
  const said = files.map((file) => readReceipt(parseBundle(new Uint8Array(readFileSync(file))).statement));
  const used = said.filter(({ event }) => event === 'local-role');
  expect(used.map(({ role }) => role)).toEqual([
    { person: 'carol', verb: 'stop' },
    { person: 'carol', verb: 'start' },
  ]);
  await lane.sealane(['statement', 'add', ...files]);
  const { exceptions } = await lane.sealane(['exception', 'list']);
  expect(exceptions).toEqual([
    expect.objectContaining({
      kind: 'local-role',
      role: { person: 'carol', verbs: ['stop', 'start'] },
      state: 'open',
      usedBy: [expect.any(String), expect.any(String)],
    }),
  ]);
});

test('B14 a journal that was damaged and mended gives no use of it back', async () => {
  const journal = path.join(site.state, 'journal');
  writeFileSync(journal, readFileSync(journal, 'utf8').replace('"is":"staged"', '"is":"stored"'));
  expect((await site.run(['doctor'])).exit).toBe(8);
  await site.run(['doctor', '--mend']);
  expect((await site.must(['exception', 'apply', path.join(dir, 'grant.json')], 4)).error.code).toBe('EXCEPTION_INVALID');
  expect((await technician(['stop', '--as', 'carol'], 3)).error.code).toBe('ROLE_DENIED');
});
