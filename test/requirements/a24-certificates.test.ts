/** A24: callers by certificate. What the authority of callers issued for exactly the name that service.yaml says is that caller; anything else is a stranger. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { makeLane, type TestLane } from '../support/lane.js';
import { requireProgram } from '../support/require-program.js';
import type { Server } from '../support/run.js';
import { startService } from '../support/service.js';

const openssl = requireProgram('openssl');
const RIG = 'DNS:rig-3.lab.example';

describe.skipIf(openssl === undefined)('A24 callers by certificate (skipped without openssl)', () => {
  let dir: string;
  let lane: TestLane;
  let service: Server & { readonly first: { readonly tlsUrl?: string } };

  const at = (name: string): string => path.join(dir, 'tls', name);
  const run = (...words: readonly string[]): unknown => execFileSync(openssl ?? '', words, { cwd: path.join(dir, 'tls'), stdio: 'pipe' });
  const newKey = (name: string): readonly string[] => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    `${name}.key`,
  ];

  function authority(name: string): void {
    run('req', '-x509', ...newKey(name), '-out', `${name}.pem`, '-days', '2', '-subj', `/CN=${name}`);
  }

  /** A certificate by an authority, with alternative names. */
  function issue(name: string, by: string, names: string, days = '2'): void {
    run('req', '-new', ...newKey(name), '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    writeFileSync(at(`${name}.ext`), `subjectAltName=${names}\n`);
    run(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      `${by}.pem`,
      '-CAkey',
      `${by}.key`,
      '-CAcreateserial',
      '-days',
      days,
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.pem`,
    );
  }

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-certificates-'));
    lane = await makeLane(dir);
    mkdirSync(path.join(dir, 'tls'));
    for (const name of ['servers', 'callers', 'strangers']) authority(name);
    issue('service', 'servers', 'IP:127.0.0.1');
    issue('rig', 'callers', RIG);
    issue('rig-of-strangers', 'strangers', RIG);
    issue('other-rig', 'callers', 'DNS:rig-4.lab.example');
    issue('longer-name', 'callers', `${RIG}.evil.example`);
    issue('two-in-one', 'callers', `@names\n[names]\nDNS.1 = rig-9, ${RIG}`);
    const callers = [{ name: 'lab-rig-3', certificate: { san: RIG }, rights: ['release.list'] }];
    const tls = { listen: '127.0.0.1:0', certificate: at('service.pem'), key: at('service.key'), clientCa: at('callers.pem') };
    service = await startService(lane, stringify({ apiVersion: 'sealane/v1', kind: 'Service', issuers: [], callers, tls }));
  });

  afterAll(async () => {
    await service.stop();
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  function ask(where: string, as?: string, method = 'GET'): Promise<{ readonly status: number | undefined; readonly body: string }> {
    const own = as === undefined ? {} : { cert: readFileSync(at(`${as}.pem`)), key: readFileSync(at(`${as}.key`)) };
    return new Promise((resolve, reject) => {
      const url = new URL(where, service.first.tlsUrl);
      const asked = request(url, { method, ca: readFileSync(at('servers.pem')), ...own, agent: false }, (answer) => {
        text(answer).then((body) => resolve({ status: answer.statusCode, body }), reject);
      });
      asked.on('error', reject).end();
    });
  }

  it('A24 the certificate that service.yaml names may do what its rights say, and nothing else', async () => {
    const listed = await ask('/api/v1/releases', 'rig');
    expect({ status: listed.status, keys: Object.keys(JSON.parse(listed.body)) }).toEqual({ status: 200, keys: ['releases'] });
    expect((await ask('/api/v1/channels/prod', 'rig')).status).toBe(403);
  });

  it('A24 no certificate, one by another authority, one with another name, and one whose name says two are strangers alike', async () => {
    const answers = [];
    for (const as of [undefined, 'rig-of-strangers', 'other-rig', 'longer-name', 'two-in-one'])
      answers.push(await ask('/api/v1/releases', as));
    expect(new Set(answers.map(({ status, body }) => `${String(status)} ${body}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(401);
  });

  it('A24 without TLS no certificate speaks for anybody', async () => {
    expect((await fetch(`${service.url}/api/v1/releases`)).status).toBe(401);
  });
});
