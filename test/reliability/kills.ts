/** Cuts a real command off at one call that changes its site, lets the next commands recover (cut off as well, or not), and judges the site. */
import { readFileSync } from 'node:fs';
import type { TestSite } from '../support/site.js';
import { healthyVersions, receiptsOf } from '../support/site-world.js';
import { type Fault, FAULTS, numbered, type Numbered } from './fs-points.js';
import { clear, type CutWorld, faultsAmidst, faultsAtRest, type Scenario, setScene } from './scenes.js';
import { records } from './trace.js';

/** Where to cut: the call of the command, and after it a call of each recovery, at which that is killed. */
export interface Cut {
  readonly fault: Fault;
  readonly at: number;
  readonly again: readonly number[];
}

/** What became of one cut. `points` = how many calls the fault was met at; 0: the command ended before. */
export interface CutResult extends Cut {
  readonly scenario: string;
  readonly points: number;
  /** The calls that were met. */
  readonly met: readonly string[];
  readonly endedAt: string | null;
  readonly faults: readonly string[];
}

/** Exit codes that the contract names, but for an internal fault. */
const SAID = [0, 2, 3, 4, 5, 6, 7, 8];

/** A command that takes longer hangs. */
const LIMIT_MS = 90_000;

/** The calls of a scenario's command when nothing is cut, by name; the first is number 1. */
export async function callsOf(world: CutWorld, library: string, scenario: Scenario): Promise<readonly string[]> {
  const site = setScene(world, scenario);
  const log = `${site.dir}.log`;
  try {
    const run = numbered(library, { root: site.dir, shared: `${site.dir}.shared`, log });
    await site.run(scenario.words(world), { env: run.env, limitMs: LIMIT_MS });
    const names = [...records(readFileSync(log))].map(({ words: [call = '', meant = ''] }) => (call === 'nothing' ? meant : call));
    if (names.length !== run.calls()) throw new Error(`number the calls of ${scenario.name}: expected ${run.calls()}, got ${names.length}`);
    return names;
  } finally {
    clear(site);
  }
}

/** Calls that free space or need none. */
const NO_SPACE_NEEDED = ['unlink', 'rmdir', 'truncate', 'chmod'];

/** Which faults can happen at a call: only a write can be done by half, and only what takes space can find none. */
export function faultsOf(call: string): readonly Fault[] {
  if (call === 'write') return FAULTS;
  return NO_SPACE_NEEDED.includes(call) ? ['kill', 'EIO'] : ['kill', 'EIO', 'ENOSPC', 'full'];
}

/** Does one cut in a scene of its own. */
export async function cut(world: CutWorld, library: string, scenario: Scenario, { fault, at, again }: Cut): Promise<CutResult> {
  const site = setScene(world, scenario);
  const met: string[] = [];
  const faults: string[] = [];
  try {
    const before = receiptsOf(site);
    const commands = [scenario.words(world), ...again.map(() => scenario.then(world)[0] ?? [])];
    for (const [number, words] of commands.entries()) {
      const call = number === 0 ? at : (again[number - 1] ?? 0);
      const { ended, run } = await faulty(site, library, words, { is: number === 0 ? fault : 'kill', at: call });
      if (run.met() === '') break;
      met.push(run.met());
      faults.push(...faultsAmidst(world, site), ...endFaults(number === 0 ? fault : 'kill', ended));
    }
    for (const words of scenario.then(world)) faults.push(...endFaults('EIO', await site.run(words, { limitMs: LIMIT_MS })));
    const rest = faultsAtRest(world, site, scenario, before);
    faults.push(...rest.faults);
    if (rest.at !== null && !healthyVersions(site).includes(rest.at)) faults.push(`not healthy: ${rest.at}`);
    return { scenario: scenario.name, fault, at, again, points: met.length, met, endedAt: rest.at, faults };
  } finally {
    clear(site);
  }
}

async function faulty(
  site: TestSite,
  library: string,
  words: readonly string[],
  fault: { is: Fault; at: number },
): Promise<{ ended: Awaited<ReturnType<TestSite['run']>>; run: Numbered }> {
  const run = numberedAt(library, site, fault);
  return { ended: await site.run(words, { env: run.env, limitMs: LIMIT_MS }), run };
}

/** A command that was not killed says how it ended, in JSON, with a code of the contract. */
function endFaults(fault: Fault, { exit, signal, stdout, stderr }: Awaited<ReturnType<TestSite['run']>>): readonly string[] {
  const isKill = fault === 'kill' || fault === 'torn';
  if (signal !== null) return isKill && signal === 'SIGKILL' ? [] : [`it was ended by ${signal}`];
  if (exit !== null && (SAID.includes(exit) || (exit === 1 && stdout.includes('"error"')))) return [];
  return [`it ended with ${exit ?? 'nothing'}: ${stderr.slice(0, 300)}`];
}

function numberedAt(library: string, site: TestSite, fault?: { is: Fault; at: number }): Numbered {
  return numbered(library, { root: site.dir, shared: `${site.dir}.shared`, ...(fault === undefined ? {} : { fault }) });
}
