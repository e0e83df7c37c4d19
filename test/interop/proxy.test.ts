/** The promoter behind a proxy, as the networks of plants and banks have one: a real CONNECT proxy, TLS behind it, names that it alone can resolve. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { startProxy, type TestProxy } from '../support/proxy.js';
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
    let proxy: TestProxy;

    beforeAll(async () => {
      dir = mkdtempSync(path.join(tmpdir(), 'sealane-proxy-'));
      lane = await makeLane(dir);
      release = await lane.release('1.0.0');
      registry = await startReferrersRegistry();
      proxy = await startProxy(dir, [HOST, WITNESS], (name) => (name === WITNESS ? lane.witness.url : `http://${registry.host}`));
    });

    afterAll(async () => {
      proxy.stop();
      await Promise.all([lane.stop(), registry.stop()]);
      rmSync(dir, { recursive: true, force: true });
    });

    const copy = (host: string, env: Record<string, string>) =>
      runJson('sealane', ['release', 'copy', release, '--to', `docker://${host}/behind/readings`, '--home', lane.home], {
        env: { NODE_EXTRA_CA_CERTS: proxy.ca, ...env },
      });

    it('reaches a registry through it, by name, and shows it its login', async () => {
      const { exit, json, stdout, stderr } = await copy(HOST, { HTTPS_PROXY: `http://ci:secretword@${proxy.at}` });
      expect(exit, stderr).toBe(0);
      expect(json.copied.sent).toBeGreaterThan(0);
      expect(new Set(proxy.asked)).toEqual(new Set([`${HOST}:443`]));
      expect(proxy.logins[0]).toBe(`Basic ${Buffer.from('ci:secretword').toString('base64')}`);
      expect(stdout + stderr).not.toContain('secretword');
      // without http:// before it, as many write it, and in small letters
      expect((await copy(HOST, { https_proxy: proxy.at })).exit).toBe(0);
    });

    it('goes past it to this machine, and where NO_PROXY says so', async () => {
      proxy.asked.length = 0;
      const env = { HTTPS_PROXY: `http://${proxy.at}`, HTTP_PROXY: `http://${proxy.at}` };
      expect((await copy(registry.host, env)).exit).toBe(0);
      // nobody else knows the name
      const direct = await copy(HOST, { ...env, NO_PROXY: 'other.example, .example' });
      expect({ exit: direct.exit, code: direct.json.error.code }).toEqual({ exit: 6, code: 'REGISTRY_UNAVAILABLE' });
      expect(proxy.asked).toEqual([]);
    });

    it('refuses an address that is none, without quoting it', async () => {
      const { exit, json, stdout, stderr } = await copy(HOST, { HTTPS_PROXY: 'ftp://ci:secretword@proxy' });
      expect({ exit, code: json.error.code }).toEqual({ exit: 2, code: 'USAGE' });
      expect(stdout + stderr).not.toContain('secretword');
    });

    it('asks a witness and a service through it too', async () => {
      proxy.asked.length = 0;
      await lane.evidence(release);
      const pipeline = path.join(lane.home, 'pipeline.yaml');
      const text = readFileSync(pipeline, 'utf8');
      writeFileSync(pipeline, text.replace(lane.witness.url, `https://${WITNESS}`));
      const env = { HTTPS_PROXY: `http://${proxy.at}`, NODE_EXTRA_CA_CERTS: proxy.ca, SEALANE_TOKEN: 'x.y.z' };
      const { exit, stderr } = await runJson('sealane', ['promote', release, '--to', 'dev', '--home', lane.home], { env });
      writeFileSync(pipeline, text);
      expect(exit, stderr).toBe(0);
      await runJson('sealane', ['plan', release, '--to', 'dev', '--server', 'https://service.example'], { env });
      expect(new Set(proxy.asked)).toEqual(new Set([`${WITNESS}:443`, 'service.example:443']));
    });
  });
});
