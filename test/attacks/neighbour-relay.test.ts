/** What a neighbour hands up through a site that carries it: to its promoter, on two addresses of it, within bounds, one step far. Nothing of it is believed. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server as WebServer, type ServerResponse } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { requireProgram } from '../support/require-program.js';
import { type Server, startServer } from '../support/run.js';
import { enrolSite } from '../support/site.js';
import { authorityOf, issueTo } from '../support/tls.js';

const HOST = '127.0.0.1';
const CERTIFICATES = '/api/v1/certificates';
const REQUEST_BYTES = 8 * 1024;

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly retryAfter: string | undefined;
}

describe.skipIf(requireProgram('openssl') === undefined)('B16 T11 a neighbour whose words are handed up (skipped without openssl)', () => {
  let dir: string;
  let lane: TestLane;
  let promoter: WebServer;
  let asked: { readonly target: string; readonly via: string | undefined; readonly body: string }[];
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let server: Server;

  const pem = (name: string): Buffer => readFileSync(path.join(dir, name));

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-relay-'));
    lane = await makeLane(dir);
    authorityOf(dir, 'sites');
    for (const name of ['harbour-7', 'harbour-8', 'harbour-9', 'harbour-10']) issueTo(dir, 'sites', name, HOST);
    promoter = createServer((incoming, response) => {
      let body = '';
      incoming.setEncoding('utf8').on('data', (text: string) => (body += text));
      incoming.on('end', () => {
        asked.push({ target: `${incoming.method ?? ''} ${incoming.url ?? ''}`, via: incoming.headers.via, body });
        answer(incoming, response);
      });
    });
    promoter.listen(0, HOST);
    await once(promoter, 'listening');
    const address = promoter.address();
    const receiptsTo = `http://${HOST}:${typeof address === 'object' && address !== null ? address.port : 0}`;
    const tls = { ca: path.join(dir, 'sites.pem'), certificate: path.join(dir, 'harbour-8.pem'), key: path.join(dir, 'harbour-8.key') };
    const yaml = `neighbours: ${JSON.stringify({ listen: `${HOST}:0`, tls, carries: ['certificates'] })}`;
    const site = await enrolSite(lane, path.join(dir, 'site'), { name: 'harbour-8', receiptsTo, yaml });
    server = await startServer('sealane-site', ['mirror', 'serve', '--config', site.config, '--state', site.state]);
  });
  beforeEach(() => {
    asked = [];
    answer = (_, response) => void response.end('as it was answered');
  });
  afterAll(async () => {
    await server.stop();
    promoter.closeAllConnections();
    promoter.close();
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  function post(target: string, body: string, name = 'harbour-7', headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const { port } = new URL(server.first['neighbours'] ?? '');
    const known = { ca: pem('sites.pem'), cert: pem(`${name}.pem`), key: pem(`${name}.key`) };
    return new Promise((resolve, reject) => {
      const sent = request({ host: HOST, port, path: target, method: 'POST', agent: false, headers, ...known }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        response.on('end', () => resolve({ status: response.statusCode, body: text, retryAfter: response.headers['retry-after'] }));
      });
      sent.on('error', reject).end(body);
    });
  }

  test('gets the promoter’s answer to what it sent, which was changed by nobody', async () => {
    expect(await post(CERTIFICATES, '{"a": 1}')).toEqual({ status: 200, body: 'as it was answered', retryAfter: undefined });
    expect(asked).toEqual([{ target: `POST ${CERTIFICATES}`, via: '1.1 sealane-site', body: '{"a": 1}' }]);
    answer = (_, response) => void response.writeHead(429, { 'retry-after': '77', 'set-cookie': 'a=b' }).end();
    expect(await post(CERTIFICATES, '{}')).toEqual({ status: 429, body: '', retryAfter: '77' });
  });

  test('reaches no other address of the promoter, and not with what this site was not told to carry', async () => {
    const targets = [
      '/api/v1/receipts',
      '/api/v1/promote',
      '/api/v2/log/entries',
      `${CERTIFICATES}/`,
      `${CERTIFICATES}?a`,
      `/..${CERTIFICATES}`,
    ];
    for (const target of targets) expect({ target, ...(await post(target, '{}')) }).toMatchObject({ target, status: 405 });
    expect(asked).toEqual([]);
  });

  test('sends no more than a request can be, and says before how much it is', async () => {
    expect(await post(CERTIFICATES, 'a'.repeat(REQUEST_BYTES))).toMatchObject({ status: 200 });
    expect(await post(CERTIFICATES, 'a'.repeat(REQUEST_BYTES + 1))).toMatchObject({ status: 413 });
    expect(await post(CERTIFICATES, '{}', 'harbour-7', { 'transfer-encoding': 'chunked' })).toMatchObject({ status: 411 });
    expect(asked).toHaveLength(1);
  });

  test('is not handed on a second time: sites that name each other ask each other once', async () => {
    expect(await post(CERTIFICATES, '{}', 'harbour-7', { via: '1.1 sealane-site' })).toMatchObject({ status: 508 });
    expect(asked).toEqual([]);
  });

  test('gets no endless answer, and none of a promoter that is not well', async () => {
    answer = (_, response) => void response.end('a'.repeat(64 * 1024));
    expect(await post(CERTIFICATES, '{}')).toMatchObject({ status: 502, body: '' });
    answer = (_, response) => void response.writeHead(503, { 'retry-after': 'Tue, 01 Dec 2026 10:00:00 GMT' }).end('no');
    expect(await post(CERTIFICATES, '{}')).toEqual({ status: 503, body: 'no', retryAfter: undefined });
    await expect.poll(() => server.stderr()).toContain('expected an answer, got 503');
  });

  test('has one turn at a time, and takes none of another’s', async () => {
    let goOn = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (goOn = resolve));
    answer = (_, response) => void waiting.then(() => response.end('late'));
    const first = post(CERTIFICATES, '{}');
    await expect.poll(() => asked.length).toBe(1);
    expect(await post(CERTIFICATES, '{}')).toMatchObject({ status: 429, retryAfter: '30' });
    const other = post(CERTIFICATES, '{}', 'harbour-9');
    await expect.poll(() => asked.length).toBe(2);
    goOn();
    expect([await first, await other]).toMatchObject([{ body: 'late' }, { body: 'late' }]);
  });

  test('uses so much of this site’s link in an hour, and takes nothing of another’s share', async () => {
    const body = 'a'.repeat(REQUEST_BYTES);
    let last = await post(CERTIFICATES, body, 'harbour-10');
    for (let times = 0; times < 1000 && last.status === 200; times += 1) last = await post(CERTIFICATES, body, 'harbour-10');
    expect(last.status).toBe(429);
    expect(Number(last.retryAfter)).toBeGreaterThan(3000);
    expect(Number(last.retryAfter)).toBeLessThanOrEqual(3600);
    expect(asked).toHaveLength(Math.floor((8 * 1024) / 24));
    expect(await post(CERTIFICATES, body, 'harbour-9')).toMatchObject({ status: 200 });
  });
});
