/** A24: the promoter service. CI jobs with OIDC tokens and no stored secret carry a release into its stages; what people sign is uploaded. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { type Answer, expectJson, runJson, type Server } from '../support/run.js';
import { api, exampleKey, GITHUB_CLAIMS, GITLAB_CLAIMS, type Issuer, serviceYaml, startIssuer, startService } from '../support/service.js';

let dir: string;
let lane: TestLane;
let github: Issuer;
let gitlab: Issuer;
let service: Server;
/** A CI machine: a folder without any home. */
let ci: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-service-'));
  ci = path.join(dir, 'ci');
  mkdirSync(path.join(ci, 'public'), { recursive: true });
  writeFileSync(path.join(ci, 'public', 'index.html'), '<h1>readings</h1>\n');
  [lane, github, gitlab] = await Promise.all([
    makeLane(dir),
    startIssuer(dir, 'github', GITHUB_CLAIMS),
    startIssuer(dir, 'gitlab', GITLAB_CLAIMS),
  ]);
  service = await startService(lane, serviceYaml({ github, gitlab }));
});

afterAll(async () => {
  await Promise.all([service.stop(), lane.stop(), github.stop(), gitlab.stop()]);
  rmSync(dir, { recursive: true, force: true });
});

const remote = (words: readonly string[], exit = 0, env: Readonly<Record<string, string>> = github.runnerEnv): Promise<Answer['json']> =>
  expectJson('sealane', [...words, '--server', service.url], exit, { cwd: ci, env });

