/** The door that a site opens to its neighbours: what of this host they get, whoever filled the mirror, and that the certificate shown there is renewed. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { requireProgram } from '../support/require-program.js';
import { type Server, startServer } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';
import { authorityOf, issueTo } from '../support/tls.js';

const HOST = '127.0.0.1';

describe.skipIf(requireProgram('openssl') === undefined)('T11 a neighbour (skipped without openssl)', () => {
  let dir: string;
  let lane: TestLane;
  let site: TestSite;
  let server: Server;
  let port: number;

  const pem = (name: string): Buffer => readFileSync(path.join(dir, name));
  const known = (): { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer } => ({
    ca: pem('sites.pem'),
    cert: pem('harbour-7.pem'),
    key: pem('harbour-7.key'),
  });
  const trust = (...names: readonly string[]): string => path.join(site.state, 'mirror', 'trust', ...names);

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-neighbour-'));
    lane = await makeLane(dir);
    authorityOf(dir, 'sites');
    for (const name of ['harbour-7', 'harbour-8', 'renewed']) issueTo(dir, 'sites', name, HOST);
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
  function get(target: string): Promise<{ readonly status: number | undefined; readonly body: string }> {
    return new Promise((resolve, reject) => {
      const asked = request({ host: HOST, port, path: target, agent: false, ...known() }, (response) => {
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

  test('sees the certificate that was renewed, without a restart; one that is half written is not shown', async () => {
    expect(await shown()).toBe('CN=harbour-8');
    truncateSync(path.join(dir, 'harbour-8.pem'), 200);
    expect(await shown()).toBe('CN=harbour-8');
    for (const suffix of ['key', 'pem']) copyFileSync(path.join(dir, `renewed.${suffix}`), path.join(dir, `harbour-8.${suffix}`));
    expect(await shown()).toBe(new X509Certificate(pem('renewed.pem')).subject);
  });
});
