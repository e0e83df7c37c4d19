/** `npm run reliability`: two hundred updates in a row with faults of chance; what the updater holds at the end is what it held once it was warm. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { makeLane } from '../support/lane.js';
import { commandWords, type Server, startServer } from '../support/run.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';
import { seeded } from './disk-states.js';
import { writeReport } from './report.js';
import { openResults, timeIsUp } from './results.js';
import { KILLS_END, LEVEL, level, type SoakRound, UPDATES, WARM } from './soak.js';

/** A release of some size, beside which the journal's own ups and downs are what they are at a site. */
const LAYER_BYTES = 4_000_000;
/** Longer than any machine needs, however busy: what takes longer hangs. */
const ARRIVES_WITHIN_MS = 600_000;

type Fault = SoakRound['fault'];

test('two hundred updates in a row', async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'sealane-soak-'));
  // in a row: what an earlier run began is not gone on with
  const { add } = openResults<SoakRound>('soak.jsonl', { again: true });
  const lane = await makeLane(dir);
  const serve = (listen: string): Promise<Server> => startServer('sealane', ['serve', '--listen', listen, '--home', lane.home]);
  let server = await serve('127.0.0.1:0');
  const address = server.url;
  const health = [{ command: ['/bin/sh', '-c', 'test -f app/srv/version -a ! -f app/srv/broken'] }];
  const site = await enrolSite(lane, path.join(dir, 'site'), {
    stage: 'dev',
    upstreams: [address],
    receiptsTo: address,
    yaml: 'pollSeconds: 1',
    driver: { health },
  });
  let daemon = start(site);
  const random = seeded(5);
  const rounds: SoakRound[] = [];
  try {
    for (let round = 1; round <= UPDATES && !timeIsUp(); round += 1) {
      const fault = pick(random(), round <= KILLS_END);
      const version = `1.0.${round}`;
      const data = { 'srv/data': randomBytes(LAYER_BYTES / 2).toString('latin1') };
      const release = await lane.release(version, fault === 'broken release' ? { ...data, 'srv/broken': '' } : data);
      if (fault === 'no network') await server.stop();
      await lane.promote(release, 'dev');
      if (fault === 'killed') await kill(daemon, random);
      if (fault === 'killed') daemon = start(site);
      if (fault === 'no network') await pause(3000);
      if (fault === 'no network') server = await serve(address.replace('http://', ''));
      await arrived(site, version, fault);
      const seen = { round, fault, ...heldBy(daemon), diskBytes: sizeOf(site.state) };
      rounds.push(seen);
      add(seen);
    }
    for (const what of ['memoryBytes', 'files', 'diskBytes'] as const) {
      const [warm, end] = [level(rounds.slice(WARM, WARM + LEVEL), what), level(rounds.slice(-LEVEL), what)];
      expect(end, `${what}: ${warm} when warm, ${end} at the end`).toBeLessThanOrEqual(warm * 1.05);
    }
  } finally {
    daemon.kill('SIGTERM');
    await once(daemon, 'exit');
    await site.stop();
    await server.stop();
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
    await writeReport();
  }
});

function start(site: TestSite): ChildProcess {
  const words = commandWords('sealane-site', ['run', '--config', site.config, '--state', site.state]);
  return spawn(process.execPath, words, { stdio: 'ignore' });
}

async function kill(daemon: ChildProcess, random: () => number): Promise<void> {
  await pause(random() * 3000);
  daemon.kill('SIGKILL');
  await once(daemon, 'exit');
}

function pick(chance: number, mayKill: boolean): Fault {
  if (chance < 0.1) return 'no network';
  if (chance < 0.2) return 'broken release';
  return chance < 0.4 && mayKill ? 'killed' : 'none';
}

/** A broken release comes and goes: its receipt says so, and what ran before runs. */
async function arrived(site: TestSite, version: string, fault: Fault): Promise<void> {
  const before = Date.now();
  const isThere = async (): Promise<boolean> => {
    const { state, current, receiptsQueued } = await site.must(['status']);
    if (state !== 'idle' || receiptsQueued !== 0) return false;
    if (fault === 'broken release') return (await site.run(['check'])).json.reason === 'RELEASE_FAILED_HERE';
    return current?.version === version && versionOnDisk(site.state) === version;
  };
  while (!(await isThere())) {
    if (Date.now() - before > ARRIVES_WITHIN_MS) throw new Error(`wait for ${version} (${fault}): expected it within ten minutes`);
    await pause(200);
  }
}

/** Memory that is the process's own, in bytes, and its open files. */
function heldBy({ pid = 0 }: ChildProcess): Pick<SoakRound, 'memoryBytes' | 'files'> {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return { memoryBytes: Number(/RssAnon:\s+(\d+)/.exec(status)?.[1]) * 1024, files: readdirSync(`/proc/${pid}/fd`).length };
}

/** Of the files below a folder. The updater may be clearing up: what goes away while it is counted is counted anew. */
function sizeOf(folder: string): number {
  for (;;) {
    try {
      const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      return files.reduce((sum, { parentPath, name }) => sum + lstatSync(path.join(parentPath, name)).size, 0);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
}
