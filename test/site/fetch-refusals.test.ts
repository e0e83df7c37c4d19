/** What `fetch` ran into reaches the technician by its code where `fetch` is a process of its own: in the answer of `update`, in `status`, and with what to do. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { startDripping } from '../support/dripping.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { enrolSite, type TestSite } from '../support/site.js';
import { startTwoProcesses, type TwoProcesses } from '../support/two-processes.js';

const isRoot = process.getuid?.() === 0;
let dir: string;
let lane: TestLane;
let site: TestSite;
let pair: TwoProcesses;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-ran-into-'));
  lane = await makeLane(dir);
  await lane.promote(await lane.release('1.0.0', { 'srv/large': randomBytes(1024 * 1024).toString('hex') }));
  site = await enrolSite(lane, path.join(dir, 'site'), { yaml: 'pollSeconds: 3600' });
  configure({ upstreams: [path.join(dir, 'nowhere')] });
  pair = await startTwoProcesses(site);
});
afterAll(async () => {
  await pair.must(['stop']);
  await pair.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Sets keys of `site.yaml`. */
function configure(more: object): void {
  writeFileSync(site.config, stringify({ ...parse(readFileSync(site.config, 'utf8')), ...more }));
}

/** Updates with these settings; the rest of `site.yaml` is as before, and so it is afterwards. */
async function updatesWith(more: object, code: string, exit: 5 | 6, remedy: RegExp): Promise<void> {
  const before = readFileSync(site.config, 'utf8');
  configure(more);
  try {
    const answer = await pair.must(['update'], exit);
    expect(answer).toMatchObject({ outcome: 'deferred', reason: code });
    const { expected, remedy: said } = answer.checks.at(-1);
    expect({ expected, said }).toEqual({ expected: expect.stringContaining('upstream'), said: expect.stringMatching(remedy) });
    const status = await pair.must(['status']);
    expect(status).toMatchObject({ state: 'idle', current: null, refused: null, link: { code }, next: said });
    // the same again is no other note
    await pair.must(['update'], exit);
    expect((await pair.must(['status'])).link).toEqual(status.link);
  } finally {
    writeFileSync(site.config, before);
  }
}

it('no upstream there', () => updatesWith({}, 'FETCH_FAILED', 6, /uplink/));

it('one that drips', async () => {
  const server = await startDripping(lane.lane);
  try {
    await updatesWith({ upstreams: [server.url] }, 'FETCH_TOO_SLOW', 6, /another upstream/);
  } finally {
    server.stop();
  }
});

it('a client certificate that is not there', () => {
  const tls = { ca: './ca.crt', certificate: './site.crt', key: './site.key' };
  return updatesWith({ upstreams: [{ at: 'https://127.0.0.1:1', tls }] }, 'CONFIG_INVALID', 5, /certificate files/);
});

it('a budget that is spent', () => updatesWith({ upstreams: [{ at: lane.lane, dailyBytes: 0 }] }, 'BUDGET_SPENT', 5, /next day/));

it('a mirror that may not grow so large', () =>
  updatesWith({ upstreams: [lane.lane], mirrorBytes: 1024 * 1024 }, 'DISK_SHORT', 5, /free disk/));

it.skipIf(!isRoot)('a mirror that may not be written (skipped without root)', async () => {
  const fetched = path.join(site.dir, 'fetched');
  execFileSync('mount', ['--bind', fetched, fetched]);
  execFileSync('mount', ['-o', 'remount,ro,bind', fetched]);
  try {
    await updatesWith({ upstreams: [lane.lane] }, 'STATE_UNWRITABLE', 5, /let fetch write its mirror/);
  } finally {
    execFileSync('umount', [fetched]);
  }
});

it('and all is well again: nothing is said any more', async () => {
  configure({ upstreams: [lane.lane] });
  expect(await pair.must(['update'])).toMatchObject({ outcome: 'installed' });
  expect(await pair.must(['status'])).toMatchObject({ link: null, next: null });
});

it('a medium with a link on it is refused by the path of the link', async () => {
  const medium = path.join(dir, 'linked');
  await lane.sealane(['media', 'export', '--stage', 'prod', '--out', medium]);
  const file = path.join(medium, 'trust', 'metadata', 'timestamp.json');
  renameSync(file, path.join(dir, 'elsewhere.json'));
  symlinkSync(path.join(dir, 'elsewhere.json'), file);
  const { error } = await pair.must(['media', 'import', medium], 4);
  expect(error).toMatchObject({ code: 'CONTENT_UNSAFE', message: expect.stringContaining(file) });
  rmSync(file);
  renameSync(path.join(dir, 'elsewhere.json'), file);
  await pair.must(['media', 'import', medium]);
});

it('a site of media that none has come to yet waits for one, and says so', async () => {
  const island = await enrolSite(lane, path.join(dir, 'island'), { name: 'island-1', upstreams: [] });
  expect(await island.must(['update'], 6)).toMatchObject({ outcome: 'deferred', reason: 'FETCH_FAILED' });
  expect(await island.must(['status'])).toMatchObject({ refused: null, next: expect.stringContaining('sealane-site media import') });
  const medium = path.join(dir, 'medium');
  await lane.sealane(['media', 'export', '--stage', 'prod', '--out', medium]);
  await island.must(['media', 'import', medium]);
  expect(await island.must(['update'])).toMatchObject({ outcome: 'installed' });
  expect(await island.must(['status'])).toMatchObject({ link: null, next: null });
  await island.stop();
});
