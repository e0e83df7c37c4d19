/** A service signs anew what would run out in weeks in which nobody releases anything. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clockAhead } from '../support/clock.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { makeAuthority, signIssuer } from '../support/site-ca.js';
import { type Answer, commandWords, expectJson, runJson, runProgram, type Server, startServer } from '../support/run.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';

const DAY_MS = 24 * 3600 * 1000;

let folder: string;
let lane: TestLane;
let site: TestSite;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'sealane-a24-fresh-'));
  lane = await makeLane(path.join(folder, 'lane'));
  site = await enrolSite(lane, path.join(folder, 'site'));
  for (const version of ['1.0.0', '1.1.0']) {
    await lane.promote(await lane.release(version));
    if (version === '1.0.0') await site.must(['update']);
  }
});

afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A service that is started when the host's clock is so many days ahead. */
const serveAt = (days: number): Promise<Server> =>
  startServer('sealane', ['serve', '--listen', '127.0.0.1:0', '--home', lane.home], clockAhead(days * DAY_MS));

interface Signed {
  readonly signed: { readonly version: number; readonly expires: string };
}

const signed = (name: string): Signed['signed'] =>
  (JSON.parse(readFileSync(path.join(lane.lane, 'trust', 'metadata', name), 'utf8')) as Signed).signed;

const daysLeft = (expires: string, days: number): number => Math.round((Date.parse(expires) - Date.now()) / DAY_MS - days);

const said = async (service: Server, what: string): Promise<void> => {
  while (!service.stderr().includes(what)) await new Promise((resolve) => setTimeout(resolve, 50));
};

test('A24 after eight days nothing new is installed; a service that is started then has the lane signed anew, stages too', async () => {
  const late = await site.run(['update'], clockAhead(8 * DAY_MS));
  expect([late.exit, late.stderr]).toEqual([4, expect.stringContaining('TRUST_EXPIRED')]);
  const service = await serveAt(8);
  await said(service, 'published anew');
  await service.stop();
  const { version, expires } = signed('timestamp.json');
  expect(daysLeft(expires, 8)).toBe(7);
  const current = JSON.parse(readFileSync(path.join(lane.lane, 'trust', 'metadata', 'timestamp.json'), 'utf8')) as {
    readonly signed: { readonly meta: Readonly<Record<string, { readonly version: number }>> };
  };
  const snapshot = current.signed.meta['snapshot.json']?.version;
  const listed = JSON.parse(
    readFileSync(path.join(lane.lane, 'trust', 'metadata', `${snapshot ?? 0}.snapshot.json`), 'utf8'),
  ) as typeof current;
  expect(daysLeft(signed(`${listed.signed.meta['prod.json']?.version ?? 0}.prod.json`).expires, 8)).toBe(30);
  expect((await site.run(['update'], clockAhead(8 * DAY_MS))).exit).toBe(0);
  expect(versionOnDisk(site.state)).toBe('1.1.0');

  const again = await serveAt(8);
  await again.stop();
  expect(signed('timestamp.json').version).toBe(version);
});

test('A24 a day later only snapshot and timestamp; without its witness it says why, and goes on serving what there is', async () => {
  const before = signed('timestamp.json').version;
  const service = await serveAt(9.5);
  await said(service, '"stages":[]');
  await service.stop();
  expect(signed('timestamp.json').version).toBe(before + 1);

  await lane.witness.stop();
  const alone = await serveAt(11);
  await said(alone, 'not published anew');
  expect(alone.stderr()).toContain('"code":"LOG_WITNESS"');
  expect((await fetch(`${alone.url}/trust/metadata/timestamp.json`)).status).toBe(200);
  await alone.stop();
  expect(signed('timestamp.json').version).toBe(before + 1);
});

test('A24 a month before what owners signed runs out, the service and publish say so, until the owners sign again', async () => {
  const other = await makeLane(path.join(folder, 'owners'));
  try {
    const late = clockAhead(160 * DAY_MS);
    const service = await startServer('sealane', ['serve', '--listen', '127.0.0.1:0', '--home', other.home], late);
    await said(service, 'only the owners can renew it');
    await service.stop();
    expect(service.stderr()).toMatch(/"role":"targets","expiresAt":"[^"]+"/);
    expect(service.stderr()).not.toContain('"role":"root"');
    const publish = (): Promise<Answer> => runJson('sealane', ['publish', '--home', other.home], late);
    expect((await publish()).json).toEqual({ stages: [], owners: [{ role: 'targets', expiresAt: expect.any(String) as string }] });
    const over = await expectJson('sealane', ['trust', 'verify', '--home', other.home], 4, clockAhead(400 * DAY_MS));
    expect(over.error).toMatchObject({ code: 'TRUST_EXPIRED', hint: expect.stringContaining('sealane trust propose --renew') as string });
    await expectJson('sealane', ['trust', 'propose', '--renew', '--home', other.home], 5, late);
    for (const owner of ['root-1', 'root-2', 'targets-1', 'targets-2'])
      await expectJson('sealane', ['trust', 'sign', '--key', owner, '--home', other.home], 0, late);
    await expectJson('sealane', ['trust', 'publish', '--home', other.home], 0, late);
    expect((await publish()).json).toEqual({ stages: [], owners: [] });
    await issuerRunsOut(other);
  } finally {
    await other.stop();
  }
});

/** The issuer of certificates of sites is named as root and policies are, until another is there. */
async function issuerRunsOut(other: TestLane): Promise<void> {
  const authority = await makeAuthority(other, path.join(folder, 'ca'));
  const later = clockAhead(336 * DAY_MS);
  const publish = (): Promise<Answer> => runJson('sealane', ['publish', '--home', other.home], later);
  expect((await publish()).json.owners).toMatchObject([{ role: 'targets' }, { role: 'site-ca', expiresAt: expect.any(String) as string }]);
  const { stderr } = await runProgram(process.execPath, commandWords('sealane', ['publish', '--home', other.home], later.node));
  expect(stderr).toMatch(/site-ca expires \S+, and only .*: sealane trust propose --renew; sealane ca request --out site-ca.csr/);
  const service = await startServer('sealane', ['serve', '--listen', '127.0.0.1:0', '--home', other.home], later);
  await said(service, '"role":"site-ca"');
  await service.stop();
  expect(service.stderr()).toContain('only the owners can renew it: sealane ca request --out site-ca.csr');
  await other.sealane(['ca', 'request', '--out', path.join(folder, 'again.csr')]);
  await signIssuer(authority, path.join(folder, 'again.csr'), path.join(folder, 'again.pem'), ['--days', '700']);
  await other.sealane(['ca', 'install', path.join(folder, 'again.pem')]);
  expect((await publish()).json.owners).toMatchObject([{ role: 'targets' }]);
}
