/** Sites as they are before something cuts them off, and what must be true of them afterwards. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readState } from '../../packages/site/src/apply/machine.js';
import type { SiteState } from '../../packages/site/src/apply/state.js';
import { systemClock } from '../../packages/site/src/clock.js';
import { nodeDisk } from '../../packages/site/src/disk.js';
import { systemProcesses } from '../../packages/site/src/drivers/process-table.js';
import { sealed } from '../../packages/site/src/sealed-file.js';
import { siteAt, type TestSite } from '../support/site.js';
import {
  DRIVER,
  editConfig,
  makeSiteWorld,
  receiptsOf,
  type ReceiptOnDisk,
  runningReleases,
  type SiteWorld,
} from '../support/site-world.js';

export type Version = keyof SiteWorld['releases'];

/** A command that is cut off: where it starts from, what it is meant to do, and the commands that come after the cut. */
export interface Scenario {
  readonly name: string;
  readonly from: 'enrolled' | 'old' | 'new' | 'queued';
  /** What the upstream, or the medium, has. */
  readonly offered: Version;
  readonly upstream: 'lane' | 'none';
  readonly words: (world: CutWorld) => readonly string[];
  readonly then: (world: CutWorld) => readonly (readonly string[])[];
  /** What may run afterwards; null = nothing yet. The first is what a single cut must lead to, where the command was far enough or comes again. */
  readonly ends: readonly (Version | null)[];
  /** The receipts of the base and what may follow them, as `event version`. */
  readonly receipts: readonly (readonly string[])[];
}

const update = (): readonly string[] => ['update'];
const medium = (world: CutWorld): readonly string[] => ['media', 'import', world.lanes['1.1.0']];

const FIRST = 'installed 1.0.0';
const SECOND = [FIRST, 'installed 1.1.0'];
const GAVE_UP = [FIRST, 'rolled-back 1.1.0'];

/** Whole updates, first and second, good and bad; a rollback by hand; a mirror's sync; a medium's import. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'first install',
    from: 'enrolled',
    offered: '1.0.0',
    upstream: 'lane',
    words: update,
    then: () => [['update']],
    ends: ['1.0.0', null],
    receipts: [[FIRST], ['rolled-back 1.0.0']],
  },
  {
    name: 'update',
    from: 'old',
    offered: '1.1.0',
    upstream: 'lane',
    words: update,
    then: () => [['update']],
    ends: ['1.1.0', '1.0.0'],
    receipts: [SECOND, GAVE_UP],
  },
  {
    name: 'update that fails its health',
    from: 'old',
    offered: '1.2.0',
    upstream: 'lane',
    words: update,
    then: () => [['update']],
    ends: ['1.0.0'],
    receipts: [[FIRST, 'rolled-back 1.2.0']],
  },
  {
    name: 'rollback by hand',
    from: 'new',
    offered: '1.1.0',
    upstream: 'lane',
    words: () => ['rollback'],
    then: () => [['update']],
    ends: ['1.0.0', '1.1.0'],
    receipts: [[...SECOND, 'rollback 1.0.0'], SECOND, [...SECOND, 'rolled-back 1.0.0']],
  },
  {
    name: 'mirror sync',
    from: 'old',
    offered: '1.1.0',
    upstream: 'lane',
    words: () => ['mirror', 'sync'],
    then: () => [['update']],
    ends: ['1.1.0', '1.0.0'],
    receipts: [SECOND, GAVE_UP],
  },
  {
    name: 'media import',
    from: 'old',
    offered: '1.1.0',
    upstream: 'none',
    words: medium,
    then: (world) => [medium(world), ['update']],
    ends: ['1.1.0', '1.0.0'],
    receipts: [SECOND, GAVE_UP],
  },
];

/** Receipts that waited for a link are sent. */
const FLUSH: Scenario = {
  name: 'receipt flush',
  from: 'queued',
  offered: '1.1.0',
  upstream: 'lane',
  words: update,
  then: () => [['update']],
  ends: ['1.0.0'],
  receipts: [[...SECOND, 'rollback 1.0.0']],
};

/** Scenarios that the power is cut in; all of their recoveries are an `update`. */
export const POWER_SCENARIOS: readonly Scenario[] = [...SCENARIOS, FLUSH];

/** The world of sites, with the places that scenarios start from: workloads are not running there, but for that nothing is stopped. */
export interface CutWorld extends SiteWorld {
  readonly places: Readonly<Record<Scenario['from'], string>>;
  /** Where scenes are laid out. */
  readonly scenes: string;
  /** Release → hash of what lies in its slot. */
  readonly trees: ReadonlyMap<string, string>;
}