describe('A24 a CI job without a stored secret', () => {
  let release: string;

  it('A24 signs for the lane only whose root it was handed', async () => {
    const other = path.join(dir, 'other');
    await expectJson('sealane', ['init', other, '--pipeline', path.join(lane.home, 'pipeline.yaml')]);
    const rootOf = (home: string): string => path.join(home, 'lane', 'trust', 'metadata', '1.root.json');
    const words = ['release', 'create', '--name', 'pinned', '--version', '1.0.0', '--files', 'public', '--key', exampleKey('author')];
    expect((await remote([...words, '--root', rootOf(other)], 4)).error.code).toBe('TRUST_THRESHOLD');
    expect((await lane.sealane(['release', 'list'])).releases).toEqual([]);
    expect((await remote([...words, '--root', rootOf(lane.home)])).release).toMatch(/^sha256:/);
  });

  it('A24 makes a release, adds evidence and promotes it by the tokens that GitHub gives it', async () => {
    const made = await remote([
      'release',
      'create',
      '--name',
      'pages',
      '--version',
      '1.0.0',
      '--files',
      'public',
      '--key',
      exampleKey('author'),
    ]);
    release = made.release;
    expect(await lane.sealane(['release', 'show', release])).toMatchObject({
      name: 'pages',
      components: [{ kind: 'files', name: 'files' }],
    });
    expect(await remote(['plan', release, '--to', 'dev'], 3)).toMatchObject({ decision: 'refused', statement: null });

    const [junit, provenance] = [path.join(dir, 'junit.xml'), path.join(dir, 'provenance.json')];
    await remote(['evidence', 'add', release, '--provenance', provenance, '--key', exampleKey('builder')]);
    const tested = await remote([
      'evidence',
      'add',
      'pages@1.0.0',
      '--tests',
      junit,
      '--hardware',
      lane.hardware,
      '--key',
      exampleKey('lab'),
    ]);
    expect(tested.statements).toMatchObject([{ predicateType: 'https://in-toto.io/attestation/test-result/v0.1' }]);
    expect(await lane.sealane(['evidence', 'verify', release, '--to', 'dev'])).toBeTruthy();

    const promoted = await remote(['promote', release, '--to', 'dev', '--report', 'markdown=summary.md']);
    expect(readFileSync(path.join(ci, 'summary.md'), 'utf8')).toContain(release);
    expect(promoted).toMatchObject({ decision: 'passed', to: 'dev', release });
    // a retried job gets the same decision
    expect(await remote(['promote', release, '--to', 'dev'])).toMatchObject({
      statement: promoted.statement,
      logIndex: promoted.logIndex,
    });
    const shown = await remote(['channel', 'show', 'dev']);
    expect(shown.groups).toMatchObject([{ release }]);
  });

  it('A24 T1 signs nothing about another release than the one that it named, whatever the service says that the name stands for', async () => {
    // as whoever has the service's host could: one release under the name of another
    const liar = createServer((incoming, outgoing) => {
      const to = new URL(String(incoming.url).replace('/releases/pages%401.0.0', '/releases/pinned%401.0.0'), service.url);
      const headers = { ...incoming.headers, host: to.host };
      const passed = forward(to, { method: incoming.method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(passed);
    });
    await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = liar.address() as AddressInfo; // a TCP server has no other address
      const words = ['--tests', path.join(dir, 'junit.xml'), '--key', exampleKey('lab'), '--server', `http://127.0.0.1:${port}`];
      const add = async (name: string, exit: number): Promise<Answer['json']> =>
        await expectJson('sealane', ['evidence', 'add', name, ...words], exit, { cwd: ci, env: github.runnerEnv });
      const statements = async (): Promise<unknown[]> => (await lane.sealane(['evidence', 'list', 'pinned@1.0.0'])).statements;
      const before = await statements();
      expect((await add('pages@1.0.0', 3)).error).toMatchObject({
        code: 'EVIDENCE_SUBJECT',
        message: expect.stringContaining('pinned@1.0.0'),
      });
      expect(await statements()).toEqual(before);
      await add('pinned@1.0.0', 0);
      expect(await statements()).toHaveLength(before.length + 1);
    } finally {
      liar.close();
    }
  });

  it('A24 says what the commands say, word for word', async () => {
    const token = await github.token();
    for (const [request, words] of [
      ['GET /api/v1/releases', ['release', 'list']],
      [`GET /api/v1/releases/${release}`, ['release', 'show', release]],
      [`GET /api/v1/releases/pages@1.0.0/evidence`, ['evidence', 'list', 'pages@1.0.0']],
      [`GET /api/v1/releases/${release}/plan?to=edge-preprod`, ['plan', release, '--to', 'edge-preprod']],
      [`GET /api/v1/releases/${release}/explanation?to=dev`, ['explain', release, '--to', 'dev']],
      ['GET /api/v1/channels/dev', ['channel', 'show', 'dev']],
      ['GET /api/v1/log/0', ['log', 'prove', '0']],
      ['GET /api/v1/releases/pages@9.9.9', ['release', 'show', 'pages@9.9.9']],
      ['GET /api/v1/channels/nowhere', ['channel', 'show', 'nowhere']],
    ] as const) {
      const [answer, told] = await Promise.all([api(service, request, { token }), runJson('sealane', [...words, '--home', lane.home])]);
      expect({ json: answer.json, exit: answer.exit }, request).toEqual({ json: told.json, exit: String(told.exit) });
    }
  });

  it('A24 takes a GitLab job by the token in its variable, and a release by image', async () => {
    const env = { SEALANE_TOKEN: await gitlab.token() };
    const image = await lane.release('2.0.0');
    const { components } = await lane.sealane(['release', 'show', image]);
    const reference = `oci:${path.join(lane.lane, 'content')}@${components[0].digest}`;
    const words = [
      'release',
      'create',
      '--name',
      'readings',
      '--version',
      '2.0.0',
      '--image',
      `app=${reference}`,
      '--key',
      exampleKey('author'),
    ];
    // the same parts make the same release, wherever they are put together
    expect(await remote(words, 0, env)).toMatchObject({ release: image });
    await remote(['promote', image, '--to', 'dev'], 3, env);
    // it has no right to another stage
    expect(await remote(['promote', image, '--to', 'edge-preprod'], 3, env)).toMatchObject({ error: { code: 'CALLER_DENIED' } });
  });

  it('A24 uploads what people signed on their own machines; the service holds no key of a person', async () => {
    await remote(['promote', release, '--to', 'edge-preprod']);
    const token = await github.token(undefined, { repository: 'acme/operations' });
    const promote = { token, body: { to: 'prod' } };
    const before = await api(service, `POST /api/v1/releases/${release}/promotions`, promote);
    expect(before.json).toMatchObject({ decision: expect.stringMatching(/pending|refused/) as string });
    for (const person of ['alice', 'bob']) {
      const file = path.join(ci, `${person}.json`);
      await lane.sealane(['approve', release, '--to', 'prod', '--key', person, '--out', file]);
      const added = await remote(['statement', 'add', file]);
      expect(added.statements).toMatchObject([{ predicateType: 'urn:sealane:approval:v1' }]);
    }
    const after = await api(service, `POST /api/v1/releases/${release}/promotions`, promote);
    expect(after).toMatchObject({ status: 200, exit: '0', json: { decision: 'passed', to: 'prod' } });
    const revoked = await api(service, `POST /api/v1/releases/${release}/revocation`, { token, body: { reason: 'fails in the field' } });
    expect(revoked.json.statements).toMatchObject([{ predicateType: 'urn:sealane:revocation:v1' }]);
    expect((await lane.sealane(['channel', 'show', 'prod'])).revoked).toMatchObject([{ release }]);
  });

  it('A24 keeps tokens and keys out of its log', async () => {
    const token = await github.token();
    await api(service, 'GET /api/v1/releases', { token });
    await api(service, 'GET /api/v1/releases', { token: `${token}x` });
    await expect.poll(() => service.stderr()).toContain('ERR_JWS_SIGNATURE_VERIFICATION_FAILED');
    const log = service.stderr();
    expect(log).toContain('"caller":"readings-main"');
    expect(log).not.toContain(token.split('.')[2]);
    expect(log).not.toContain(token.split('.')[1]);
    expect(log).not.toContain('PRIVATE KEY');
    for (const line of log.trim().split('\n')) expect(() => void JSON.parse(line)).not.toThrow();
  });

  it('A24 counts what it answers, and shows its health', async () => {
    expect((await api(service, 'GET /healthz')).text).toBe('ok\n');
    const { text } = await api(service, 'GET /metrics');
    expect(text).toMatch(/sealane_request_seconds_count\{route="promote",status="200"\} \d/);
    expect(text).not.toContain('readings-main');
    expect(readFileSync(path.join(lane.home, 'service.yaml'), 'utf8')).not.toContain('PRIVATE');
  });

  it('A24 serves every address of its own description: the API to callers alone, all else to whoever asks', async () => {
    const { paths } = (await (await fetch(`${service.url}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { operationId: string; security?: object[]; responses: Record<string, object> }>>;
    };
    const asked = Object.entries(paths).flatMap(([address, methods]) => Object.entries(methods).map((each) => [address, ...each] as const));
    expect(asked.map(([address]) => address)).toEqual(expect.arrayContaining(['/api/v1/receipts', '/api/v1/certificates', '/healthz']));
    for (const [address, method, { operationId, security, responses }] of asked) {
      const url = `${service.url}${address.replaceAll(/\{\w+\}/g, 'x')}`;
      const { status } = await fetch(url, { method, ...(method === 'post' ? { body: '{}' } : {}) });
      if (security === undefined) expect(status, operationId).toBe(401);
      else expect(Object.keys(responses), `${operationId} answers ${status}`).toContain(String(status));
    }
  });
});
