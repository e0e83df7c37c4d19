/**
 * Keyless signatures with the operator's own Fulcio and timestamp authority: who a token names signs releases, tests and approvals, and a site takes
 * them offline. What is refused, and by which name, is tried in `test/attacks/keyless.test.ts`.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PREDICATE } from '@sealane/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { makeHome, PIPELINE } from '../../packages/promoter/src/testing/test-home.js';
import { type Authorities, fulcioAndTsa, JOB_IDENTITY, startAuthorities } from '../support/authorities.js';
import { selfSigned } from '../support/certificates.js';
import { clockAhead } from '../support/clock.js';
import { buildVersion, makeLane, type TestLane } from '../support/lane.js';
import { expectJson, runJson } from '../support/run.js';
import { exampleKey, serviceYaml, startService } from '../support/service.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';

const DAY_MS = 24 * 3_600_000;

let dir: string;
let authorities: Authorities;
let lane: TestLane;
let site: TestSite;

/** Runs `sealane` in the home with more in its environment. */
const as = (env: Readonly<Record<string, string>>, words: readonly string[]): ReturnType<typeof runJson> =>
  runJson('sealane', [...words, '--home', lane.home], { env });

/** As `as`, for what must go well; returns its JSON. */
async function must(env: Readonly<Record<string, string>>, words: readonly string[]): Promise<Awaited<ReturnType<typeof runJson>>['json']> {
  const answer = await as(env, words);
  expect(answer.exit, answer.stderr).toBe(0);
  return answer.json;
}

/** The pipeline with identities beside keys: the job makes releases, the lab tests, Alice approves as herself or with a key. */
function withIdentities(text: string): string {
  const identities = [
    `  job: { identity: '${JOB_IDENTITY}', issuer: '${authorities.jobs.url}' }`,
    `  lab-online: { identity: lab@example.org, issuer: '${authorities.people.url}' }`,
    `  alice-online: { identity: alice@example.org, issuer: '${authorities.people.url}' }`,
  ];
  return `${text
    .replace('release: [author]', 'release: [author, job]')
    .replace('tests: [lab]', 'tests: [lab, lab-online]')
    .replace('hardware: [lab]', 'hardware: [lab, lab-online]')
    .replace('keys: [alice]', 'keys: [alice, alice-online]')}
identities:\n${identities.join('\n')}\n${authorities.yaml}`;
}

