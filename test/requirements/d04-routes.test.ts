/** Row D4: each of the auditor's questions is a route of the service, says what the command says, and needs its right. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { RIGHTS } from '../../packages/promoter/src/service/rights.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { runJson, type Server } from '../support/run.js';
import { api, GITHUB_CLAIMS, type Issuer, serviceYaml, startIssuer, startService } from '../support/service.js';
import { enrolSite } from '../support/site.js';

let dir: string;
let lane: TestLane;
let github: Issuer;
let service: Server;
let release: string;
let decision: string;
let proposal: string;

const AUDITOR = { repository: 'acme/audit' };

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-d4-routes-'));
  [lane, github] = await Promise.all([makeLane(dir), startIssuer(dir, 'github', GITHUB_CLAIMS)]);
  await enrolSite(lane, path.join(dir, 'site'));
  release = await lane.release('1.0.0');
  await lane.promote(release, 'dev');
  decision = (await lane.sealane(['audit', 'decisions', release])).answer.decisions[0].statement;
  proposal = await propose(path.join(lane.home, 'pipeline.yaml'));
  const document = parse(serviceYaml({ github })) as { callers: object[] };
  const rights = RIGHTS.filter((right) => right.startsWith('audit.'));
  document.callers.push({ name: 'auditor', token: { issuer: github.url, claims: AUDITOR }, rights });
  service = await startService(lane, stringify(document));
});

afterAll(async () => {
  await Promise.all([service.stop(), lane.stop(), github.stop()]);
  rmSync(dir, { recursive: true, force: true });
});

/** A proposal that asks for more tests than there are; the pipeline stays as it was. */
async function propose(pipeline: string): Promise<string> {
  const text = readFileSync(pipeline, 'utf8');
  writeFileSync(pipeline, text.replace('minPassed: 5', 'minPassed: 50'));
  await lane.sealane(['trust', 'propose'], 5);
  writeFileSync(pipeline, text);
  return path.join(lane.home, 'proposal.json');
}

it('D4 every question has a route that says what the command says, word for word', async () => {
  const token = await github.token(undefined, AUDITOR);
  const [{ keyId }] = (await lane.sealane(['audit', 'keys'])).answer.keys as readonly [{ readonly keyId: string }];
  const signed = await api(service, `GET /api/v1/audit/keys?key=${keyId}`, { token });
  expect(signed.json).toMatchObject({ question: `keys ${keyId}`, answer: { keys: [{ keyId }] } });
  const routes: readonly (readonly [string, readonly string[]])[] = [
    ...['trace', 'devices', 'cases', 'approvals', 'decisions', 'coverage', 'awareness', 'evidence'].map(
      (name) => [`releases/${release}/${name}`, [name, release]] as const,
    ),
    [`releases/readings@1.0.0/changes?from=${release}`, ['changes', 'readings@1.0.0', '--from', release]],
    ['sites/harbour-7', ['at', 'harbour-7']],
    [`sites/harbour-7/parity?release=${release}`, ['parity', 'harbour-7', '--release', release]],
    ['population?stage=dev&asOf=2026-01-01T00:00:00Z', ['population', '--stage', 'dev', '--as-of', '2026-01-01T00:00:00Z']],
    [`exposure?release=${release}`, ['exposure', '--release', release]],
    ['vulnerabilities/CVE-2026-0001', ['remedy', 'CVE-2026-0001']],
    ['units/NR0001', ['unit', 'NR0001']],
    ...['waivers', 'keys', 'drift', 'snapshot', 'rollbacks', 'automatic'].map((name) => [name, [name]] as const),
    [`keys?key=${keyId}`, ['keys', keyId]],
    ['sites/harbour-9', ['at', 'harbour-9']],
    [`decisions/${decision}/replay`, ['replay', decision]],
    ['decisions/99999/replay', ['replay', '99999']],
  ];
  for (const [address, words] of routes) {
    const [answer, told] = await Promise.all([
      api(service, `GET /api/v1/audit/${address}`, { token }),
      runJson('sealane', ['audit', ...words, '--home', lane.home]),
    ]);
    expect({ json: answer.json, exit: answer.exit }, address).toEqual({ json: told.json, exit: String(told.exit) });
  }
});

it('D4 a proposal comes with the question, which says what the command says of it', async () => {
  const token = await github.token(undefined, AUDITOR);
  const known = 'asKnown=2099-01-01T00:00:00Z';
  const [answer, told] = await Promise.all([
    api(service, `POST /api/v1/audit/policy?${known}`, { token, body: readFileSync(proposal, 'utf8') }),
    runJson('sealane', ['audit', 'policy', proposal, '--as-known', '2099-01-01T00:00:00Z', '--home', lane.home]),
  ]);
  expect({ json: answer.json, exit: answer.exit }).toEqual({ json: told.json, exit: '0' });
  expect(told.json.answer.refuses).toMatchObject([{ stage: 'dev', release }]);
});

it('D4 what comes with a question is bounded, and names no file of the service', async () => {
  const token = await github.token(undefined, AUDITOR);
  const ask = (body: string): ReturnType<typeof api> => api(service, 'POST /api/v1/audit/policy', { token, body });
  expect(await ask(' '.repeat(5 * 1024 * 1024))).toMatchObject({ status: 413, json: { error: { code: 'FILE_TOO_LARGE' } } });
  expect(await ask(JSON.stringify(proposal))).toMatchObject({ status: 400, json: { error: { code: 'CONFIG_INVALID' } } });
  expect(await ask('['.repeat(1000))).toMatchObject({ status: 400, json: { error: { code: 'CONFIG_INVALID' } } });
  const named = await api(service, `POST /api/v1/audit/policy?proposal=${encodeURIComponent(proposal)}`, { token, body: '{}' });
  expect(named).toMatchObject({ status: 400, json: { error: { code: 'USAGE' } } });
});

it('D4 a caller without the right learns nothing', async () => {
  const reader = await github.token(undefined, { repository: 'acme/reader' });
  const brought = await api(service, 'POST /api/v1/audit/policy', { token: reader, body: readFileSync(proposal, 'utf8') });
  expect(brought).toMatchObject({ status: 403, json: { error: { code: 'CALLER_DENIED' } } });
  const answer = await api(service, 'GET /api/v1/audit/drift', { token: await github.token(undefined, { repository: 'acme/reader' }) });
  expect(answer).toMatchObject({ status: 403, json: { error: { code: 'CALLER_DENIED' } } });
});
