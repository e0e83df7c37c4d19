/** The promoter behind a proxy, as the networks of plants and banks have one: a real CONNECT proxy, TLS behind it, names that it alone can resolve. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createPlain, request, type Server } from 'node:http';
import { createServer as createTls } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { startReferrersRegistry, type TestRegistry } from '../support/registry.js';
import { requireProgram } from '../support/require-program.js';
import { runJson } from '../support/run.js';

const missing = ['referrers-registry', 'openssl'].filter((name) => requireProgram(name) === undefined);
const HOST = 'registry.example';
const WITNESS = 'witness.example';

describe('A14 behind a proxy', () => {
  describe.skipIf(missing.length > 0)(`with real parts (skipped without ${missing.join(', ')})`, () => {
    let dir: string;
    let lane: TestLane;
    let release: string;
    let registry: TestRegistry;
    let proxy: Server;
    const servers: Server[] = [];
    /** What the proxy was asked to connect to, and with which login. */
    const asked: string[] = [];
    const logins: (string | undefined)[] = [];

    beforeAll(async () => {
      dir = mkdtempSync(path.join(tmpdir(), 'sealane-proxy-'));
      lane = await makeLane(dir);
      release = await lane.release('1.0.0');
      registry = await startReferrersRegistry();
      const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${HOST} -addext subjectAltName=DNS:${HOST},DNS:${WITNESS} -keyout key.pem -out cert.pem`;
      execFileSync('openssl', words.split(' '), { cwd: dir, stdio: 'ignore' });
      const [key, cert] = ['key.pem', 'cert.pem'].map((file) => readFileSync(path.join(dir, file)));
      const secure = createTls({ key, cert }, (from, to) => {
        const { method, url, headers } = from;
        const { hostname, port } = new URL(headers.host === WITNESS ? lane.witness.url : `http://${registry.host}`);
        from.pipe(
          request({ hostname, port, method, path: url, headers }, (real) => {
            to.writeHead(real.statusCode ?? 500, real.headers);
            real.pipe(to);
          }),
        );
      });
      const securePort = await listening(secure);
      proxy = createPlain();
      proxy.on('connect', ({ url, headers }, socket, head) => {
        asked.push(url ?? '');
        logins.push(headers['proxy-authorization']);
        const onward = connect(securePort, '127.0.0.1', () => {
          socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
          onward.write(head);
          socket.pipe(onward).pipe(socket);
        });
        for (const end of [socket, onward]) end.on('error', () => undefined);
      });
      await listening(proxy);
      servers.push(secure, proxy);
    });

    afterAll(async () => {
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
      await Promise.all([lane.stop(), registry.stop()]);
      rmSync(dir, { recursive: true, force: true });
    });

    const listening = (server: Server): Promise<number> =>
      new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));

    const copy = (host: string, env: Record<string, string>) =>
      runJson('sealane', ['release', 'copy', release, '--to', `docker://${host}/behind/readings`, '--home', lane.home], {
        env: { NODE_EXTRA_CA_CERTS: path.join(dir, 'cert.pem'), ...env },
      });

    const proxyAt = (login = ''): string => `${login}127.0.0.1:${(proxy.address() as AddressInfo).port}`;

    it('reaches a registry through it, by name, and shows it its login', async () => {
      const { exit, json, stdout, stderr } = await copy(HOST, { HTTPS_PROXY: `http://${proxyAt('ci:secretword@')}` });
      expect(exit, stderr).toBe(0);
      expect(json.copied.sent).toBeGreaterThan(0);
      expect(new Set(asked)).toEqual(new Set([`${HOST}:443`]));
      expect(logins[0]).toBe(`Basic ${Buffer.from('ci:secretword').toString('base64')}`);
      expect(stdout + stderr).not.toContain('secretword');
      // without http:// before it, as many write it, and in small letters
      expect((await copy(HOST, { https_proxy: proxyAt() })).exit).toBe(0);
    });

    it('goes past it to this machine, and where NO_PROXY says so', async () => {
      asked.length = 0;
      const env = { HTTPS_PROXY: `http://${proxyAt()}`, HTTP_PROXY: `http://${proxyAt()}` };
      expect((await copy(registry.host, env)).exit).toBe(0);
      // nobody else knows the name
      const direct = await copy(HOST, { ...env, NO_PROXY: 'other.example, .example' });
      expect({ exit: direct.exit, code: direct.json.error.code }).toEqual({ exit: 6, code: 'REGISTRY_UNAVAILABLE' });
      expect(asked).toEqual([]);
    });

    it('refuses an address that is none, without quoting it', async () => {
      const { exit, json, stdout, stderr } = await copy(HOST, { HTTPS_PROXY: 'ftp://ci:secretword@proxy' });
      expect({ exit, code: json.error.code }).toEqual({ exit: 2, code: 'USAGE' });
      expect(stdout + stderr).not.toContain('secretword');
    });

    it('asks a witness and a service through it too', async () => {
      asked.length = 0;
      await lane.evidence(release);
      const pipeline = path.join(lane.home, 'pipeline.yaml');
      const text = readFileSync(pipeline, 'utf8');
      writeFileSync(pipeline, text.replace(lane.witness.url, `https://${WITNESS}`));
      const env = { HTTPS_PROXY: `http://${proxyAt()}`, NODE_EXTRA_CA_CERTS: path.join(dir, 'cert.pem'), SEALANE_TOKEN: 'x.y.z' };
      const { exit, stderr } = await runJson('sealane', ['promote', release, '--to', 'dev', '--home', lane.home], { env });
      writeFileSync(pipeline, text);
      expect(exit, stderr).toBe(0);
      await runJson('sealane', ['plan', release, '--to', 'dev', '--server', 'https://service.example'], { env });
      expect(new Set(asked)).toEqual(new Set([`${WITNESS}:443`, 'service.example:443']));
    });
  });
});
