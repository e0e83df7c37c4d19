/** The door that a site opens to its neighbours: what of this host they get, whoever filled the mirror, and that the certificate shown there is renewed. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clockAhead } from '../support/clock.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { requireProgram } from '../support/require-program.js';
import { type Server, startServer } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';
import { authorityOf, issueTo } from '../support/tls.js';

const HOST = '127.0.0.1';
const DAY_MS = 86_400_000;

describe.skipIf(requireProgram('openssl') === undefined)('T11 a neighbour (skipped without openssl)', () => {
  let dir: string;
  let lane: TestLane;
  let site: TestSite;
  let server: Server;
  let port: number;

  const pem = (name: string): Buffer => readFileSync(path.join(dir, name));
  const known = (name = 'harbour-7'): { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer } => ({
    ca: pem('sites.pem'),
    cert: pem(`${name}.pem`),
    key: pem(`${name}.key`),
  });
  const trust = (...names: readonly string[]): string => path.join(site.state, 'mirror', 'trust', ...names);

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-neighbour-'));
    lane = await makeLane(dir);
    authorityOf(dir, 'sites');
    for (const name of ['harbour-7', 'harbour-8', 'harbour-9', 'renewed']) issueTo(dir, 'sites', name, HOST);
    const tls = { ca: path.join(dir, 'sites.pem'), certificate: path.join(dir, 'harbour-8.pem'), key: path.join(dir, 'harbour-8.key') };
    const yaml = `neighbours: ${JSON.stringify({ listen: `${HOST}:0`, tls })}`;
    site = await enrolSite(lane, path.join(dir, 'site'), { name: 'harbour-8', yaml });
    await lane.promote(await lane.release('1.0.0'));
    await site.must(['mirror', 'sync']);
    server = await startServer('sealane-site', ['mirror', 'serve', '--config', site.config, '--state', site.state]);
    port = Number(new URL(server.first['neighbours'] ?? '').port);
  });

  afterAll(async () => {
    await server.stop();
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Status and body of what the neighbour gets for a path, sent as it is. */
  function get(target: string, name?: string, at = port): Promise<{ readonly status: number | undefined; readonly body: string }> {
    return new Promise((resolve, reject) => {
      const asked = request({ host: HOST, port: at, path: target, agent: false, ...known(name) }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        response.on('end', () => resolve({ status: response.statusCode, body }));
      });
      asked.on('error', reject).end();
    });
  }

  /** The common name of the certificate that is shown. */
  function shown(): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ host: HOST, port, ...known() }, () => {
        resolve(socket.getPeerX509Certificate()?.subject);
        socket.destroy();
      });
      socket.on('error', reject);
    });
  }

  /** A connection of harbour-7, and its answers so far. */
  async function asking(): Promise<{ readonly socket: TLSSocket; readonly ask: (times?: number) => void; readonly text: () => string }> {
    const socket = connectTls({ host: HOST, port, ...known() });
    let text = '';
    socket.on('error', () => undefined).setEncoding('latin1');
    socket.on('data', (piece: string) => (text += piece));
    const ask = (times = 1): void => void socket.write(`HEAD /trust/metadata/timestamp.json HTTP/1.1\r\nhost: near\r\n\r\n`.repeat(times));
    await Promise.race([once(socket, 'secureConnect'), once(socket, 'close')]);
    return { socket, ask, text: () => text };
  }

  /** Who connects and says nothing. */
  async function connected(): Promise<Socket> {
    const socket = connect({ host: HOST, port });
    socket.on('error', () => undefined).resume();
    await once(socket, 'connect');
    return socket;
  }

  test('gets what lies in the mirror', async () => {
    expect(await get('/trust/metadata/timestamp.json')).toEqual({
      status: 200,
      body: readFileSync(trust('metadata', 'timestamp.json'), 'utf8'),
    });
  });

  test('gets nothing through a folder of the mirror that remote code in fetch made a link: neither the key nor the journal of the site', async () => {
    symlinkSync(site.state, trust('aside'));
    mkdirSync(trust('deep'));
    symlinkSync(path.join(site.state, 'tls', '..'), trust('deep', 'aside'));
    for (const target of ['/trust/aside/site.pem', '/trust/aside/sealing.key', '/trust/aside/journal', '/trust/deep/aside/site.pem'])
      expect({ target, ...(await get(target)) }).toEqual({ target, status: 404, body: '' });

    // a folder that was taken for one, and is a link when it is asked again
    renameSync(trust('metadata'), trust('put-by'));
    symlinkSync(site.state, trust('metadata'));
    expect(await get('/trust/metadata/site.pem')).toEqual({ status: 404, body: '' });
    rmSync(trust('metadata'));
    renameSync(trust('put-by'), trust('metadata'));
    expect(await get('/trust/metadata/timestamp.json')).toMatchObject({ status: 200 });
    for (const name of ['aside', 'deep']) rmSync(trust(name), { recursive: true });
  });

  test('is not shut out for long by a stranger who only connects', async () => {
    const strangers = await Promise.all(Array.from({ length: 256 }, connected));
    await expect(get('/trust/metadata/timestamp.json')).rejects.toThrow();
    await Promise.all(strangers.map(async (socket) => socket.closed || (await once(socket, 'close'))));
    expect(await get('/trust/metadata/timestamp.json')).toMatchObject({ status: 200 });
  });

  test('who asks again before he has his answer is let go: each answer holds a file and two buffers, and one connection could ask for thousands', async () => {
    const { socket, ask, text } = await asking();
    ask();
    await expect.poll(text).toContain('HTTP/1.1 200');
    ask();
    await expect.poll(() => text().split('HTTP/1.1 200').length).toBe(3);
    const closed = once(socket, 'close');
    ask(50);
    ask(50);
    await closed;
    expect(text().split('HTTP/1.1 200').length).toBeLessThan(50);
    expect(await get('/trust/metadata/timestamp.json')).toMatchObject({ status: 200 });
  });

  test('cannot shut out another neighbour, however many connections it holds on to', async () => {
    const held = await Promise.all(
      Array.from({ length: 256 }, async () => {
        const { socket, ask, text } = await asking();
        // whoever has his answer asks again, and so keeps his connection
        socket.on('data', () => setTimeout(() => !socket.destroyed && ask(), 1000));
        ask();
        await expect.poll(() => socket.closed || text() !== '').toBe(true);
        return socket;
      }),
    );
    try {
      expect(await get('/trust/metadata/timestamp.json', 'harbour-9')).toMatchObject({ status: 200 });
      // and is served itself
      expect(held.some((socket) => !socket.closed)).toBe(true);
    } finally {
      for (const socket of held) socket.destroy();
    }
    await expect.poll(async () => await get('/trust/metadata/timestamp.json').then(({ status }) => status, String)).toBe(200);
  });

  test('gets nothing once its certificate has expired, on a connection that it has kept or a session that it resumed either', async () => {
    // the handshake goes by the clock of the host, and was when the certificate held
    const words = ['mirror', 'serve', '--config', site.config, '--state', site.state];
    const later = await startServer('sealane-site', words, clockAhead(3 * DAY_MS));
    try {
      const at = Number(new URL(later.first['neighbours'] ?? '').port);
      await expect(get('/trust/metadata/timestamp.json', 'harbour-7', at)).rejects.toThrow();
    } finally {
      await later.stop();
    }
  });

  test('sees the certificate that was renewed, without a restart; one that is half written is not shown', async () => {
    expect(await shown()).toBe('CN=harbour-8');
    truncateSync(path.join(dir, 'harbour-8.pem'), 200);
    expect(await shown()).toBe('CN=harbour-8');
    for (const suffix of ['key', 'pem']) copyFileSync(path.join(dir, `renewed.${suffix}`), path.join(dir, `harbour-8.${suffix}`));
    expect(await shown()).toBe(new X509Certificate(pem('renewed.pem')).subject);
  });
});
