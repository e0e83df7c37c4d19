/** B16: certificates renew, over a link, by courier and by medium; one that has expired stops nothing that runs and nothing that is installed. */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { clockAhead } from '../support/clock.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { requireProgram } from '../support/require-program.js';
import type { Server } from '../support/run.js';
import { startService } from '../support/service.js';
import { makeAuthority, opensslIssue, type TestAuthority } from '../support/site-ca.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';
import { authorityOf, issueTo } from '../support/tls.js';

const DAY_MS = 86_400_000;
const ssl = requireProgram('openssl');

describe('renewal', () => {
  let dir: string;
  let lane: TestLane;
  let authority: TestAuthority;
  let service: Server;
  let online: TestSite;
  let cut: TestSite;

  const at = (name: string): string => path.join(dir, name);
  const shown = async (site: TestSite, aheadMs = 0): Promise<Record<string, unknown> & { certificate: Record<string, string> | null }> =>
    (await site.run(['certificate', 'show'], clockAhead(aheadMs))).json;

  async function enrol(name: string, options: Parameters<typeof enrolSite>[2]): Promise<TestSite> {
    const site = await enrolSite(lane, at(name), { ...options, name });
    const root = path.join(lane.lane, 'trust', 'metadata', '1.root.json');
    await site.must(['enroll', '--record', path.join(site.dir, 'record.json'), '--root', root, '--site-ca', authority.root]);
    return site;
  }

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-renewal-'));
    lane = await makeLane(dir);
    authority = await makeAuthority(lane, at('owners'));
    await lane.promote(await lane.release('1.0.0'));
    service = await startService(lane, 'apiVersion: sealane/v1\nkind: Service\n');
    online = await enrol('harbour-7', { receiptsTo: service.url });
    cut = await enrol('harbour-8', { upstreams: [] });
  });

  afterAll(async () => {
    await online.stop();
    await cut.stop();
    await service.stop();
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it('B16 a site with a link gets its certificate by itself, and another one after two thirds of its life', async () => {
    await online.must(['update']);
    const first = (await shown(online)).certificate;
    expect(first?.['name']).toBe(`harbour-7.prod.sites.${lane.origin}`);
    await online.must(['update']);
    expect((await shown(online)).certificate).toEqual(first);
    await online.run(['update'], clockAhead(4 * DAY_MS));
    expect((await shown(online)).certificate).toEqual(first);
    await online.run(['update'], clockAhead(5 * DAY_MS));
    const second = (await shown(online)).certificate;
    expect(second?.['serial']).not.toBe(first?.['serial']);
    expect(
      (await lane.sealane(['site', 'show', 'harbour-7'])).certificates.map(({ serial }: { readonly serial: string }) => serial),
    ).toEqual([first?.['serial'], second?.['serial']]);
  });

  it('B16 one that came while the clock was a month ahead is taken in when the clock is right again', async () => {
    const site = await enrol('harbour-9', { receiptsTo: service.url });
    const { stderr } = await site.run(['update'], clockAhead(30 * DAY_MS));
    expect(stderr).toMatch(/was not renewed: .*CERTIFICATE_INVALID/);
    expect((await shown(site)).certificate).toBeNull();
    await site.must(['update']);
    expect((await shown(site)).certificate?.['name']).toBe(`harbour-9.prod.sites.${lane.origin}`);
    await site.stop();
  });

  it.skipIf(ssl === undefined)(
    'B16 an answer that expired on its way, or is none, stops no next request, whoever sent it (skipped without openssl)',
    async () => {
      copyFileSync(authority.chain, at('issuer.pem'));
      const expired = opensslIssue(ssl ?? '', dir, {
        name: 'expired',
        subject: '/CN=harbour-10',
        by: { certificate: 'issuer.pem', key: path.join(lane.home, 'keys', 'site-ca.pem') },
        extensions: ['basicConstraints=critical,CA:FALSE', `subjectAltName=DNS:harbour-10.prod.sites.${lane.origin}`],
        days: '-1',
      });
      const answers = {
        expired: `${readFileSync(expired, 'utf8')}${readFileSync(authority.chain, 'utf8')}`,
        endless: '-'.repeat(1024 * 1024),
      };
      for (const [number, answer] of Object.values(answers).entries()) {
        const site = await enrol(`harbour-1${number}`, { receiptsTo: service.url });
        await site.must(['mirror', 'sync']);
        writeFileSync(path.join(site.state, 'mirror', 'certificate.pem'), answer.replaceAll('harbour-10', site.name));
        const { exit, stderr } = await site.run(['update']);
        expect({ exit, stderr }).toMatchObject({ exit: 0, stderr: expect.stringMatching(/was not renewed/) });
        expect((await shown(site)).certificate?.['name']).toBe(`${site.name}.prod.sites.${lane.origin}`);
        await site.stop();
      }
    },
  );

  it.skipIf(ssl === undefined)(
    'B16 where the first place for receipts is away the next one is asked, by the authority of its own that site.yaml names (skipped without openssl)',
    async () => {
      authorityOf(dir, 'owners-web');
      issueTo(dir, 'owners-web', 'web', '127.0.0.1');
      const tls = { listen: '127.0.0.1:0', certificate: at('web.pem'), key: at('web.key'), clientCa: authority.root };
      const secure = await startService(lane, stringify({ apiVersion: 'sealane/v1', kind: 'Service', issuers: [], callers: [], tls }));
      try {
        const site = await enrol('harbour-12', {});
        const identity = path.join(site.state, 'tls', 'identity.pem');
        const to = secure.first['tlsUrl'];
        const known = { at: to, carries: ['content'], tls: { ca: at('owners-web.pem'), certificate: identity, key: identity } };
        const kept = readFileSync(site.config, 'utf8').replace(/^upstreams: .*\n/m, '');
        writeFileSync(site.config, stringify({ upstreams: [lane.lane, known], receiptsTo: ['http://127.0.0.1:1', to] }) + kept);
        await site.must(['update']);
        const first = (await shown(site)).certificate;
        expect(first?.['name']).toBe(`harbour-12.prod.sites.${lane.origin}`);
        // it has one to show now, and it is shown when it has expired, too
        await site.run(['update'], clockAhead(5 * DAY_MS));
        expect((await shown(site)).certificate?.['serial']).not.toBe(first?.['serial']);
        await site.stop();
      } finally {
        await secure.stop();
      }
    },
  );

  it('B16 a service that says no is said, and stops no update', async () => {
    await lane.sealane(['site', 'fence', 'harbour-7', '--reason', 'stolen']);
    const before = (await shown(online)).certificate;
    const { exit, stderr } = await online.run(['update'], clockAhead(5.5 * DAY_MS));
    expect({ exit, stderr }).toMatchObject({ exit: 3, stderr: expect.stringMatching(/no certificate yet: .*400/) });
    expect((await shown(online)).certificate).toEqual(before);
    await lane.sealane(['site', 'rejoin', 'harbour-7']);
  });

  it('B16 with no link at all an expired certificate stops neither what runs nor what a medium brings, and a courier renews it', async () => {
    const medium = at('medium');
    const carried = at('carried');
    await lane.sealane(['media', 'export', '--stage', 'prod', '--out', medium]);
    await cut.must(['media', 'import', medium]);
    await cut.must(['update']);
    expect(versionOnDisk(cut.state)).toBe('1.0.0');
    // the first round asked: the request goes out with the receipts
    await cut.must(['receipt', 'export', carried]);
    expect(readdirSync(carried)).toContain('harbour-8.certificate-request');
    await lane.sealane(['site', 'certify', path.join(carried, 'harbour-8.certificate-request'), '--days', '1']);
    await lane.sealane(['media', 'export', '--stage', 'prod', '--out', medium]);
    await cut.must(['media', 'import', medium]);
    const first = (await shown(cut)).certificate;
    expect(first).not.toBeNull();

    await lane.promote(await lane.release('1.1.0'));
    await lane.sealane(['media', 'export', '--stage', 'prod', '--out', medium]);
    const later = clockAhead(2 * DAY_MS);
    expect((await shown(cut, 2 * DAY_MS))['isExpired']).toBe(true);
    await cut.run(['media', 'import', medium], later);
    expect((await cut.run(['update'], later)).json).toMatchObject({ outcome: 'installed' });
    expect(versionOnDisk(cut.state)).toBe('1.1.0');

    await cut.run(['receipt', 'export', carried], later);
    await lane.sealane(['site', 'certify', path.join(carried, 'harbour-8.certificate-request')]);
    // a medium whose certificate is another site's brings everything else
    const { keyId } = await lane.sealane(['site', 'show', 'harbour-8']);
    const wrong = at('wrong');
    await lane.sealane(['media', 'export', '--stage', 'prod', '--out', wrong]);
    copyFileSync(path.join(online.state, 'tls', 'identity.pem'), path.join(wrong, 'certificates', `${keyId}.pem`));
    const imported = await cut.run(['media', 'import', wrong], later);
    expect({ exit: imported.exit, stderr: imported.stderr }).toMatchObject({
      exit: 0,
      stderr: expect.stringMatching(/CERTIFICATE_INVALID/),
    });
    expect((await shown(cut)).certificate).toEqual(first);

    await lane.sealane(['media', 'export', '--stage', 'prod', '--out', medium]);
    await cut.run(['media', 'import', medium], later);
    const renewed = await shown(cut, 2 * DAY_MS);
    expect([renewed['isExpired'], renewed.certificate?.['serial'] === first?.['serial']]).toEqual([false, false]);
    expect(readFileSync(path.join(cut.state, 'tls', 'identity.pem'), 'utf8')).toMatch(/PRIVATE KEY[\s\S]*CERTIFICATE/);
  });
});
