/** A site behind a proxy: all that it asks and sends goes through it, and to nothing else. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { startProxy, type TestProxy } from '../support/proxy.js';
import { requireProgram } from '../support/require-program.js';
import { runJson, type Server, startServer } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

const HOST = 'lane.example';

describe('B3 behind a proxy, and an authority of the plant', () => {
  describe.skipIf(requireProgram('openssl') === undefined)('with real parts (skipped without openssl)', () => {
    let dir: string;
    let lane: TestLane;
    let service: Server;
    let proxy: TestProxy;
    let site: TestSite;
    let release: string;

    beforeAll(async () => {
      dir = mkdtempSync(path.join(tmpdir(), 'sealane-site-proxy-'));
      lane = await makeLane(dir);
      service = await startServer('sealane', ['serve', '--listen', '127.0.0.1:0', '--home', lane.home]);
      proxy = await startProxy(dir, [HOST], () => service.url);
      release = await lane.release('1.0.0');
      await lane.promote(release);
      site = await enrolSite(lane, path.join(dir, 'site'), { upstreams: [`https://${HOST}`], receiptsTo: `https://${HOST}` });
      configure(`{ at: https://${HOST}, proxy: http://${proxy.at} }`);
    });

    afterAll(async () => {
      await site.stop();
      proxy.stop();
      await Promise.all([service.stop(), lane.stop()]);
      rmSync(dir, { recursive: true, force: true });
    });

    /** Names the one upstream of the site. */
    const configure = (upstream: string): void => {
      const text = readFileSync(site.config, 'utf8').replace(/^upstreams:.*(?:\n +- .*)*$/m, `upstreams: [${upstream}]`);
      writeFileSync(site.config, text);
    };
    const onSite = (...words: readonly string[]) =>
      runJson('sealane-site', [...words, '--config', site.config, '--state', site.state], { env: { NODE_EXTRA_CA_CERTS: proxy.ca } });

    it('updates and sends its receipts through it, and names it alone as what a firewall lets out', async () => {
      const { exit, json, stderr } = await onSite('update');
      expect({ exit, ...json }, stderr).toMatchObject({ exit: 0, outcome: 'installed', release });
      expect(new Set(proxy.asked)).toEqual(new Set([`${HOST}:443`]));
      // one connection for trust and one for content, one for receipts
      expect(proxy.asked.length).toBeLessThan(5);
      expect((await onSite('status')).json).toMatchObject({ receiptsQueued: 0, current: { release } });
      const [host, port] = proxy.at.split(':');
      expect((await onSite('egress')).json).toMatchObject({ egress: [{ host, port: Number(port) }], needsDns: false });
    });

    it('takes the certificates of an authority that site.yaml names, with nothing shown, and of no other', async () => {
      const plain = (...words: readonly string[]) => runJson('sealane-site', [...words, '--config', site.config, '--state', site.state]);
      expect((await plain('check')).exit).toBe(6);
      configure(`{ at: https://${HOST}, proxy: http://${proxy.at}, tls: { ca: ${proxy.ca} } }`);
      expect((await plain('check')).json).toMatchObject({ outcome: 'unchanged' });
      configure(`{ at: https://${HOST}, proxy: http://${proxy.at}, tls: { ca: ${proxy.ca}, key: none.pem } }`);
      expect((await plain('check')).json.error).toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('certificate and key') as string,
      });
    });

    it('says what the proxy said where it does not connect, and what runs goes on', async () => {
      configure(`{ at: https://${HOST}, proxy: http://${proxy.at} }`);
      proxy.refuse(407);
      const { exit, stderr } = await onSite('check');
      expect({ exit, stderr }).toMatchObject({
        exit: 6,
        stderr: expect.stringContaining(`through the proxy http://${proxy.at}: expected a connection to ${HOST}:443, got 407`) as string,
      });
    });

    it.each([
      [`{ at: http://${HOST}, proxy: http://127.0.0.1:1 }`, 'an https address behind a proxy'],
      [`{ at: https://${HOST}, proxy: http://user:secretword@127.0.0.1:1 }`, 'proxy'],
      [`{ at: https://${HOST}, proxy: https://127.0.0.1:1 }`, 'proxy'],
    ])('refuses the upstream %s', async (upstream, words) => {
      configure(upstream);
      const { exit, json, stdout, stderr } = await onSite('check');
      expect({ exit, code: json.error.code, message: json.error.message }).toMatchObject({
        exit: 2,
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(words) as string,
      });
      expect(stdout + stderr).not.toContain('secretword');
    });
  });
});
