/** Kills an update of the updater itself at calls that change the site, old program, launcher and new one alike; judges where it comes to rest. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Answer } from '../support/run.js';
import { makeSelfSite, type SelfSite } from '../support/self-site.js';
import { receiptsOf } from '../support/site-world.js';
import { numbered } from './fs-points.js';
import type { CutResult } from './kills.js';

/** Whoever starts the service starts it again: so often without a kill at most. */
const STARTS = 12;

/** A site whose lane offers an update of its updater. The caller stops the lane's witness. */
export async function makeSelfWorld(dir: string): Promise<SelfSite> {
  const base = await makeSelfSite(dir);
  await base.publish('1.1.0', { marker: 'one\n' });
  await base.asked(['stop']);
  return base;
}

/** The calls of an update that nothing cuts off. */
export async function callsOfSelf(base: SelfSite, library: string): Promise<number> {
  return await inScene(base, async (site, shared) => {
    const run = numbered(library, { root: site.site.dir, shared });
    await startUntilDone(site, () => run.env);
    return run.calls();
  });
}

/** Kills whoever makes the call `at` of all starts together; of those after that, whoever makes the next of `again`, and so on. */
export async function cutSelf(base: SelfSite, library: string, at: number, again: readonly number[]): Promise<CutResult> {
  return await inScene(base, async (site, shared) => {
    const met: string[] = [];
    const points = [at, ...again];
    let run = numbered(library, { root: site.site.dir, shared, fault: { is: 'kill', at } });
    await startUntilDone(site, () => {
      if (run.met() !== '' && met.length < points.length) {
        met.push(run.met());
        const next = points[met.length];
        run = numbered(library, { root: site.site.dir, shared, ...(next === undefined ? {} : { fault: { is: 'kill', at: next } }) });
      }
      return run.env;
    });
    if (run.met() !== '') met.push(run.met());
    return { scenario: 'update of the updater', fault: 'kill', at, again, points: met.length, met, ...(await judged(site)) };
  });
}

/** A copy of the site, gone afterwards. */
async function inScene<T>(base: SelfSite, use: (site: SelfSite, shared: string) => Promise<T>): Promise<T> {
  const scene = mkdtempSync(path.join(base.lane.dir, 'scene-'));
  cpSync(base.site.dir, scene, { recursive: true, verbatimSymlinks: true });
  const site = base.at(scene);
  try {
    return await use(site, `${scene}.shared`);
  } finally {
    await site.asked(['stop']);
    for (const name of [scene, `${scene}.shared`]) rmSync(name, { recursive: true, force: true });
  }
}

/** Starts the updater as its service would, until an update has ended and nothing more is tried. */
async function startUntilDone(site: SelfSite, env: () => Readonly<Record<string, string>>): Promise<void> {
  let last: Answer | undefined;
  for (let starts = 0; starts < STARTS && (last?.json?.outcome === undefined || last.exit === 5); starts += 1)
    last = await site.tried(['update'], { env: env() });
}

/** The old set or the new one, updater and release together, nothing left over, each receipt once. */
async function judged(site: SelfSite): Promise<{ readonly endedAt: string | null; readonly faults: readonly string[] }> {
  const { state, current, updater } = (await site.asked(['status'])).json;
  const doctor = (await site.asked(['doctor'])).json;
  const faults: string[] = [];
  if (state !== 'idle') faults.push(`not at rest: ${state}`);
  if (current.version !== (updater.runs === 'package' ? '1.0.0' : '1.1.0'))
    faults.push(`mixed: release ${current.version} with the updater ${updater.runs}`);
  if (updater.onTrial !== null) faults.push(`not at rest: ${updater.onTrial} is on trial`);
  faults.push(...readdirSync(site.programs).flatMap((name) => (name.endsWith('.tmp') ? [`left over: ${name}`] : [])));
  if (doctor.ok !== true) faults.push(`doctor: ${JSON.stringify(doctor)}`);
  const receipts = receiptsOf(site.site);
  if (receipts.some(({ seq, prev }, at) => seq !== at + 1 || prev !== (receipts[at - 1]?.digest ?? null)))
    faults.push('lost: a receipt of the chain');
  return { endedAt: current.version, faults };
}
