/** Places that cannot be used for a reason of this host (B3): others are asked, and what a medium brought is taken in. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { makeLane, type TestLane } from '../support/lane.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';

const isRoot = process.getuid?.() === 0;
let dir: string;
let lane: TestLane;
let sites = 0;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-places-'));
  lane = await makeLane(dir);
  await lane.promote(await lane.release('1.0.0'));
});
afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function siteWith(upstreams: readonly unknown[]): Promise<TestSite> {
  const name = `harbour-${(sites += 1)}`;
  const site = await enrolSite(lane, path.join(dir, name), { name, upstreams: [] });
  writeFileSync(site.config, stringify({ ...parse(readFileSync(site.config, 'utf8')), upstreams }));
  return site;
}

/** The largest blob of a lane. */
function largestBlob(at: string): string {
  const folder = path.join(at, 'content', 'blobs', 'sha256');
  const files = readdirSync(folder).map((name) => path.join(folder, name));
  return files.sort((a, b) => statSync(b).size - statSync(a).size)[0] ?? '';
}

/** A file that opens and cannot be read, as on a stick that was pulled or a share whose server is gone: the memory of a process has nothing at 0 (EIO). */
async function whileUnreadable(file: string, run: () => Promise<void>): Promise<void> {
  execFileSync('mount', ['--bind', `/proc/${process.pid}/mem`, file]);
  try {
    await run();
  } finally {
    execFileSync('umount', [file]);
  }
}

it('B3 a neighbour for which this site has no certificate yet keeps no content of the centre from it', async () => {
  const tls = { ca: './ca.crt', certificate: './site.crt', key: './site.key' };
  const near = { at: 'https://127.0.0.1:1', carries: ['content'], tls };
  const site = await siteWith([{ at: lane.lane, carries: ['trust'] }, near, { at: lane.lane, carries: ['content'] }]);
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
  await site.stop();
});

it.skipIf(!isRoot)('B3 a share that cannot be read is left for the next place (skipped without root)', async () => {
  const share = path.join(dir, 'share');
  cpSync(lane.lane, share, { recursive: true });
  const site = await siteWith([share, lane.lane]);
  await whileUnreadable(largestBlob(share), async () => {
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
  });
  await site.stop();
});

it.skipIf(!isRoot)(
  'B5 a medium that cannot be read is named, and its lane is taken in where only its certificate cannot be (skipped without root)',
  async () => {
    const medium = path.join(dir, 'medium');
    await lane.sealane(['media', 'export', '--stage', 'prod', '--out', medium]);
    const site = await siteWith([]);
    await whileUnreadable(largestBlob(medium), async () => {
      const { error } = await site.must(['media', 'import', medium], 6);
      expect(error).toMatchObject({ code: 'FETCH_FAILED', message: expect.stringContaining(largestBlob(lane.lane).slice(-64)) });
    });
    const { keyId } = await lane.sealane(['site', 'show', site.name]);
    const certificate = path.join(medium, 'certificates', `${keyId}.pem`);
    mkdirSync(path.dirname(certificate), { recursive: true });
    writeFileSync(certificate, '');
    await whileUnreadable(certificate, async () => {
      const { exit, stderr } = await site.run(['media', 'import', medium]);
      expect({ exit, stderr }).toEqual({ exit: 0, stderr: expect.stringMatching(/certificate on the medium was not taken in/) });
    });
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
    expect(versionOnDisk(site.state)).toBe('1.0.0');
    await site.stop();
  },
);

it.skipIf(!isRoot)(
  'B10 where what was learnt of places can be neither read nor kept, receipts leave all the same (skipped without root)',
  async () => {
    const site = await siteWith([lane.lane]);
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
    const carried = path.join(dir, 'carried');
    writeFileSync(site.config, stringify({ ...parse(readFileSync(site.config, 'utf8')), receiptsTo: carried }));
    await whileUnreadable(path.join(site.state, 'mirror', 'routes.json'), async () => {
      const { json, stderr } = await site.run(['update']);
      // the sync says what its disk is like; what runs goes on and is looked after
      expect({ json, stderr }).toMatchObject({ json: { outcome: 'deferred' }, stderr: expect.not.stringMatching(/\n\s+at /) });
    });
    expect(readdirSync(carried)).toContain(`${site.name}-00000001.json`);
    await site.stop();
  },
);
