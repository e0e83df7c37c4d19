/** Row B1: a bound of the mirror's own: what would not fit is not begun, what nobody wants makes room, and news that bars a release comes all the same. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';

const BOUND = 2 * 1024 * 1024;

let dir: string;
let lane: TestLane;
let upstream: string;
let site: TestSite;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-b01-bound-'));
  lane = await makeLane(dir);
  upstream = path.join(dir, 'upstream');
  site = await enrolSite(lane, path.join(dir, 'site'), { stage: 'dev', upstreams: [upstream], yaml: `mirrorBytes: ${BOUND}` });
});

afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Publishes a release of about so many bytes, none of which can be packed smaller. */
async function publish(version: string, bytes: number): Promise<string> {
  const release = await lane.release(version, { 'srv/bulk': randomBytes(bytes / 2).toString('hex') });
  await lane.promote(release, 'dev');
  rmSync(upstream, { recursive: true, force: true });
  cpSync(lane.lane, upstream, { recursive: true });
  return release;
}

/** Takes the configurations of images away from the upstream: a sync brings all the rest, and is not whole. */
function loseConfigurations(): void {
  const blobs = path.join(upstream, 'content', 'blobs', 'sha256');
  const lost = readdirSync(blobs).filter((name) => readFileSync(path.join(blobs, name), 'latin1').includes('"rootfs"'));
  expect(lost.length).toBeGreaterThan(0);
  for (const name of lost) rmSync(path.join(blobs, name));
}

/** Bytes of content in the mirror of a site, begun downloads too. */
function contentOf({ state }: TestSite): number {
  const sizes = ['content/blobs/sha256', 'partial'].map((folder) => {
    const at = path.join(state, 'mirror', folder);
    return !existsSync(at) ? [] : readdirSync(at).map((name) => statSync(path.join(at, name)).size);
  });
  return sizes.flat().reduce((sum, bytes) => sum + bytes, 0);
}

test('B1 what two releases need together does not fit: the one that nobody wants goes before the other has come', async () => {
  await publish('1.0.0', 2_600_000);
  await site.must(['update']);
  await publish('1.1.0', 2_000_000);
  loseConfigurations();
  await site.must(['update'], 4);
  expect(versionOnDisk(site.state)).toBe('1.0.0');
  expect(contentOf(site)).toBeGreaterThan(BOUND / 3);
  expect(contentOf(site)).toBeLessThan(BOUND);

  await publish('1.2.0', 2_000_000);
  await site.must(['update']);
  expect(versionOnDisk(site.state)).toBe('1.2.0');
  expect(contentOf(site)).toBeLessThan(BOUND);
});

test('B1 a release that cannot fit is not begun and says so; a revocation comes all the same, and the next release that fits', async () => {
  const large = await publish('2.0.0', 6_000_000);
  const before = contentOf(site);
  const answer = await site.must(['update'], 5);
  expect(answer).toMatchObject({ outcome: 'deferred', reason: 'DISK_SHORT', release: large });
  expect(JSON.stringify(answer.checks)).toContain(`expected at most mirrorBytes of site.yaml, ${BOUND} bytes, got`);
  // no more than waybill and manifests came, to learn how much it is
  expect(contentOf(site) - before).toBeLessThan(100_000);
  expect(versionOnDisk(site.state)).toBe('1.2.0');

  await lane.sealane(['revoke', large, '--reason', 'too large for the towns']);
  rmSync(upstream, { recursive: true });
  cpSync(lane.lane, upstream, { recursive: true });
  expect(await site.must(['update'], 3)).toMatchObject({ outcome: 'refused', reason: 'RELEASE_REVOKED' });
  await publish('2.0.1', 1_000_000);
  await site.must(['update']);
  expect(versionOnDisk(site.state)).toBe('2.0.1');
});
