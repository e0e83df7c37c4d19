/**
 * Cuts the power of a machine: commands run in a virtual one, on ext4, its disk is rebuilt as it may have been at any moment, mounted here (which replays the
 * file system's own journal), and the site's own code recovers it.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '../../packages/site/src/clock.js';
import { commandWords, ROOT } from '../support/run.js';
import { siteAt } from '../support/site.js';
import { receiptsOf, type ReceiptOnDisk } from '../support/site-world.js';
import { type CpioEntry, file } from './cpio.js';
import { type Random } from './disk-states.js';
import { recoverIn } from './power-cuts.js';
import { clear, type CutWorld, endWorkloads, POWER_SCENARIOS, type Scenario, setScene } from './scenes.js';
import { carried, carriedPrograms, runInMachine } from './virtual-machine.js';
import { type CutDisk, cutAt, type LogEntry, readWriteLog, writeCut } from './write-log.js';

/** As Debian mounts ext4; and as it is mounted for speed: its bytes may come later than their names, and a rename flushes nothing. */
const MOUNTS = { default: 'defaults', loose: 'commit=1,data=writeback,noauto_da_alloc' } as const;

export type Mount = keyof typeof MOUNTS;

/** Commands that are cut. */
export const REAL_SCENARIOS: readonly Scenario[] = POWER_SCENARIOS.filter(({ name }) => name !== 'mirror sync');

const FILE_SYSTEM_BYTES = 64 * 1024 * 1024;

/** A command that ran in a machine, and what its disk was told. */
export interface Recording {
  readonly scenario: Scenario;
  readonly mount: Mount;
  readonly receipts: readonly ReceiptOnDisk[];
  /** A file with the disk as it was before. */
  readonly before: string;
  readonly entries: readonly LogEntry[];
  /** Entries at which the command began, and at which it had ended and answered. */
  readonly begin: number;
  readonly end: number;
}

/** What is done to the commands of a machine: words for node, and files that they name. */
interface Break {
  readonly node: readonly string[];
  readonly files: readonly CpioEntry[];
}

/** Commands that do not flush the file whose path ends so, and believe that they did. */
export function flushLess(end: string): Break {
  const code = `const fs = require('node:fs');
const { fsyncSync } = fs;
fs.fsyncSync = (file) => fs.readlinkSync('/proc/self/fd/' + file).endsWith(${JSON.stringify(end)}) || fsyncSync(file);
require('node:module').syncBuiltinESMExports();
`;
  return { node: ['--require', '/flush-less.cjs'], files: [file('/flush-less.cjs', code)] };
}

/** Runs the commands of scenarios, one after the other, in one machine, each on a disk of its own. The disks stay in the folder of the world. */
export async function record(
  world: CutWorld,
  runs: readonly (Scenario & { readonly broken?: Break })[],
  mount: Mount,
): Promise<readonly Recording[]> {
  const dir = mkdtempSync(path.join(world.dir, 'machine-'));
  const scenes = runs.map((scenario, number) => ({ scenario, ...layOut(world, scenario, path.join(dir, `${number}`)) }));
  const script = scenes.map(({ scenario }, number) => scriptOf(world, scenario, number, MOUNTS[mount])).join('\n');
  const more = [
    ...carriedPrograms(ROOT, 'sealane-site'),
    ...carried(...Object.values(world.lanes), path.join(world.dir, 'host')),
    ...runs.flatMap(({ broken }) => broken?.files ?? []),
  ];
  const { text, marks } = await runInMachine(dir, script, more, scenes);
  return scenes.map(({ scenario, receipts, before, log }, number) => {
    if (!text.includes(`ended ${number}: 0\n`)) throw new Error(`record ${scenario.name}: expected it to end well, got\n${text}`);
    const bytes = readFileSync(log);
    const entriesAt = (mark: string): number => readWriteLog(bytes.subarray(0, marks.get(mark)?.[number] ?? 0)).length;
    return {
      scenario,
      mount,
      receipts,
      before,
      entries: readWriteLog(bytes),
      begin: entriesAt(`begin-${number}`),
      end: entriesAt(`end-${number}`),
    };
  });
}

