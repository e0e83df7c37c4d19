/** B16 and B3: a site that reaches its neighbour alone renews its certificate and hands its receipts up through it. The neighbour need not be trusted for either. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { JsonObject } from '@sealane/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { sealed } from '../../packages/site/src/sealed-file.js';
import { clockAhead } from '../support/clock.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { requireProgram } from '../support/require-program.js';
import { type Server, startServer } from '../support/run.js';
import { startService } from '../support/service.js';
import { makeAuthority, type TestAuthority } from '../support/site-ca.js';
import { enrolSite, type TestSite } from '../support/site.js';
import { authorityOf, issueTo } from '../support/tls.js';

const HOST = '127.0.0.1';
const DAY_MS = 86_400_000;
const LATER = clockAhead(5 * DAY_MS);

describe.skipIf(requireProgram('openssl') === undefined)('a neighbour that has the link (skipped without openssl)', () => {
  let dir: string;
  let lane: TestLane;
  let authority: TestAuthority;
  let service: Server;
  let near: TestSite;
  let neighbour: Server;
  let site: TestSite;

  const at = (name: string): string => path.join(dir, name);
  const certificateOf = async (of: TestSite): Promise<Record<string, string> | null> =>
    (await of.must(['certificate', 'show'])).certificate;
  const neighbours = (carries: readonly string[]): object => ({
    listen: `${HOST}:0`,
    tls: { ca: authority.root, certificate: at('door.pem'), key: at('door.key') },
    carries,
  });
  const serveMirror = async ({ config, state }: TestSite): Promise<Server> =>
    await startServer('sealane-site', ['mirror', 'serve', '--config', config, '--state', state]);
  /** site.yaml with places of its own. */
  const setPlaces = (of: TestSite, places: object): void => {
    const kept = readFileSync(of.config, 'utf8').replace(/^(upstreams|receiptsTo|neighbours): .*\n/gm, '');
    writeFileSync(
      of.config,
      `${Object.entries(places)
        .map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`)
        .join('')}${kept}`,
    );
  };
  /** By one door: receipts, certificates and, unless it comes from elsewhere, the lane. */
  const by = (door: string, from: readonly string[] = []): object => {
    const identity = path.join(site.state, 'tls', 'identity.pem');
    return { upstreams: [...from, { at: door, tls: { ca: at('doors.pem'), certificate: identity, key: identity } }], receiptsTo: [door] };
  };

  async function enrol(name: string): Promise<TestSite> {
    const enrolled = await enrolSite(lane, at(name), { name });
    const root = path.join(lane.lane, 'trust', 'metadata', '1.root.json');
    const record = path.join(enrolled.dir, 'record.json');
    await enrolled.must(['enroll', '--record', record, '--root', root, '--site-ca', authority.root]);
    await enrolled.must(['certificate', 'request', '--out', at('request.json')]);
    await lane.sealane(['site', 'certify', at('request.json'), '--out', at('chain.pem')]);
    await enrolled.must(['certificate', 'install', at('chain.pem')]);
    return enrolled;
  }

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-b16-neighbour-'));
    lane = await makeLane(dir);
    authority = await makeAuthority(lane, at('owners'));
    authorityOf(dir, 'doors');
    issueTo(dir, 'doors', 'door', HOST);
    service = await startService(lane, stringify({ apiVersion: 'sealane/v1', kind: 'Service' }));
    near = await enrol('harbour-8');
    site = await enrol('harbour-7');
    await lane.promote(await lane.release('1.0.0'));
    setPlaces(near, { upstreams: [lane.lane], receiptsTo: [service.url], neighbours: neighbours(['certificates', 'receipts']) });
    await near.must(['update']);
    neighbour = await serveMirror(near);
    setPlaces(site, by(neighbour.first['neighbours'] ?? ''));
  });

  afterAll(async () => {
    await site.stop();
    await near.stop();
    await neighbour.stop();
    await service.stop();
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it('B16 B3 a site that reaches its neighbour alone installs what that has, gets its next certificate through it, and its receipts arrive', async () => {
    const first = await certificateOf(site);
    expect(first?.['name']).toBe(`harbour-7.prod.sites.${lane.origin}`);
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
    const { stderr } = await site.run(['update'], LATER);
    expect(stderr).toContain(`harbour-7 is harbour-7.prod.sites.${lane.origin} until`);
    const second = await certificateOf(site);
    expect(second?.['serial']).not.toBe(first?.['serial']);
    const logged = await lane.sealane(['site', 'show', 'harbour-7']);
    expect(logged.certificates.map(({ serial }: { readonly serial: string }) => serial)).toEqual([first?.['serial'], second?.['serial']]);
    expect((await lane.sealane(['site', 'list'])).sites).toContainEqual(
      expect.objectContaining({ site: 'harbour-7', lastEvent: 'installed' }),
    );
  });

  it('B16 a neighbour that answers with another site’s certificate, or with what is none, changes nothing and stops nothing', async () => {
    const before = await certificateOf(site);
    const answers = [readFileSync(path.join(near.state, 'tls', 'identity.pem'), 'utf8'), '<html>no</html>', '-'.repeat(1024 * 1024)];
    for (const answer of answers) {
      const liar = await liarThatSays(answer);
      setPlaces(site, by(liar.url, [lane.lane]));
      rmSync(path.join(site.state, 'tls', 'renewal.json'));
      const { exit, stderr } = await site.run(['update'], LATER);
      expect({ exit, stderr }).toMatchObject({ exit: 0, stderr: expect.stringMatching(/CERTIFICATE_INVALID|no certificate yet/) });
      expect(await certificateOf(site)).toEqual(before);
      await liar.close();
    }
    // and it asks on
    setPlaces(site, by(neighbour.first['neighbours'] ?? ''));
    rmSync(path.join(site.state, 'tls', 'renewal.json'));
    await site.run(['update'], LATER);
    expect((await certificateOf(site))?.['serial']).not.toBe(before?.['serial']);
  });

  it('B16 nor does it keep all others from being asked: where it is named first, the next one is asked the next time', async () => {
    const before = await certificateOf(site);
    const liar = await liarThatSays(readFileSync(path.join(near.state, 'tls', 'identity.pem'), 'utf8'));
    const [first, second] = [by(liar.url), by(neighbour.first['neighbours'] ?? '')] as { upstreams: object[]; receiptsTo: string[] }[];
    setPlaces(site, {
      upstreams: [lane.lane, ...(first?.upstreams ?? []), ...(second?.upstreams ?? [])],
      receiptsTo: [...(first?.receiptsTo ?? []), ...(second?.receiptsTo ?? [])],
    });
    const renewal = path.join(site.state, 'tls', 'renewal.json');
    rmSync(renewal, { force: true });
    expect((await site.run(['update'], LATER)).stderr).toContain('CERTIFICATE_INVALID');
    expect(await certificateOf(site)).toEqual(before);
    // ten minutes later, or after a boot
    const { body } = JSON.parse(readFileSync(renewal, 'utf8')) as { readonly body: JsonObject };
    writeFileSync(renewal, sealed({ ...body, bootId: 'another' }));
    await site.run(['update'], LATER);
    expect((await certificateOf(site))?.['serial']).not.toBe(before?.['serial']);
    await liar.close();
  });

  async function liarThatSays(text: string): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
    const known = { cert: readFileSync(at('door.pem')), key: readFileSync(at('door.key')), ca: readFileSync(authority.root) };
    const server = createServer({ ...known, requestCert: true }, (_, response) => void response.end(text));
    server.listen(0, HOST);
    await once(server, 'listening');
    const address = server.address();
    const close = async (): Promise<void> => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    };
    return { url: `https://${HOST}:${typeof address === 'object' && address !== null ? address.port : 0}`, close };
  }
});
