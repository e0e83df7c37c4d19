/** Traces a real command, builds the disks that a power cut may leave, and recovers each. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '../../packages/site/src/clock.js';
import { siteAt, type TestSite } from '../support/site.js';
import { editConfig, receiptsOf, type ReceiptOnDisk } from '../support/site-world.js';
import { type DiskState, type Image, imageOf, pendingAt, type Random, statesAt } from './disk-states.js';
import { numbered } from './fs-points.js';
import { updateAfterBoot } from './recovery.js';
import { clear, type CutWorld, endWorkloads, faultsAtRest, type Scenario, setScene } from './scenes.js';
import { readTrace, snapshot, type Trace } from './trace.js';

/** A traced command: what it did, what it left, and the receipts that were there before. */
export interface TracedScenario {
  readonly scenario: Scenario;
  readonly trace: Trace;
  readonly after: Image;
  readonly receipts: readonly ReceiptOnDisk[];
}

/** Runs the scenario's command and records all that it does to the site's folder; with `killedAt`, what the next command does after the first was killed there. */
export async function traceScenario(world: CutWorld, library: string, scenario: Scenario, killedAt?: number): Promise<TracedScenario> {
  const site = setScene(world, scenario);
  const [shared, log] = [`${site.dir}.shared`, `${site.dir}.log`];
  try {
    const receipts = receiptsOf(site);
    if (killedAt !== undefined) {
      const { env } = numbered(library, { root: site.dir, shared, fault: { is: 'kill', at: killedAt } });
      await site.run(scenario.words(world), { env });
      linkUp(world, site, scenario);
    }
    const before = snapshot(site.dir);
    const { env } = numbered(library, { root: site.dir, shared, log });
    await site.run(killedAt === undefined ? scenario.words(world) : ['update'], { env });
    const left = snapshot(site.dir);
    const trace = readTrace(before, readFileSync(log));
    return { scenario, trace, after: imageOf({ ...emptyTrace, ...traceOf(left) }, everything), receipts };
  } finally {
    clear(site);
  }
}

/** Who came by with a medium has gone: from now on there is a link. */
function linkUp(world: CutWorld, site: TestSite, { upstream, offered }: Scenario): void {
  if (upstream === 'none') editConfig(site.dir, 'upstreams', [world.lanes[offered]]);
}

const emptyTrace = { operations: [] };
const everything: DiskState = { pending: { at: 0, entries: [], data: new Map() }, entries: new Set(), data: new Map() };

function traceOf(left: ReturnType<typeof snapshot>): Pick<Trace, 'root' | 'nodes' | 'before'> {
  return { root: left.rootNode, nodes: left.nodes, before: left.entries };
}

/** What probes of the workload write for themselves; no business of the updater. */
const NOT_OURS = 'healthy';

/** Paths at which two images differ. */
export function differences(left: Image, right: Image): readonly string[] {
  const paths = new Set([...left.keys(), ...right.keys()]);
  return [...paths].filter(
    (at) => at !== NOT_OURS && nameOf(new Map([[at, left.get(at) ?? NOTHING]])) !== nameOf(new Map([[at, right.get(at) ?? NOTHING]])),
  );
}

const NOTHING = { kind: 'file', mode: 0, bytes: new Uint8Array(), target: 'nothing' } as const;

/** The image when all that was done is kept. */
export function imageOfAll(trace: Trace): Image {
  const pending = pendingAt(trace, trace.operations.length);
  const data = new Map([...pending.data].map(([file, writes]) => [file, { writes: writes.length, lost: [] }]));
  return imageOf(trace, { pending, entries: new Set(pending.entries), data });
}

const hashes = new WeakMap<Uint8Array, string>();

function hashOf(bytes: Uint8Array): string {
  const known = hashes.get(bytes) ?? createHash('sha256').update(bytes).digest('base64');
  hashes.set(bytes, known);
  return known;
}

/** A name for what is on a disk: two images of one name are the same. */
function nameOf(image: Image): string {
  const hash = createHash('sha256');
  for (const [at, { kind, bytes, target }] of image) hash.update(`${kind} ${at} ${hashOf(bytes)} ${target}\n`);
  return hash.digest('base64');
}

/** What of the pending changes is kept; two states of one moment that keep the same are the same. Cheaper than to make their images. */
function keptIn({ entries, data }: DiskState): string {
  return `${[...entries].join()} ${[...data].map(([file, { writes, lost }]) => `${file}:${writes}:${lost.join('.')}`).join()}`;
}

/** What a cut after `at` operations left. Two disks of one name are the same. */
export interface Disk {
  readonly at: number;
  readonly name: string;
  readonly image: Image;
}

/** The different disks that cuts of a trace may leave; with `without`, those that only the missing flush makes possible are among them. */
export function* disksOf(trace: Trace, more: number, random: Random, seen: Set<string>, without?: number): Generator<Disk> {
  for (let at = without ?? 0; at <= trace.operations.length; at += 1) {
    const kept = new Set<string>();
    for (const state of statesAt(trace, pendingAt(trace, at, without), more, random)) {
      const what = keptIn(state);
      if (kept.has(what)) continue;
      kept.add(what);
      const image = imageOf(trace, state);
      const name = nameOf(image);
      if (seen.has(name)) continue;
      seen.add(name);
      yield { at, name, image };
    }
  }
}

/** Lays an image down as a disk would be found. */
function layDown(dir: string, image: Image): void {
  for (const [at, { kind, mode, bytes, target }] of image) {
    const file = path.join(dir, at);
    if (kind === 'folder') mkdirSync(file, { mode });
    else if (kind === 'link') symlinkSync(target, file);
    else writeFileSync(file, bytes, { mode });
  }
}

/** A workload that was only just started is seen a moment later. */
async function onceStarted(look: () => readonly string[]): Promise<readonly string[]> {
  for (let tries = 0; tries < 50; tries += 1) {
    const faults = look();
    if (!faults.includes('mixed: nothing runs')) return faults;
    await systemClock.sleep(10, new AbortController().signal);
  }
  return look();
}

let boots = 0;

/** Boots into an image and lets the site recover; says what is wrong then. */
export async function recoverFrom(world: CutWorld, traced: TracedScenario, image: Image): Promise<readonly string[]> {
  const site: TestSite = siteAt(mkdtempSync(path.join(world.scenes, 'cut-')));
  try {
    layDown(site.dir, image);
    return await recoverIn(world, traced, site);
  } finally {
    rmSync(site.dir, { recursive: true });
  }
}

/** As `recoverFrom`, in a folder that is as the cut left it. */
export async function recoverIn(
  world: CutWorld,
  { scenario, receipts }: Pick<TracedScenario, 'scenario' | 'receipts'>,
  site: TestSite,
): Promise<readonly string[]> {
  boots += 1;
  linkUp(world, site, scenario);
  try {
    const { faults } = await updateAfterBoot(world, site, `boot-${boots}`);
    return [...faults, ...(await onceStarted(() => faultsAtRest(world, site, scenario, receipts).faults))];
  } catch (error) {
    return [`not recovered: ${error instanceof Error ? error.message : String(error)}`];
  } finally {
    endWorkloads(site);
  }
}
