/** Row A19: two teams in one lane. What a key, a person or a repository of one team says about a release of the other counts for nothing. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeHome, PROVENANCE, type TestHome } from '../../packages/promoter/src/testing/test-home.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';

const PIPELINE = `apiVersion: sealane/v1
kind: Pipeline
lane: lane.example
stages:
  - name: dev
    gates: [{ use: provenance }, { use: tests }, { use: approvals, with: { count: 1 } }]
people:
  - { id: alice, keys: [alice] }
  - { id: bob, keys: [bob] }
signers: { release: [author, pay-author], provenance: [builder, pay-builder], tests: [lab, pay-lab] }
scopes:
  - { team: edge, releases: [api, edge-*], classes: { latency: [interactive], compliance: [none] }, signers: [author, builder, lab], people: [alice], repositories: [https://git.example/api] }
  - { team: pay, releases: [pay-*], signers: [pay-author, pay-builder, pay-lab], people: [bob] }
registrar: registrar
`;
const CLASS = 'class: { latency: interactive, locality: site, state: cache, compliance: none, recovery: seconds }\n';
const JUNIT = '<testsuite name="s"><testcase name="a"/></testsuite>';

let lane: TestHome;
let part: string;
let declared: string;
let junit: string;
let provenance: string;
let version = 0;

beforeAll(async () => {
  lane = await makeHome(PIPELINE);
  part = lane.file('part.yaml', 'a: 1\n');
  declared = lane.file('release.yaml', CLASS);
  junit = lane.file('junit.xml', JUNIT);
  provenance = lane.file('provenance.json', PROVENANCE);
});

afterAll(async () => {
  await lane.stop();
});

interface Made {
  readonly name?: string;
  readonly author?: string;
  readonly declares?: string | null;
}

function create({ name = 'api', author = 'author', declares = declared }: Made = {}): ReturnType<TestHome['run']> {
  version += 1;
  const more = declares === null ? [] : ['--declare', declares];
  return lane.run(['release', 'create', '--name', name, '--version', `1.0.${version}`, '--manifest', part, ...more, '--key', author]);
}

async function release(made: Made = {}): Promise<string> {
  const { exit, json, talk } = await create(made);
  expect(exit, talk).toBe(0);
  return json.release;
}

const evidence = (of: string, words: readonly string[]): ReturnType<TestHome['run']> => lane.run(['evidence', 'add', of, ...words]);

/** Everything that the team itself can give. */
async function complete(of: string): Promise<void> {
  await lane.sealane(['evidence', 'add', of, '--provenance', provenance, '--key', 'builder']);
  await lane.sealane(['evidence', 'add', of, '--tests', junit, '--key', 'lab']);
  await lane.sealane(['approve', of, '--to', 'dev', '--key', 'alice']);
}

const scopeCheck = async (of: string, exit: number): Promise<{ verdict: string; code?: string; actual: string }> =>
  (await lane.sealane(['promote', of, '--to', 'dev'], exit)).checks.find(({ id }: { id: string }) => id === 'scope');

describe('the promoter', () => {
  test('A19 lets a release in that its own team made, tested and approved', async () => {
    const it = await release();
    await complete(it);
    expect(await scopeCheck(it, 0)).toMatchObject({ verdict: 'pass', actual: 'of edge, from https://git.example/api' });
  });

  test('A19 signs nothing with a key outside of its scope: release, provenance, tests, approval, veto', async () => {
    const it = await release();
    const refused = [
      await create({ author: 'pay-author' }),
      await evidence(it, ['--provenance', provenance, '--key', 'pay-builder']),
      await evidence(it, ['--tests', junit, '--key', 'pay-lab']),
      await lane.run(['approve', it, '--to', 'dev', '--key', 'bob']),
      await lane.run(['reject', it, '--to', 'dev', '--key', 'bob', '--reason', 'not mine']),
    ];
    expect(refused.map(({ exit, json }) => `${exit} ${json.error?.code}`)).toEqual(Array.from({ length: 5 }, () => '3 EVIDENCE_SCOPE'));
  });

  test.each<[string, Made]>([
    ['that is in no team’s scope', { name: 'elsewhere', author: 'author' }],
    ['whose class its team is not for', { declares: 'control' }],
    ['that declares no class where its team’s scope asks for one', { declares: null }],
  ])('A19 makes no release %s', async (_, made) => {
    const declares = made.declares === 'control' ? lane.file('control.yaml', CLASS.replace('interactive', 'control')) : made.declares;
    const { exit, json } = await create({ ...made, ...(declares === undefined ? {} : { declares }) });
    expect([exit, json.error.code]).toEqual([3, 'EVIDENCE_SCOPE']);
  });

  test('A19 refuses another repository than the team’s, and names it', async () => {
    const it = await release();
    await lane.sealane([
      'evidence',
      'add',
      it,
      '--provenance',
      lane.file('fork.json', PROVENANCE.replaceAll('git.example/api', 'git.example/fork')),
      '--key',
      'builder',
    ]);
    await lane.sealane(['evidence', 'add', it, '--tests', junit, '--key', 'lab']);
    await lane.sealane(['approve', it, '--to', 'dev', '--key', 'alice']);
    expect(await scopeCheck(it, 3)).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_SCOPE', actual: 'source https://git.example/fork' });
  });

  test('A19 reads a class with a word too many, too few or unknown as a mistake', async () => {
    for (const text of [
      CLASS.replace(', recovery: seconds', ''),
      CLASS.replace('interactive', 'fast'),
      CLASS.replace(' }', ', team: pay }'),
    ])
      expect((await create({ declares: lane.file('bad.yaml', text) })).exit).toBe(2);
  });
});

describe('a site', () => {
  let dir: string;
  let real: TestLane;
  let site: TestSite;

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-scopes-'));
    real = await makeLane(dir);
    site = await enrolSite(real, path.join(dir, 'site'));
    await real.promote(await real.release('1.0.0'));
  });

  afterAll(async () => {
    await real.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  /** The owners give the lab to another team: what it signed before goes on being signed, and counts no longer here. */
  test('A19 refuses what the promoter let in, when the key that tested it is another team’s', async () => {
    const file = path.join(real.home, 'pipeline.yaml');
    const scopes = ['{ team: readings, releases: [readings] }', '{ team: other, releases: [other], signers: [lab] }'];
    writeFileSync(file, `${readFileSync(file, 'utf8')}\nscopes: [${scopes.join(', ')}]\n`);
    await real.sealane(['trust', 'propose'], 5);
    for (const owner of ['targets-1', 'targets-2'])
      await real.sealane(['trust', 'sign', path.join(real.home, 'proposal.json'), '--key', owner]);
    await real.sealane(['trust', 'publish']);
    const answer = await site.must(['update'], 3);
    expect(answer).toMatchObject({ outcome: 'refused', reason: 'EVIDENCE_SCOPE' });
    expect(versionOnDisk(site.state)).toBeUndefined();
  });

  test('A19 installs the same release once the lab is its team’s again', async () => {
    const file = path.join(real.home, 'pipeline.yaml');
    writeFileSync(
      file,
      readFileSync(file, 'utf8')
        .replace('releases: [other]', 'releases: [readings]')
        .replace('{ team: readings, releases: [readings] }, ', ''),
    );
    await real.sealane(['trust', 'propose'], 5);
    for (const owner of ['targets-1', 'targets-2'])
      await real.sealane(['trust', 'sign', path.join(real.home, 'proposal.json'), '--key', owner]);
    await real.sealane(['trust', 'publish']);
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
    expect(versionOnDisk(site.state)).toBe('1.0.0');
    await site.stop();
  });
});
