/** Releases with a layer in common: what lies in the slot already is not unpacked again, and never believed. */
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';

const DATA = 'the same in every version\n'.repeat(1000);
const BASE = { 'lib/data': DATA, 'lib/conf': 'base\n' };

let dir: string;
let lane: TestLane;
let site: TestSite;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-layers-'));
  lane = await makeLane(dir);
  site = await enrolSite(lane, path.join(dir, 'site'));
});

afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function promote(version: string): Promise<void> {
  await lane.promote(await lane.release(version, { 'lib/conf': `of ${version}\n` }, BASE));
}

/** Files of the release that runs. */
const running = (file: string): string => path.join(site.state, 'current', 'app', file);

/** The layer that all versions have, in the store. */
function baseBlob(): string {
  const layers = path.join(site.state, 'layers');
  const [base] = readdirSync(layers).filter((name) => readFileSync(path.join(layers, name), 'utf8').includes('lib/data'));
  return path.join(site.state, 'store', 'blobs', 'sha256', base ?? 'none');
}

/** Another byte under the same size and time. */
function rot(file: string): void {
  const { mtime } = lstatSync(file);
  const bytes = readFileSync(file);
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  utimesSync(file, mtime, mtime);
}

test('B7 a layer that the running release has too is taken from its slot, each file hashed: what rotted there is unpacked again', async () => {
  await promote('1.0.0');
  await site.must(['update']);
  // nobody reads it
  rot(baseBlob());
  await promote('2.0.0');
  await site.must(['update']);
  expect(versionOnDisk(site.state)).toBe('2.0.0');
  expect([readFileSync(running('lib/data'), 'utf8') === DATA, readFileSync(running('lib/conf'), 'utf8')]).toEqual([true, 'of 2.0.0\n']);

  rot(running('lib/data'));
  await promote('3.0.0');
  const { json } = await site.run(['update']);
  expect(json).toMatchObject({ outcome: 'refused', reason: 'CONTENT_DIGEST' });
  expect(versionOnDisk(site.state)).toBe('2.0.0');
  // the blob that was wrong is gone, and comes once more
  await site.must(['update']);
  expect([versionOnDisk(site.state), readFileSync(running('lib/data'), 'utf8') === DATA]).toEqual(['3.0.0', true]);
});