/** Health that is asked quickly: thousands of cuts wait for it. */
const QUICK_DRIVER = { ...DRIVER, healthIntervalMs: 20, probationSeconds: 0.05 };

/** Makes it with the real commands, in a folder of its own or this one. The same machine is seen wherever a site of it is booted. */
export async function makeCutWorld(dir?: string): Promise<CutWorld> {
  const world = await makeSiteWorld({ serial: 'CUT-1' }, dir);
  const places = {
    enrolled: world.enrolled,
    old: path.join(world.dir, 'old'),
    new: path.join(world.dir, 'new'),
    queued: path.join(world.dir, 'queued'),
  };
  for (const place of [world.enrolled, world.base]) editConfig(place, 'driver', QUICK_DRIVER);
  cpSync(world.base, places.old, { recursive: true, verbatimSymlinks: true });
  await siteAt(places.old).must(['start']);
  endWorkloads(siteAt(places.old));
  cpSync(places.old, places.new, { recursive: true, verbatimSymlinks: true });
  editConfig(places.new, 'upstreams', [world.lanes['1.1.0']]);
  await siteAt(places.new).must(['update']);
  endWorkloads(siteAt(places.new));
  await queueReceipts(world, places.old, places.queued);
  const trees = new Map<string, string>();
  for (const version of ['1.0.0', '1.1.0'] as const) {
    const release = world.releases[version];
    trees.set(release, treeHash(path.join(places.new, 'state', 'releases', release.slice('sha256:'.length))));
  }
  return { ...world, places, scenes: world.dir, trees };
}

/** Updated and rolled back while nothing could be sent. */
async function queueReceipts(world: SiteWorld, from: string, to: string): Promise<void> {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  editConfig(to, 'upstreams', [world.lanes['1.1.0']]);
  editConfig(to, 'receiptsTo', '/dev/null/nowhere');
  const site = siteAt(to);
  await site.must(['update']);
  await site.must(['rollback']);
  endWorkloads(site);
  editConfig(to, 'receiptsTo', './out');
}

/** A copy of the place that a scenario starts from, its workload running. The caller ends it with `clear`. */
export function setScene(world: CutWorld, scenario: Scenario): TestSite {
  const dir = mkdtempSync(path.join(world.scenes, 'scene-'));
  cpSync(world.places[scenario.from], dir, { recursive: true, verbatimSymlinks: true });
  editConfig(dir, 'upstreams', scenario.upstream === 'none' ? [] : [world.lanes[scenario.offered]]);
  const site = siteAt(dir);
  if (scenario.from !== 'enrolled') startWorkload(site, world.releases[scenario.from === 'new' ? '1.1.0' : '1.0.0']);
  return site;
}

/** The workload as the driver would have left it running: a process in its slot, and the record of it. */
function startWorkload(site: TestSite, release: string): void {
  const child = spawn('/bin/sh', ['-c', 'exec sleep 600'], {
    cwd: path.join(site.state, 'releases', release.slice('sha256:'.length)),
    detached: true,
    stdio: 'ignore',
  });
  child.unref();
  const { pid = 0 } = child;
  const record = { pid, startTime: systemProcesses.startTime(pid) ?? '', bootId: systemClock.bootId(), release, handedOver: false };
  writeFileSync(path.join(site.state, 'run', 'workload.json'), sealed(record), { mode: 0o600 });
}

/** Ends what runs in the slots of a site. */
export function endWorkloads(site: TestSite): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (readlinkSync(`/proc/${pid}/cwd`).startsWith(`${site.state}/`)) process.kill(Number(pid), 'SIGKILL');
    } catch (error) {
      // it ended while it was looked at
      if (!(error instanceof Error && 'code' in error && ['ENOENT', 'ESRCH', 'EACCES'].includes(String(error.code)))) throw error;
    }
  }
}

/** Ends a scene and forgets it. */
export function clear(site: TestSite): void {
  endWorkloads(site);
  for (const name of [site.dir, `${site.dir}.shared`, `${site.dir}.log`]) rmSync(name, { recursive: true, force: true });
}

/** The hash of a folder: names, kinds, bytes, targets of links. */
export function treeHash(folder: string): string {
  const hash = createHash('sha256');
  const walk = (dir: string): void => {
    for (const name of readdirSync(path.join(folder, dir)).sort()) {
      const at = path.join(dir, name);
      const status = lstatSync(path.join(folder, at));
      if (status.isDirectory()) {
        hash.update(`folder ${at}\n`);
        walk(at);
      } else if (status.isSymbolicLink()) hash.update(`link ${at} ${readlinkSync(path.join(folder, at))}\n`);
      else
        hash.update(
          `file ${at} ${createHash('sha256')
            .update(readFileSync(path.join(folder, at)))
            .digest('hex')}\n`,
        );
    }
  };
  walk('');
  return hash.digest('hex');
}