describe.skipIf(fulcioAndTsa === undefined)('keyless signatures (skipped without fulcio and timestamp-server)', () => {
  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-a03-'));
    authorities = await startAuthorities(dir);
    lane = await makeLane(dir, { pipeline: withIdentities });
    site = await enrolSite(lane, path.join(dir, 'site'));
  });

  afterAll(async () => {
    await site.stop();
    await lane.stop();
    await authorities.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test('A3 a job, a lab and a person sign with tokens and no key; the release is promoted and a site installs it', async () => {
    const image = await buildVersion(path.join(dir, 'images', '1.2.0'), '1.2.0');
    const [lab, alice] = [await authorities.as('lab@example.org'), await authorities.as('alice@example.org')];
    const create = ['release', 'create', '--name', 'readings', '--version', '1.2.0', '--image', `app=${image}`, '--key', 'oidc'];
    const { release } = await must(authorities.jobEnv, create);
    await must({}, ['evidence', 'add', release, '--provenance', path.join(dir, 'provenance.json'), '--key', 'builder']);
    await must(lab, ['evidence', 'add', release, '--tests', path.join(dir, 'junit.xml'), '--hardware', lane.hardware, '--key', 'oidc']);
    for (const stage of ['dev', 'edge-preprod']) await must({}, ['promote', release, '--to', stage]);
    // signed on her machine, carried by hand
    const vote = path.join(dir, 'alice.json');
    await must(alice, ['approve', release, '--to', 'prod', '--key', 'oidc', '--out', vote]);
    await must({}, ['statement', 'add', vote]);
    // Alice by her key and Alice by her identity are one person
    await must({}, ['approve', release, '--to', 'prod', '--key', 'alice']);
    const alone = await as({}, ['promote', release, '--to', 'prod']);
    expect({ exit: alone.exit, decision: alone.json.decision }).toEqual({ exit: 5, decision: 'pending' });
    expect((alone.json.checks as { id: string; verdict: string }[]).filter(({ verdict }) => verdict !== 'pass')).toMatchObject([
      { id: 'approvals' },
    ]);
    await must({}, ['approve', release, '--to', 'prod', '--key', 'bob']);
    await must({}, ['promote', release, '--to', 'prod']);
    await site.must(['update']);
    expect(versionOnDisk(site.state)).toBe('1.2.0');
  });

  test('A3 A24 a job that has no key, no secret and no home makes a release at the service, has it tested and promotes it', async () => {
    const service = await startService(lane, serviceYaml({ github: authorities.jobs }));
    try {
      const ci = path.join(dir, 'ci');
      mkdirSync(path.join(ci, 'public'), { recursive: true });
      writeFileSync(path.join(ci, 'public', 'index.html'), '<h1>readings</h1>\n');
      const at = async (env: Readonly<Record<string, string>>, words: readonly string[], exit = 0): ReturnType<typeof must> =>
        await expectJson('sealane', [...words, '--server', service.url], exit, { cwd: ci, env });
      const [job, lab] = [authorities.jobEnv, { ...authorities.jobEnv, ...(await authorities.as('lab@example.org')) }];
      const create = ['release', 'create', '--name', 'pages', '--version', '1.0.0', '--files', 'public', '--key', 'oidc'];
      const root = path.join(lane.lane, 'trust', 'metadata', '1.root.json');
      const { release } = await at(job, [...create, '--root', root]);
      await at(job, ['evidence', 'add', release, '--provenance', path.join(dir, 'provenance.json'), '--key', exampleKey('builder')]);
      const tested = ['evidence', 'add', release, '--tests', path.join(dir, 'junit.xml'), '--hardware', lane.hardware, '--key', 'oidc'];
      await at(lab, [...tested, '--root', root]);
      expect(await at(job, ['promote', release, '--to', 'dev'])).toMatchObject({ decision: 'passed' });
      // another release by somebody who may call and whose identity makes none
      const other = await at(lab, [...create.map((word) => word.replace('1.0.0', '1.0.1')), '--root', root], 3);
      expect(other.error.code).toBe('EVIDENCE_SIGNER');
      expect((await lane.sealane(['audit', 'verify'])).answer.ok).toBe(true);
    } finally {
      await service.stop();
    }
  });

  test('A3 T1 the token of a job goes to no authority that a service names, unless its lane verifies from the root that the job has', async () => {
    const asked: string[] = [];
    const thief = createServer((request, response) => {
      asked.push(String(request.url));
      response.writeHead(500).end();
    });
    await new Promise<void>((resolve) => thief.listen(0, '127.0.0.1', resolve));
    const { port } = thief.address() as AddressInfo; // a TCP server has no other address
    // whoever has the service's host can make a lane of his own there: its first root is his
    const theirs = await makeHome(withIdentities(PIPELINE).replaceAll(authorities.fulcioUrl, `http://127.0.0.1:${port}`));
    const service = await startService({ home: theirs.home }, serviceYaml({ github: authorities.jobs }));
    try {
      const words = ['release', 'create', '--name', 'pages', '--version', '2.0.0', '--manifest', path.join(dir, 'provenance.json')];
      const at = async (more: readonly string[], exit: number): ReturnType<typeof must> =>
        await expectJson('sealane', [...words, '--key', 'oidc', '--server', service.url, ...more], exit, { env: authorities.jobEnv });
      expect((await at([], 2)).error).toMatchObject({ code: 'USAGE', message: expect.stringContaining('--root') });
      expect((await at(['--root', path.join(lane.lane, 'trust', 'metadata', '1.root.json')], 4)).error.code).toMatch(/^TRUST_/);
      expect(asked).toEqual([]);
      // what would have had it
      await at(['--root', path.join(theirs.home, 'lane', 'trust', 'metadata', '1.root.json')], 6);
      expect(asked).toEqual(['/api/v2/signingCert']);
    } finally {
      await service.stop();
      await theirs.stop();
      thief.close();
    }
  });

  test('A3 A9 an approver who has the published lane alone checks what was signed keyless; without its timestamps it counts for nothing', async () => {
    const explain = ['explain', 'readings@1.2.0', '--to', 'prod'];
    const here = await must({}, explain);
    const alone = path.join(dir, 'alone');
    cpSync(lane.lane, alone, { recursive: true });
    const root = path.join(alone, 'trust', 'metadata', '1.root.json');
    const there = async (): ReturnType<typeof runJson> => await runJson('sealane', [...explain, '--lane', alone, '--root', root]);
    const { release, decision, checks, seen } = here;
    expect((await there()).json).toMatchObject({ release, decision, checks, seen });
    expect(decision).toBe('passed');
    for (const name of readdirSync(path.join(alone, 'log', 'timestamps'))) rmSync(path.join(alone, 'log', 'timestamps', name));
    const without = await there();
    expect(without.json.decision).toBe('refused');
  });

  test('A3 A12 what was signed keyless stands when its certificate has ended, and is decided alike years after its authorities have', async () => {
    const late = await enrolSite(lane, path.join(dir, 'late'), { name: 'harbour-8' });
    // certificates live ten minutes, the lane's timestamp a week
    const installed = await late.run(['update'], clockAhead(3 * DAY_MS));
    expect({ exit: installed.exit, outcome: installed.json.outcome }, installed.stderr).toEqual({ exit: 0, outcome: 'installed' });
    expect(versionOnDisk(late.state)).toBe('1.2.0');
    await late.stop();
    const { decisions } = (await must({}, ['audit', 'trace', 'readings@1.2.0'])).answer as {
      readonly decisions: readonly { readonly stage: string; readonly statement: string }[];
    };
    const prod = decisions.find(({ stage }) => stage === 'prod')?.statement ?? '';
    const replayed = await runJson('sealane', ['replay', prod, '--home', lane.home], clockAhead(5 * 365 * DAY_MS));
    expect(replayed.exit, replayed.stderr).toBe(0);
    expect(replayed.json).toMatchObject({ recorded: 'PASSED', replayed: 'PASSED', sameVerdict: true });
  });

  test('A3 key list and the auditor know who signs keyless', async () => {
    const rows = (await must({}, ['key', 'list'])).keys as readonly {
      names: string[];
      keptIn: string[];
      uses: string[];
      signed: object[];
      identity?: object;
    }[];
    const alice = rows.find(({ names }) => names.includes('alice-online'));
    expect(alice).toMatchObject({
      identity: { identity: 'alice@example.org', issuer: authorities.people.url },
      keptIn: ['keyless'],
      uses: expect.arrayContaining(['prod: approver alice']) as string[],
      signed: [{ predicateType: PREDICATE.approval, count: 1 }],
    });
    const { answer, complete } = await must({}, ['audit', 'trace', 'readings@1.2.0']);
    expect({ complete, doubts: answer.doubts }).toEqual({ complete: true, doubts: [] });
    expect((answer.approvals as { person: string }[]).map(({ person }) => person).sort()).toEqual(['alice', 'alice', 'bob']);
    expect((await must({}, ['audit', 'verify'])).answer.ok).toBe(true);
    // a timestamp is none of the tree's files, and another one is found all the same
    const timestamps = path.join(lane.lane, 'log', 'timestamps');
    const [file = ''] = readdirSync(timestamps).map((name) => path.join(timestamps, name));
    const bytes = readFileSync(file);
    writeFileSync(file, 'another');
    const { answer: found } = await lane.sealane(['audit', 'verify'], 4);
    expect(found.problems).toMatchObject([{ where: 'log-file', key: `timestamps/${path.basename(file)}` }]);
    writeFileSync(file, bytes);
    expect((await must({}, ['ledger', 'fsck'])).ok).toBe(true);
  });

  test('A3 an authority that may issue nothing is not put into policy, nor a chain that does not hold', async () => {
    const [unfit, stranger] = [await selfSigned('CN=Fulcio', { mayIssue: false }), await selfSigned('CN=other')];
    const pem = (held: typeof unfit): string => `${held.certificate.toString('pem')}\n`;
    const [first = ''] = authorities.ca.chain.split(/(?<=-----END CERTIFICATE-----\n)/);
    for (const [chain, said] of [
      [pem(unfit), 'certificates that may issue (basicConstraints CA:TRUE)'],
      [first + pem(stranger), 'each certificate signed by the next'],
      [first, 'each certificate signed by the next'],
    ] as const) {
      const file = path.join(lane.home, 'pipeline.yaml');
      const text = readFileSync(file, 'utf8');
      const pipeline = parse(text) as { authorities: { certificates: { url: string; chain: string }[] } };
      pipeline.authorities.certificates = [{ url: authorities.fulcioUrl, chain }];
      writeFileSync(file, stringify(pipeline));
      const refused = await as({}, ['trust', 'propose']);
      writeFileSync(file, text);
      expect(refused.exit).not.toBe(0);
      expect(refused.json.error.message).toContain(said);
    }
  });
});
