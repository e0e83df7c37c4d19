/** A18: policy has owners other than promotion; the plan of its change says what it would let through and refuse; sites follow no other policy. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { enrolSite, type TestSite } from '../support/site.js';

let dir: string;
let lane: TestLane;
let site: TestSite;
let fresh: TestSite;
let live: string;
let unbuilt: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-a18-'));
  lane = await makeLane(dir);
  live = await lane.release('1.0.0');
  await lane.promote(live);
  // tested, but nobody says how it was built
  unbuilt = await lane.release('1.1.0');
  await lane.sealane(['evidence', 'add', unbuilt, '--tests', path.join(dir, 'junit.xml'), '--key', 'lab']);
  await lane.sealane(['promote', unbuilt, '--to', 'dev'], 3);
  site = await enrolSite(lane, path.join(dir, 'site'));
  fresh = await enrolSite(lane, path.join(dir, 'fresh'), { name: 'harbour-8' });
});

afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Edits the gates of one stage in pipeline.yaml. */
function editStage(stage: string, from: RegExp, to: string): void {
  const file = path.join(lane.home, 'pipeline.yaml');
  const text = readFileSync(file, 'utf8');
  const start = text.indexOf(`- name: ${stage}\n`);
  const end = text.indexOf('\n  - name: ', start);
  const part = text.slice(start, end === -1 ? text.indexOf('\npeople:') : end);
  expect(part).toMatch(from);
  writeFileSync(file, text.replace(part, part.replace(from, to)));
}

const proposal = (): string => path.join(lane.home, 'proposal.json');

it('A18 nothing is proposed while the pipeline says what is published', async () => {
  expect(await lane.sealane(['trust', 'propose'])).toMatchObject({ file: null, effects: { letsIn: [], refuses: [] } });
});

it('A18 a proposal lists refused releases that it would let in and running ones that it would refuse, for owners elsewhere too', async () => {
  editStage('dev', / +- use: provenance\n.*\n/, '');
  editStage('prod', /minPassed: 5 /, 'minPassed: 50 ');
  const { effects } = await lane.sealane(['trust', 'propose'], 5);
  expect(effects.letsIn).toMatchObject([
    { stage: 'dev', release: unbuilt, becomes: 'passed', refusedBy: [{ id: 'provenance', code: expect.stringMatching(/^EVIDENCE_/) }] },
  ]);
  expect(effects.refuses).toMatchObject([
    { stage: 'prod', release: live, groups: ['all'], refusedBy: [{ id: 'tests', code: 'EVIDENCE_RESULT' }] },
  ]);
  const { changes } = await lane.sealane(['trust', 'show']);
  expect(changes).toContainEqual(
    expect.stringMatching(new RegExp(`^policy/dev.json: would let in ${unbuilt} for all \\(passed\\), refused until now: provenance: `)),
  );
  expect(changes).toContainEqual(expect.stringMatching(new RegExp(`^policy/prod.json: would refuse ${live}, which all runs: tests: `)));
});

it('A18 a change that accepts no earlier decisions says that it refuses all that runs', async () => {
  const { effects } = await lane.sealane(['trust', 'propose', '--accept', 'none'], 5);
  const refused = effects.refuses.map(({ stage, refusedBy }: { stage: string; refusedBy: { id: string }[] }) => [stage, refusedBy[0]?.id]);
  expect(refused).toEqual([
    ['dev', 'decision'],
    ['prod', 'decision'],
  ]);
});

it('A18 no key that promotes signs policy, one owner is not enough, and until both have signed the old policy holds', async () => {
  await lane.sealane(['trust', 'propose'], 5);
  for (const key of ['prod', 'alice', 'registrar', 'snapshot'])
    expect((await lane.sealane(['trust', 'sign', proposal(), '--key', key], 2)).error.code).toBe('KEY_NOT_NAMED');
  await lane.sealane(['trust', 'sign', proposal(), '--key', 'targets-1']);
  expect((await lane.sealane(['trust', 'publish'], 5)).error.code).toBe('TRUST_UNSIGNED');
  await lane.sealane(['promote', unbuilt, '--to', 'dev'], 3);
  expect(await site.must(['check'])).toMatchObject({ outcome: 'available', release: live });
});

it('A18 signed by both, it does what the proposal said: at the promoter and at a site', async () => {
  await lane.sealane(['trust', 'sign', proposal(), '--key', 'targets-2']);
  await lane.sealane(['trust', 'publish']);
  expect((await lane.sealane(['promote', unbuilt, '--to', 'dev'])).decision).toBe('passed');
  expect(await site.must(['update'], 3)).toMatchObject({ outcome: 'refused', reason: 'EVIDENCE_RESULT', release: live });
});

it('A18 the roster of sites is the registrar’s: no other key enrols one', async () => {
  const request = path.join(fresh.dir, 'request.json');
  for (const key of ['prod', 'targets-1', 'alice']) {
    const words = ['site', 'add', request, '--stage', 'prod', '--key', key, '--out', path.join(dir, `record-${key}.json`)];
    expect((await lane.sealane(words, 3)).error.code).toBe('EVIDENCE_SIGNER');
  }
});

it('A18 a site follows no policy but the owners’: one that was edited on the way is refused', async () => {
  const folder = path.join(lane.lane, 'trust', 'targets', 'policy');
  const files = readdirSync(folder).filter((name) => name.endsWith('.prod.json'));
  for (const name of files) {
    const text = readFileSync(path.join(folder, name), 'utf8');
    writeFileSync(path.join(folder, name), text.replace(/"minPassed":\d/, '"minPassed":0'));
  }
  expect(await fresh.must(['update'], 4)).toMatchObject({ outcome: 'refused', reason: 'TRUST_MISMATCH', release: null });
});