/** What is wrong with a site in the middle of anything: a mixture, a half slot under its name, two workloads, broken receipts. Empty = nothing. */
export function faultsAmidst(world: CutWorld, site: TestSite): readonly string[] {
  const faults = [...slotFaults(world, site), ...receiptFaults(site)];
  const running = runningReleases(site);
  if (running.length > 1) faults.push(`two workloads run: ${running.join(', ')}`);
  return faults;
}

function slotFaults(world: CutWorld, { state }: TestSite): readonly string[] {
  const releases = path.join(state, 'releases');
  const slots = existsSync(releases) ? readdirSync(releases).filter((name) => /^[0-9a-f]{64}$/.test(name)) : [];
  const half = slots.filter((name) => {
    const whole = world.trees.get(`sha256:${name}`);
    return whole !== undefined && treeHash(path.join(releases, name)) !== whole;
  });
  const current = path.join(state, 'current');
  const target = linkTarget(current);
  const faults = half.map((name) => `mixed: slot ${name} is not its release`);
  if (target !== undefined && !existsSync(current)) faults.push(`mixed: current leads to ${target}, which is not there`);
  return faults;
}

function linkTarget(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function receiptFaults(site: TestSite): readonly string[] {
  try {
    const receipts = receiptsOf(site);
    return receipts.flatMap(({ seq, prev }, at) => {
      const before = at === 0 ? null : (receipts[at - 1]?.digest ?? null);
      return seq === at + 1 && prev === before ? [] : [`lost: receipt ${at + 1} is not there, or does not name the one before`];
    });
  } catch (error) {
    return [`lost: ${error instanceof Error ? error.message : String(error)}`];
  }
}

/** What is wrong with a site that should have recovered; `at` is the version that it came to rest at. */
export function faultsAtRest(
  world: CutWorld,
  site: TestSite,
  scenario: Pick<Scenario, 'ends' | 'receipts'>,
  before: readonly ReceiptOnDisk[],
): { readonly at: Version | null; readonly faults: readonly string[] } {
  const state = stateOf(site);
  if (typeof state === 'string') return { at: null, faults: [`lost: ${state}`] };
  const at = versionOf(world, state.current?.release);
  const faults = [...faultsAmidst(world, site)];
  if (state.phase.at !== 'idle' || state.owed !== null) faults.push(`not at rest: ${state.phase.at}`);
  if (!scenario.ends.includes(at)) faults.push(`not what it should be: ${at ?? 'nothing'} is current`);
  const target = linkTarget(path.join(site.state, 'current'));
  if ((target === undefined ? null : versionOf(world, `sha256:${path.basename(target)}`)) !== at)
    faults.push(`mixed: current leads to ${target ?? 'nothing'}`);
  const running = runningReleases(site).map((release) => versionOf(world, release));
  if (running.length !== (at === null ? 0 : 1) || running.some((version) => version !== at))
    faults.push(`mixed: ${running.join(', ') || 'nothing'} runs`);
  faults.push(...receiptsAtRest(world, site, scenario, state, before));
  return { at, faults };
}

function stateOf(site: TestSite): SiteState | string {
  try {
    return readState(nodeDisk, path.join(site.state, 'journal'));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function receiptsAtRest(
  world: CutWorld,
  site: TestSite,
  scenario: Pick<Scenario, 'receipts'>,
  state: SiteState,
  before: readonly ReceiptOnDisk[],
): readonly string[] {
  const receipts = receiptFaults(site).length === 0 ? receiptsOf(site) : [];
  const said = receipts.map(({ event, release }) => `${event} ${versionOf(world, release ?? undefined) ?? ''}`);
  const faults: string[] = [];
  if (!scenario.receipts.some((wanted) => wanted.join() === said.join())) faults.push(`receipts lost or doubled: ${said.join(', ')}`);
  if (before.some(({ bytes }, at) => receipts[at]?.bytes !== bytes)) faults.push('lost: a receipt that was there has changed');
  // the lanes here are copies that no receipt reaches: what was taken stays until a log shows it
  const taken = Math.max(state.receipts.sent, state.receipts.carried?.seq ?? 0);
  if (taken !== receipts.length) faults.push(`receipts not sent: ${taken} of ${receipts.length}`);
  return faults;
}

function versionOf(world: CutWorld, release: string | undefined): Version | null {
  const found = Object.entries(world.releases).find(([, digest]) => digest === release);
  return found === undefined ? null : (found[0] as Version);
}
