/** The promoter service under attack: forged tokens, strangers who probe, callers who go beyond their rights, and crowds. */
import { createHmac, createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import type { Server } from '../support/run.js';
import { api, AUDIENCE, GITHUB_CLAIMS, type Issuer, serviceYaml, startIssuer, startService } from '../support/service.js';

let dir: string;
let lane: TestLane;
let github: Issuer;
let service: Server;
let release: string;
let attacker: { readonly privateKey: KeyObject };

beforeAll(async () => {
  // in memory where there is such a disk: a bound of time is asserted, and what others write to theirs is no part of it
  dir = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sealane-service-'));
  [lane, github] = await Promise.all([makeLane(dir), startIssuer(dir, 'github', GITHUB_CLAIMS)]);
  release = await lane.release('1.0.0');
  await lane.promote(release, 'dev');
  service = await startService(lane, serviceYaml({ github }));
  attacker = generateKeyPairSync('rsa', { modulusLength: 2048 });
});

afterAll(async () => {
  await Promise.all([service.stop(), lane.stop(), github.stop()]);
  rmSync(dir, { recursive: true, force: true });
});

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = (): number => Math.floor(Date.now() / 1000);
const claims = (): Record<string, unknown> => ({
  ...GITHUB_CLAIMS,
  iss: github.url,
  aud: AUDIENCE,
  iat: now(),
  exp: now() + 300,
});

/** A token that somebody else signed. */
async function signed(header: { readonly alg: string; readonly kid?: string }, changes: object = {}): Promise<string> {
  return await new SignJWT({ ...claims(), ...changes }).setProtectedHeader(header).sign(attacker.privateKey);
}

/** The issuer's real key, as anybody can fetch it. */
async function issuerKey(): Promise<{ readonly kid: string; readonly pem: string }> {
  const { keys } = (await (await fetch(`${github.url}/jwks`)).json()) as {
    readonly keys: readonly (JsonWebKey & { readonly kid: string })[];
  };
  const [jwk] = keys;
  return { kid: jwk!.kid, pem: createPublicKey({ key: jwk!, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString() };
}

/** Every forged token: what is wrong, and how it is made. */
const FORGERIES: readonly { readonly what: string; readonly make: () => Promise<string>; readonly reason: RegExp }[] = [
  { what: 'for another audience', make: () => github.token('https://other.example'), reason: /ERR_JWT_CLAIM_VALIDATION_FAILED.*aud/ },
  { what: 'for two audiences', make: () => github.token(undefined, { aud: [AUDIENCE, 'https://other.example'] }), reason: /one audience/ },
  { what: 'by an issuer that nobody named', make: () => github.token(undefined, { iss: 'https://evil.example' }), reason: /known issuer/ },
  {
    what: 'by an issuer whose name begins as ours',
    make: () => github.token(undefined, { iss: `${github.url}.evil.example` }),
    reason: /known issuer/,
  },
  { what: 'that has expired', make: () => github.token(undefined, { exp: now() - 120 }), reason: /ERR_JWT_EXPIRED/ },
  { what: 'that never expires', make: () => github.token(undefined, { exp: null }), reason: /ERR_JWT_CLAIM_VALIDATION_FAILED.*exp\b/ },
  { what: 'that is not valid yet', make: () => github.token(undefined, { nbf: now() + 600 }), reason: /nbf/ },
  {
    what: 'without a signature (alg none)',
    make: () => Promise.resolve(`${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims())}.`),
    reason: /ERR_JOSE_ALG_NOT_ALLOWED|ERR_JWS_INVALID/,
  },
  {
    what: 'signed by HMAC with the public key as the secret',
    make: async () => {
      const { kid, pem } = await issuerKey();
      const text = `${encode({ alg: 'HS256', typ: 'JWT', kid })}.${encode(claims())}`;
      return `${text}.${createHmac('sha256', pem).update(text).digest('base64url')}`;
    },
    reason: /ERR_JOSE_ALG_NOT_ALLOWED/,
  },
  {
    what: 'by a key that the issuer does not have',
    make: () => signed({ alg: 'RS256', kid: 'unknown' }),
    reason: /ERR_JWKS_NO_MATCHING_KEY/,
  },
  {
    what: 'by another key under the name of the issuer’s',
    make: async () => await signed({ alg: 'RS256', kid: (await issuerKey()).kid }),
    reason: /ERR_JWS_SIGNATURE_VERIFICATION_FAILED/,
  },
  {
    what: 'that brings its own key',
    make: async () => {
      const jwk = createPublicKey(attacker.privateKey).export({ format: 'jwk' });
      return await signed({ alg: 'RS256', jwk, jku: 'http://127.0.0.1:1/jwks' } as never);
    },
    reason: /ERR_JWKS_NO_MATCHING_KEY|ERR_JWS_SIGNATURE_VERIFICATION_FAILED/,
  },
  {
    what: 'whose repository begins as ours',
    make: () => github.token(undefined, { repository: 'acme/readings-evil' }),
    reason: /exactly one caller/,
  },
  {
    what: 'whose repository is a part of ours',
    make: () => github.token(undefined, { repository: 'acme/read' }),
    reason: /exactly one caller/,
  },
  {
    what: 'whose repository is a list with ours',
    make: () => github.token(undefined, { repository: ['acme/readings'] }),
    reason: /exactly one caller/,
  },
  {
    what: 'of a pull request of the same repository',
    make: () => github.token(undefined, { ref: 'refs/pull/7/merge', event_name: 'pull_request' }),
    reason: /exactly one caller/,
  },
  {
    what: 'with its claims changed after it was signed',
    make: async () => tampered(await github.token()),
    reason: /SIGNATURE_VERIFICATION/,
  },
];

function tampered(token: string): string {
  const [head = '', , signature = ''] = token.split('.');
  return `${head}.${encode({ ...claims(), repository: 'acme/operations' })}.${signature}`;
}

describe('a token', () => {
  it('as the issuer mints it is taken: what follows is refused for its own fault', async () => {
    expect((await api(service, 'GET /api/v1/releases', { token: await github.token() })).status).toBe(200);
  });

  it.each(FORGERIES)('$what names nobody', async ({ make, reason }) => {
    const before = service.stderr().length;
    const answer = await api(service, 'GET /api/v1/releases', { token: await make() });
    expect(answer).toMatchObject({ status: 401, exit: '3', json: { error: { code: 'CALLER_UNKNOWN' } } });
    // the log says why, the answer does not
    await expect.poll(() => service.stderr().slice(before)).toMatch(reason);
    expect(answer.text).not.toMatch(reason);
  });

  it('of 17 KiB is not parsed', async () => {
    const answer = await api(service, 'GET /api/v1/releases', { token: `${'a'.repeat(17 * 1024)}.a.a` });
    expect(answer.status).toBe(401);
    await expect.poll(() => service.stderr()).toContain('expected at most 16384 bytes');
  });
});

describe('a stranger', () => {
  it('gets the same answer for every request, whatever is there', async () => {
    const requests = [
      'GET /api/v1/releases',
      `GET /api/v1/releases/${release}`,
      'GET /api/v1/releases/none@1.0.0',
      'GET /api/v1/nothing',
      'DELETE /api/v1/releases',
      'POST /api/v1/statements',
      `POST /api/v1/releases/${release}/promotions`,
      'GET /api/v2',
    ];
    const tokens = [undefined, 'x', await github.token('https://other.example'), await signed({ alg: 'RS256', kid: 'unknown' })];
    const answers = await Promise.all(
      requests.flatMap((request) => tokens.map((token) => api(service, request, token === undefined ? {} : { token }))),
    );
    expect(new Set(answers.map(({ status, text, exit }) => JSON.stringify({ status, text, exit }))).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 401 });
  });

  it('learns no file outside of the lane', async () => {
    for (const file of [
      '/keys/prod.pem',
      '/service.yaml',
      '/../keys/prod.pem',
      '/trust/..%2f..%2fkeys/prod.pem',
      '/content/.tmp',
      '/ledger/ledger.sqlite',
    ])
      expect((await api(service, `GET ${file}`)).status, file).toBe(404);
  });

  it('cannot have receipts read for long, nor take a turn for none', async () => {
    const MIB = 1024 * 1024;
    const post = async (text: string): Promise<number> => (await api(service, 'POST /api/v1/receipts', { body: text })).status;
    // each of them took seconds to read, in which nobody else was answered
    expect(await post(`[${'{},'.repeat(5 * MIB)}{}]`)).toBe(400);
    await expect.poll(service.stderr).toContain('"code":"JSON_TOO_LARGE","reason":"read posted receipts: read JSON: expected fewer values');
    expect(await post(JSON.stringify([{ dsseEnvelope: { payload: Buffer.from('[1],'.repeat(MIB)).toString('base64') } }]))).toBe(413);
    expect(await post('[]')).toBe(400);
    await expect.poll(service.stderr).toContain('expected at least one, got none');
  });

  it('cannot have a decision or a release logged as a receipt', async () => {
    const { bundle } = await lane.sealane(['log', 'prove', '0']);
    const sizeBefore = (await lane.sealane(['release', 'show', release])).statements.length;
    expect((await api(service, 'POST /api/v1/receipts', { body: bundle })).status).toBe(400);
    expect((await lane.sealane(['release', 'show', release])).statements.length).toBe(sizeBefore);
  });
});

describe('a caller', () => {
  it.each([
    ['with a right to read', `POST /api/v1/releases/RELEASE/promotions`, { to: 'dev' }],
    ['with a right to read', `POST /api/v1/releases/RELEASE/revocation`, { reason: 'because' }],
    ['with a right to read', `GET /api/v1/releases/RELEASE`, undefined],
    ['with a right to read', 'POST /api/v1/statements', []],
    ['with a right to read', `PUT /api/v1/blobs/sha256:${'0'.repeat(64)}`, {}],
  ])('%s cannot use its token for %s', async (_, request, body) => {
    const token = await github.token(undefined, { repository: 'acme/reader' });
    const answer = await api(service, request.replace('RELEASE', release), { token, ...(body === undefined ? {} : { body }) });
    expect(answer).toMatchObject({ status: 403, json: { error: { code: 'CALLER_DENIED' } } });
    expect((await api(service, 'GET /api/v1/releases', { token })).status).toBe(200);
  });

  it('cannot promote to a stage that is not its own', async () => {
    const answer = await api(service, `POST /api/v1/releases/${release}/promotions`, { token: await github.token(), body: { to: 'prod' } });
    expect(answer).toMatchObject({ status: 403, json: { error: { code: 'CALLER_DENIED' } } });
  });

  it('whose bytes are not of the digest that he names leaves nothing', async () => {
    const digest = `sha256:${'ab'.repeat(32)}`;
    const answer = await api(service, `PUT /api/v1/blobs/${digest}`, { token: await github.token(), body: 'other bytes' });
    expect(answer).toMatchObject({ status: 422, json: { error: { code: 'CONTENT_DIGEST' } } });
    expect((await api(service, `GET /content/blobs/sha256/${'ab'.repeat(32)}`)).status).toBe(404);
  });

  it('cannot log a decision, a release or a revocation as a statement or as evidence', async () => {
    const token = await github.token();
    const { bundle } = await lane.sealane(['log', 'prove', '0']);
    for (const request of ['POST /api/v1/statements', `POST /api/v1/releases/${release}/evidence`])
      expect(await api(service, request, { token, body: bundle })).toMatchObject({
        status: 422,
        json: { error: { code: 'EVIDENCE_SUBJECT' } },
      });
  });

  it.each([
    ['a key twice', '{"to":"dev","to":"prod"}', 'JSON_DUPLICATE_KEY'],
    ['a field more', '{"to":"dev","force":true}', 'USAGE'],
    ['no JSON', 'to=dev', 'JSON_MALFORMED'],
    ['a body of 100 KiB', JSON.stringify({ to: 'x'.repeat(100 * 1024) }), 'FILE_TOO_LARGE'],
    ['a stage that is an object', '{"to":{"$ne":""}}', 'USAGE'],
  ])('who sends %s is refused', async (_, body, code) => {
    const answer = await api(service, `POST /api/v1/releases/${release}/promotions`, { token: await github.token(), body });
    expect(answer.json).toMatchObject({ error: { code } });
  });
});

describe('an issuer that is down', () => {
  it('lets nobody in whose keys were not seen, and those seen only for as long as configured', async () => {
    const other = await startIssuer(dir, 'other', GITHUB_CLAIMS);
    const yaml = serviceYaml({ github: other });
    const fresh = await other.token();
    const seen = await startService(lane, yaml);
    const unseen = await startService(lane, yaml);
    const brief = await startService(
      lane,
      yaml.replace(/jwks: .*/, (line) => `${line}\n    keysMaxAgeSeconds: 1`),
    );
    try {
      for (const server of [seen, brief]) expect((await api(server, 'GET /api/v1/releases', { token: fresh })).status).toBe(200);
      await other.stop('SIGKILL');
      expect((await api(seen, 'GET /api/v1/releases', { token: fresh })).status).toBe(200);
      expect((await api(unseen, 'GET /api/v1/releases', { token: fresh })).status).toBe(401);
      await expect.poll(async () => (await api(brief, 'GET /api/v1/releases', { token: fresh })).status).toBe(401);
    } finally {
      await Promise.all([seen, unseen, brief].map((server) => server.stop()));
    }
  });
});

describe('limits', () => {
  it('one caller who asks too much is told to wait, others are not', async () => {
    const limited = await startService(lane, serviceYaml({ github }, { limits: { requestsPerMinute: 3, uploadBytesPerHour: 4096 } }));
    try {
      const token = await github.token();
      const statuses = [];
      for (let count = 0; count < 5; count += 1) statuses.push((await api(limited, 'GET /api/v1/nothing', { token })).status);
      expect(statuses).toEqual([400, 400, 400, 429, 429]);
      const operator = await github.token(undefined, { repository: 'acme/operations' });
      const large = { token: operator, body: JSON.stringify({ reason: 'x'.repeat(8000) }) };
      expect(await api(limited, `POST /api/v1/releases/${release}/revocation`, large)).toMatchObject({
        status: 429,
        exit: '5',
        json: { error: { code: 'CALLER_LIMITED' } },
      });
    } finally {
      await limited.stop();
    }
  });
});

/** A crowd of clients that never finish what they began, each with its socket. */
async function crowd(server: Server, count: number): Promise<readonly Socket[]> {
  const { hostname, port } = new URL(server.url);
  const starts = [
    // headers that never end
    'GET /trust/metadata/timestamp.json HTTP/1.1\r\nhost: x\r\nx-slow: ',
    // a body that never comes, by nobody
    'POST /api/v1/receipts HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n[',
    // a promotion by nobody, with a body that never comes
    `POST /api/v1/releases/${release}/promotions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer a.b.c\r\ncontent-length: 60000\r\n\r\n{`,
    // nothing at all
    '',
    // an answer that is never read
    'GET /content/index.json HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(20),
  ];
  return await Promise.all(
    Array.from(
      { length: count },
      (_, index) =>
        new Promise<Socket>((resolve, reject) => {
          const socket = connect(Number(port), hostname, () => {
            socket.write(starts[index % starts.length]!);
            socket.pause();
            resolve(socket);
          });
          socket.on('error', (error: NodeJS.ErrnoException) =>
            error.code === 'ECONNRESET' || error.code === 'EPIPE' ? undefined : reject(error),
          );
        }),
    ),
  );
}

describe('1,000 slow or hostile clients', () => {
  it('do not keep a revocation from being published within 5 s', async () => {
    const before = (await lane.sealane(['channel', 'show', 'prod'])).version;
    const token = await github.token(undefined, { repository: 'acme/operations' });
    const sockets = await crowd(service, 1000);
    // and a flood that is cut short: receipts by nobody, which the service has to look at
    const flood = Array.from({ length: 100 }, () => api(service, 'POST /api/v1/receipts', { body: [{ mediaType: 'application/none' }] }));
    try {
      const began = performance.now();
      const answer = await api(service, `POST /api/v1/releases/${release}/revocation`, { token, body: { reason: 'fails in the field' } });
      const ms = performance.now() - began;
      expect(answer).toMatchObject({ status: 200, exit: '0' });
      // published: a site that polls now sees it
      const channel = await lane.sealane(['channel', 'show', 'prod']);
      expect(channel.revoked).toMatchObject([{ release, reason: 'fails in the field' }]);
      expect(channel.version).toBe(before + 1);
      // the one bound that the issue sets
      expect(ms).toBeLessThan(5000);
      const open = /sealane_open_connections (\d+)/.exec((await api(service, 'GET /metrics')).text)?.[1];
      expect(Number(open)).toBeGreaterThan(500);
      expect((await Promise.all(flood)).filter(({ status }) => status !== 400)).toEqual([]);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
    writeFileSync(path.join(dir, 'service.log'), service.stderr());
    expect(readFileSync(path.join(dir, 'service.log'), 'utf8')).not.toContain('"level":"error"');
  });
});

describe('bodies that never end', () => {
  /** Uploads by somebody with all bytes but the last, which never comes. */
  async function endless(path: string, size: number, count: number, token?: string): Promise<readonly Socket[]> {
    const { hostname, port } = new URL(service.url);
    const who = token === undefined ? '' : `authorization: Bearer ${token}\r\n`;
    const begun = Array.from({ length: count }, async () => {
      const socket = connect(Number(port), hostname);
      // it may be let go while it still sends
      socket.on('error', () => undefined);
      await new Promise<void>((resolve) => {
        socket.on('close', resolve);
        socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\n${who}content-length: ${size}\r\n\r\n`);
        socket.write(Buffer.alloc(size - 1, ' '), () => resolve());
      });
      return socket;
    });
    return await Promise.all(begun);
  }

  it('of one caller take up all memory for bodies, and a revocation by another has room all the same', async () => {
    const other = await lane.release('1.0.1');
    const sockets = await endless('/api/v1/statements', 32 * 1024 * 1024, 9, await github.token());
    try {
      const token = await github.token(undefined, { repository: 'acme/operations' });
      const answer = await api(service, `POST /api/v1/releases/${other}/revocation`, { token, body: { reason: 'fails in the field' } });
      expect(answer).toMatchObject({ status: 200, exit: '0' });
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  it('of strangers give way to a receipt', async () => {
    const sockets = await endless('/api/v1/receipts', 16 * 1024 * 1024, 8);
    try {
      // no receipt, but read and judged: too much for what is left beside the others
      const body = [{ mediaType: 'x'.repeat(1024 * 1024) }];
      expect((await api(service, 'POST /api/v1/receipts', { body })).status).toBe(400);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
});