/** Makes a disk of the place that a scenario starts from. */
function layOut(
  world: CutWorld,
  scenario: Scenario,
  to: string,
): { image: string; log: string; before: string; receipts: readonly ReceiptOnDisk[] } {
  const site = setScene(world, scenario);
  try {
    const receipts = receiptsOf(site);
    const [image, before] = [`${to}.disk`, `${to}.before`];
    writeFileSync(before, '');
    truncateSync(before, FILE_SYSTEM_BYTES);
    const options = ['-q', '-F', '-t', 'ext4', '-b', '4096', '-E', 'lazy_itable_init=0,lazy_journal_init=0'];
    execFileSync('mke2fs', [...options, '-d', site.dir, before], { stdio: 'pipe' });
    copySparse(before, image);
    return { image, log: `${to}.log`, before, receipts };
  } finally {
    clear(site);
  }
}

function copySparse(from: string, to: string): void {
  execFileSync('cp', ['--sparse=always', from, to]);
}

function scriptOf(world: CutWorld, scenario: Scenario & { readonly broken?: Break }, number: number, mount: string): string {
  const disk = `/dev/vd${String.fromCharCode('a'.charCodeAt(0) + number)}`;
  const site = siteAt(path.join(world.dir, `machine-${number}`));
  const command = (words: readonly string[]): string =>
    [
      'node',
      ...commandWords('sealane-site', [...words, '--json', '--config', site.config, '--state', site.state], scenario.broken?.node),
    ].join(' ');
  // a failed update ends with 7, as it should
  return `mkdir -p ${site.dir}
mount -t ext4 -o ${mount} ${disk} ${site.dir}
${scenario.from === 'enrolled' ? '' : command(['start'])}
sync
echo mark begin-${number} && read -r
${command(scenario.words(world))}
code=$?
echo mark end-${number} && read -r
[ $code = 7 ] && code=0
sleep 1
echo "ended ${number}: $code"
`;
}

/** Different cuts of a recording, from the moment that its command began: as many in each stretch of the log. */
export function* cutsOf({ entries, begin }: Recording, count: number, random: Random): Generator<CutDisk> {
  const seen = new Set<string>();
  const length = entries.length + 1 - begin;
  for (let tries = 0; seen.size < count && tries < count * 20; tries += 1) {
    const at = begin + Math.floor((((tries % count) + random()) * length) / count);
    const cut = cutAt(entries, at, random);
    if (seen.has(cut.name)) continue;
    seen.add(cut.name);
    yield cut;
  }
}

/** Mounts the disk of a cut, lets the site recover as after a boot; says what is wrong then. */
export async function recoverCut(
  world: CutWorld,
  { scenario, receipts, before, entries, end }: Recording,
  cut: CutDisk,
): Promise<readonly string[]> {
  const image = path.join(world.scenes, 'cut.disk');
  const site = siteAt(path.join(world.scenes, 'cut'));
  mkdirSync(site.dir, { recursive: true });
  copySparse(before, image);
  writeCut(image, entries, cut);
  try {
    execFileSync('mount', ['-t', 'ext4', '-o', 'loop', image, site.dir], { stdio: 'pipe' });
    try {
      // what was answered stays so
      const ends = cut.at > end ? scenario.ends.slice(0, 1) : scenario.ends;
      return await recoverIn(world, { scenario: { ...scenario, ends }, receipts }, site);
    } finally {
      endWorkloads(site);
      await unmount(site.dir);
    }
  } finally {
    rmSync(image);
  }
}

/** A workload that was just ended may hold the disk for a moment longer. */
async function unmount(dir: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      execFileSync('umount', [dir], { stdio: 'pipe' });
      return;
    } catch (error) {
      if (!(error instanceof Error && error.message.includes('busy'))) throw error;
      await systemClock.sleep(20, new AbortController().signal);
    }
  }
  throw new Error(`unmount ${dir}: expected that nobody uses it any more`);
}
