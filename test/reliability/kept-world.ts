/** A world that outlives a run: what is enumerated in it is the same in the next one, which goes on where the last was broken off. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { programsOf, resultsFolder } from './results.js';
import { type CutWorld, makeCutWorld } from './scenes.js';

/** What its lanes say is valid for longer. */
const KEPT_HOURS = 24;

/** The world of a part: that of the run before, where the programs are the same. Scenes are laid out in memory where there is such a disk. `forget` = what of its results goes with it. */
export async function keptWorld(part: string, forget: string): Promise<CutWorld> {
  const dir = path.join(resultsFolder(), part);
  if (!isFresh(path.join(dir, 'made'))) {
    rmSync(dir, { recursive: true, force: true });
    rmSync(path.join(resultsFolder(), forget), { force: true });
  }
  const scenes = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sealane-scenes-'));
  const world = await keptIn(dir, 'made', () => makeCutWorld(path.join(dir, 'world')));
  return { ...world, scenes, close: () => rmSync(scenes, { recursive: true, force: true }) };
}

function isFresh(file: string): boolean {
  return !programsOf().endsWith('+') && existsSync(file) && Date.now() - statSync(file).mtimeMs < KEPT_HOURS * 3_600_000;
}

/** What was made in an earlier run, or is made now: anything but functions. */
export async function keptIn<T extends object>(dir: string, name: string, make: () => Promise<T>): Promise<T> {
  const file = path.join(dir, name);
  if (!existsSync(file)) {
    mkdirSync(dir, { recursive: true });
    writeFileSync(file, serialize(plain(await make())));
  }
  return deserialize(readFileSync(file)) as T;
}

/** Without functions at the top, which cannot be kept. */
function plain(value: object): object {
  return Array.isArray(value) ? value : Object.fromEntries(Object.entries(value).filter(([, part]) => typeof part !== 'function'));
}
