/** A real lane and a real site for faults: releases of two components each, a workload that can be found, and everything that the site keeps. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import { type Machine, writeWholeMachine } from './hardware.js';
import { makeLane, type TestLane } from './lane.js';
import { enrolSite, siteAt, type TestSite } from './site.js';

/**
 * 1.0.0 was installed at `base` and is stopped; `enrolled` is the same site before that. 1.1.0 is good; 1.2.0 ends when it is started. `lanes` are copies of
 * the lane with each as prod's release.
 */
export interface SiteWorld {
  readonly dir: string;
  readonly enrolled: string;
  readonly base: string;
  readonly releases: Readonly<Record<'1.0.0' | '1.1.0' | '1.2.0', string>>;
  readonly lanes: Readonly<Record<'1.0.0' | '1.1.0' | '1.2.0', string>>;
  close(): void;
}

/** Makes the lane, the three releases and the site with the real commands. The site may be told what machine it stands on, wherever it runs. */
export async function makeSiteWorld(machine?: Pick<Machine, 'serial'>, dir = newFolder()): Promise<SiteWorld> {
  mkdirSync(dir, { recursive: true });
  const base = path.join(dir, 'base');
  const told = machine === undefined ? undefined : writeWholeMachine(path.join(dir, 'host'), machine);
  const lane = await makeLane(dir, told === undefined ? {} : { machine: told });
  try {
    const first = await publish(lane, '1.0.0');
    const site = await enrolSite(lane, base, { driver: DRIVER, receiptsTo: './out' });
    if (told !== undefined) editConfig(base, 'inventory', { root: told });
    const enrolled = path.join(dir, 'enrolled');
    cpSync(base, enrolled, { recursive: true });
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: first.release });
    await site.stop();
    const second = await publish(lane, '1.1.0');
    const third = await publish(lane, '1.2.0', { bad: 'yes\n' });
    return {
      dir,
      enrolled,
      base,
      releases: { '1.0.0': first.release, '1.1.0': second.release, '1.2.0': third.release },
      lanes: { '1.0.0': first.lane, '1.1.0': second.lane, '1.2.0': third.lane },
      close: () => rmSync(dir, { recursive: true, force: true }),
    };
  } finally {
    await lane.stop();
  }
}

/** In memory where there is such a disk: many small files are faster there, and SIGKILL loses nothing of either. */
function newFolder(): string {
  return mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sealane-site-'));
}

/** A bad release ends at once. Every healthy answer is written down beside the state folder, by version. */
export const DRIVER = {
  use: 'files',
  healthIntervalMs: 50,
  probationSeconds: 0.2,
  stopGraceSeconds: 1,
  start: ['/bin/sh', '-c', 'test ! -f conf/bad && exec sleep 600'],
  health: [{ command: ['/bin/sh', '-c', 'test ! -f conf/bad && echo "$SEALANE_VERSION" >> "$SEALANE_STATE/../healthy"'] }],
};

/** Two components whose files must always be of one version. */
async function publish(
  lane: TestLane,
  version: string,
  conf: Readonly<Record<string, string>> = {},
): Promise<{ readonly release: string; readonly lane: string }> {
  const from = path.join(lane.dir, 'sources', version);
  const files = {
    'app/srv/version': `${version}\n`,
    'conf/version': `${version}\n`,
    ...Object.fromEntries(Object.entries(conf).map(([name, text]) => [`conf/${name}`, text])),
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(from, name)), { recursive: true });
    writeFileSync(path.join(from, name), text);
  }
  const components = ['app', 'conf'].flatMap((name) => ['--files', `${name}=${path.join(from, name)}`]);
  const { release } = (await lane.sealane([
    'release',
    'create',
    '--name',
    'readings',
    '--version',
    version,
    ...components,
    '--key',
    'author',
  ])) as { release: string };
  await lane.promote(release);
  const copy = path.join(lane.dir, 'lanes', version);
  cpSync(lane.lane, copy, { recursive: true, verbatimSymlinks: true });
  return { release, lane: copy };
}

/** A copy of the site that polls the lane with this release, its workload running. `use` may leave the site in any state. */
export async function atSite(world: SiteWorld, offered: keyof SiteWorld['lanes'], use: (site: TestSite) => Promise<void>): Promise<void> {
  await atSiteIn(mkdtempSync(path.join(world.dir, 'scene-')), world, offered, use);
}

/** As `atSite`, in a folder that is there already. */
export async function atSiteIn(
  dir: string,
  world: SiteWorld,
  offered: keyof SiteWorld['lanes'],
  use: (site: TestSite) => Promise<void>,
): Promise<void> {
  cpSync(world.base, dir, { recursive: true, verbatimSymlinks: true });
  editConfig(dir, 'upstreams', [world.lanes[offered]]);
  const site = siteAt(dir);
  try {
    await site.must(['start']);
    await use(site);
  } finally {
    await site.stop();
  }
}

/** Sets a key at the top of the site.yaml of a folder. */
export function editConfig(dir: string, key: string, value: unknown): void {
  const config = path.join(dir, 'site.yaml');
  const text = readFileSync(config, 'utf8').replace(new RegExp(`^${key}: .*\n`, 'm'), '');
  writeFileSync(config, `${text}${key}: ${JSON.stringify(value)}\n`);
}

/** Releases whose workload runs now, one entry a process: the slot is the folder that it runs in. Linux only. */
export function runningReleases(site: TestSite): readonly string[] {
  const releases = path.join(site.state, 'releases');
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const folder = readlinkSync(`/proc/${pid}/cwd`);
        if (path.dirname(folder) !== releases) return [];
        const isWorkload = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').join(' ') === 'sleep 600 ';
        return isWorkload ? [`sha256:${path.basename(folder)}`] : [];
      } catch (error) {
        // it ended while it was looked at
        if (error instanceof Error && 'code' in error && ['ENOENT', 'ESRCH', 'EACCES'].includes(String(error.code))) return [];
        throw error;
      }
    });
}

/** The versions of all files of the release that `current` leads to; more than one is a mixture. */
export function versionsOnDisk(site: TestSite): readonly string[] {
  const current = path.join(site.state, 'current');
  if (!existsSync(current)) return [];
  return [...new Set(['app/srv/version', 'conf/version'].map((name) => readFileSync(path.join(current, name), 'utf8').trim()))];
}

/** Versions that answered as healthy, each as often as it did. */
export function healthyVersions(site: TestSite): readonly string[] {
  const file = path.join(site.dir, 'healthy');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}

/** A receipt as it lies on disk: its exact bytes, and what it says. */
export interface ReceiptOnDisk {
  readonly bytes: string;
  readonly digest: string;
  readonly seq: number;
  readonly prev: string | null;
  readonly event: string;
  readonly release: string | null;
  readonly reason: string | null;
}

/** Receipts that are queued or sent, by number; the same number twice with other bytes is a fork and throws. */
export function receiptsOf(site: TestSite): readonly ReceiptOnDisk[] {
  const found = new Map<number, ReceiptOnDisk>();
  for (const folder of [path.join(site.state, 'receipts'), path.join(site.state, 'receipts', 'sent'), path.join(site.dir, 'out')]) {
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder).filter((file) => /\d{8}\.json$/.test(file))) {
      const receipt = readReceiptFile(path.join(folder, name));
      const known = found.get(receipt.seq);
      if (known !== undefined && known.bytes !== receipt.bytes)
        throw new Error(`read receipts: expected one receipt ${receipt.seq}, got two that differ`);
      found.set(receipt.seq, receipt);
    }
  }
  return [...found.values()].sort((left, right) => left.seq - right.seq);
}

function readReceiptFile(file: string): ReceiptOnDisk {
  const bytes = readFileSync(file, 'utf8');
  const { dsseEnvelope } = JSON.parse(bytes) as { dsseEnvelope: { payload: string } };
  const payload = Buffer.from(dsseEnvelope.payload, 'base64');
  const { predicate } = JSON.parse(payload.toString()) as { predicate: Omit<ReceiptOnDisk, 'bytes' | 'digest'> };
  const { seq, prev, event, release, reason } = predicate;
  return { bytes, digest: `sha256:${createHash('sha256').update(payload).digest('hex')}`, seq, prev, event, release, reason };
}

/** Asserts that receipts are numbered from 1 without a gap, each naming the one before. */
export function expectChain(receipts: readonly ReceiptOnDisk[]): void {
  expect(receipts.map(({ seq }) => seq)).toEqual(receipts.map((_, at) => at + 1));
  expect(receipts.map(({ prev }) => prev)).toEqual([null, ...receipts.slice(0, -1).map(({ digest }) => digest)]);
}
