/** Writes docs/reliability.md from what the enumerations found. */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { ROOT } from '../support/run.js';
import type { CutResult } from './kills.js';
import { programsOf, readResults } from './results.js';
import { KILLS_END, LEVEL, level, type SoakRound, WARM } from './soak.js';

const PAGE = path.join(ROOT, 'docs', 'reliability.md');

/** A disk that a power cut after `at` operations may leave, by the beginning of its name. */
export interface CutDisk {
  readonly scenario: string;
  readonly at: number;
  readonly disk: string;
  readonly faults: readonly string[];
}

/** A flush that was taken away: `found` = what was wrong with the last of the `tried` disks. */
export interface TakenFlush {
  readonly scenario: string;
  readonly index: number;
  readonly flush: string;
  readonly tried: number;
  readonly found: string | null;
}

/** A cut of a machine: at which entry of its log since the command began, and whether the command had answered. */
export interface RealCut {
  readonly scenario: string;
  readonly mount: string;
  readonly at: number;
  /** Another cut of this scenario and mount with this name left the same disk. */
  readonly disk: string;
  readonly answered: boolean;
  readonly faults: readonly string[];
}

/** Writes the page. A part that has no results here stays as the page has it. */
export async function writeReport(): Promise<void> {
  const kills = [...readResults('kills.jsonl'), ...readResults('self-kills.jsonl')] as readonly CutResult[];
  const disks = readResults('power-cuts.jsonl') as readonly CutDisk[];
  const real = readResults('real-cuts.jsonl') as readonly RealCut[];
  const flushes = readResults('flushes.jsonl') as readonly TakenFlush[];
  const soak = readResults('soak.jsonl') as readonly SoakRound[];
  const found: readonly (readonly [string, number, string])[] = [
    ['Killed and failed', kills.length, `${KILLS}\n\n${table(['command', 'fault', 'points tried', ...VERDICTS], killRows(kills))}`],
    ['Power cuts', disks.length, `${POWER}\n\n${table(['command', 'disks tried', ...VERDICTS], diskRows(disks))}`],
    [
      'Power cuts of a machine',
      real.length,
      `${REAL}\n\n${table(['command', 'ext4', 'cuts tried', 'after its answer', ...VERDICTS], realRows(real))}`,
    ],
    [
      'Each flush taken away',
      flushes.length,
      `${FLUSHES}\n\n${table(['flush', 'times', 'missed', 'what is then found'], flushRows(flushes))}\n\n${UNMISSED}`,
    ],
    ['Update after update', soak.length, `${SOAK}\n\n${table(['', 'when warm', 'at the end'], soakRows(soak))}`],
  ];
  const before = partsOf(readFileSync(PAGE, 'utf8'));
  const parts = found.map(([name, results, text]) =>
    results > 0 ? `## ${name}\n\n${text}\n\n${measured()}` : (before.get(name) ?? `## ${name}\n\nNot tried yet.`),
  );
  const text = [INTRODUCTION, ...parts].join('\n\n');
  writeFileSync(PAGE, await format(text, { ...(await resolveConfig(PAGE)), filepath: PAGE }));
}

const VERDICTS = ['recovered', 'mixed', 'lost', 'other'] as const;

/** Parts of the page by their headings. */
function partsOf(page: string): ReadonlyMap<string, string> {
  const parts = page.split(/^(?=## )/m).slice(1);
  return new Map(parts.map((part) => [part.slice(3, part.indexOf('\n')), part.trimEnd()]));
}

function measured(): string {
  const processor = cpus()[0]?.model.trim() ?? 'an unknown processor';
  return `Measured on ${new Date().toISOString().slice(0, 10)} at ${programsOf()} on ${cpus().length} cores of ${processor} with a load of ${Math.round(loadavg()[2] ?? 0)}, Linux ${release()}, Node ${process.versions.node}.`;
}

const INTRODUCTION = `# Reliability

What becomes of a site whose updater is killed, whose disk fails, or whose power goes. \`npm run reliability\` tries it and writes this page, \`npm run powercut\` its part on a machine; nothing here is written by hand.

**Recovered** means: the next command, without anybody's help, leaves the old release or the new one, every file of it right, one workload running in it, its health passed, and each receipt once, in a chain without a gap,
sent. **Mixed** = a slot, a link or a workload that is not one release. **Lost** = a receipt, a journal or a floor that is gone.

A whole run tries several thousand cuts and some ten thousand disks, and wants hours of a machine to itself. What is found is kept by the commit that changed a site's programs last (\`.reliability/COMMIT\`): a run goes on where the last one of the same programs was broken off. \`SEALANE_RELIABILITY_MINUTES\` ends each of its parts early, \`SEALANE_RELIABILITY_SHARE=1/2\` and \`2/2\` let two processes share one; what is tried first is a fair part of the whole, and the tables say how much was tried. \`npm test\` tries a sample.`;

const KILLS = `Every system call by which the processes of a command change the site's folder is numbered (\`test/reliability/fs-points.c\`, preloaded). At each one the process that makes it is killed with SIGKILL, or the call fails: \`EIO\`,
\`ENOSPC\` once, \`full\` = no space from there on, \`short\` = half of a write, \`torn\` = killed in the middle of a write. After each the recovery is killed too, at a call of chance, up to five times in a row; each is a point, and counts as a kill. These are the real
programs with a real workload. An update of the updater is begun by the old program, tried by the launcher and ended by the new one: whoever makes the call is killed, and whoever starts the service starts it again.`;

const POWER = `Each command is traced with the bytes that it writes. For each moment of it the disks are made that a power cut could leave: what was flushed is kept; of all else each change of a name, and each block of 4 KiB, is kept or lost in any
combination (all, none, each alone, each missing, each prefix, blocks of zeros, and by chance). The name of a new file counts as flushed when its folder is, a rename when one of its two folders is. Two different disks are never the same by name, kind, bytes or link.
The command that comes after a killed one is traced and cut off as well: six kills of each, spread over all of it. From each disk the site's own code recovers, with another boot id, a real disk and a real workload, in one process for speed. That the trace misses nothing is tested: replayed, it gives the folder that the command left, byte for
byte; a flush that it missed would only make the model harder. Not in the model: rights and times of files, and a disk that lies about what it flushed.`;

const REAL = `The model against a machine: each command runs in a virtual one (QEMU, Debian's cloud kernel, the site on ext4), whose every write and flush is logged (\`blklogwrites\`). At moments all along the log the disk is made anew as a power cut may have left it: all that was written before the last flush; of what
came after it all, nothing, some writes, some sectors, or a torn end; only the superblock of ext4 is never torn, since ext4 itself has no answer to that. It is mounted, which replays the file system's own journal, and the site's own code recovers as above. Once the command has answered, what it answered must have stayed: only the release that it named passes. *default* = as Debian mounts it; *loose* = \`data=writeback,noauto_da_alloc\`: the file system orders no bytes before names, and a rename flushes nothing. \`SEALANE_POWERCUTS\` says how many are tried.`;

const FLUSHES = `The same with one flush less: the disks that only its absence makes possible are tried (at most 16). *Missed* = how many flushes of that file were needed in that a disk was not recovered without them.`;

const UNMISSED = `Only some disks are tried for each flush: one that they do not miss another may. Those that are not missed in a whole run have a reason of their own. \`out\` belongs to whoever carries receipts on: the model keeps what arrived there. What lies in \`run\` and the **lock** is void
after a boot, and is flushed for the sake of a killed updater. A blob that is gone from the **store** is copied from the mirror again, a lost \`synced.json\` costs one sync, \`logs\` are for people. A **slot** is flushed from the bottom up before it gets its name: what one flush of a folder misses the one above it mostly covers.
An empty **journal** is as good as none.`;

const SOAK = `One \`sealane-site run\` takes one release after the other, two hundred in a whole run, from a running service, and returns its receipts. By chance the service is away for three seconds, a release fails its health and is taken back, or (in the first ${KILLS_END}) the updater is killed. Each
is waited for: the release runs, or was taken back, and all receipts are sent. When warm = the median of the ${LEVEL} updates after the ${WARM}th, at the end = of the last ${LEVEL}; of open files the least, since a poll that is under way has some of its own.`;

function soakRows(rounds: readonly SoakRound[]): readonly (readonly (string | number)[])[] {
  const [warm, end] = [rounds.slice(WARM, WARM + LEVEL), rounds.slice(-LEVEL)];
  const kib = (some: readonly SoakRound[], what: 'memoryBytes' | 'diskBytes'): string => `${Math.round(level(some, what) / 1024)} KiB`;
  const faults = groups(rounds, ({ fault }) => fault).map(([fault, some]) => `${some.length} × ${fault}`);
  return [
    ['updates', warm.length === 0 ? 0 : WARM + warm.length, `${rounds.length} (${faults.join(', ')})`],
    ['memory of its own', kib(warm, 'memoryBytes'), kib(end, 'memoryBytes')],
    ['open files', level(warm, 'files'), level(end, 'files')],
    ['state folder', kib(warm, 'diskBytes'), kib(end, 'diskBytes')],
  ];
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  // what a parser says of a torn block quotes its bytes
  const plain = (word: string | number): string => String(word).replaceAll(/\p{Cc}+/gu, '…');
  const line = (words: readonly (string | number)[]): string => `| ${words.map(plain).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function groups<T>(all: readonly T[], key: (one: T) => string): readonly (readonly [string, readonly T[]])[] {
  const found = new Map<string, T[]>();
  for (const one of all) found.set(key(one), [...(found.get(key(one)) ?? []), one]);
  return [...found].sort(([left], [right]) => left.localeCompare(right));
}

/** Recovered, mixed, lost, other: each result counts once, by its first fault. */
function verdicts(all: readonly { readonly faults: readonly string[] }[]): readonly number[] {
  const sums = [0, 0, 0, 0];
  for (const { faults } of all) {
    const [first] = faults;
    const column = first === undefined ? 0 : first.startsWith('mixed') ? 1 : first.includes('lost') ? 2 : 3;
    sums[column] = (sums[column] ?? 0) + 1;
  }
  return sums;
}

function killRows(kills: readonly CutResult[]): readonly (readonly (string | number)[])[] {
  // the first point is the fault's, those in the recoveries are kills
  const points = kills.flatMap((one) =>
    one.met.map((_, number) => ({ name: `${one.scenario}|${number === 0 ? one.fault : 'kill'}`, faults: one.faults })),
  );
  const row = (words: readonly string[], some: readonly { readonly faults: readonly string[] }[]): readonly (string | number)[] => [
    ...words,
    some.length,
    ...verdicts(some),
  ];
  return [...groups(points, ({ name }) => name).map(([name, some]) => row(name.split('|'), some)), row(['**all**', ''], points)];
}

function diskRows(disks: readonly CutDisk[]): readonly (readonly (string | number)[])[] {
  const row = (name: string, some: readonly CutDisk[]): readonly (string | number)[] => [name, some.length, ...verdicts(some)];
  return [...groups(disks, ({ scenario }) => scenario).map(([name, some]) => row(name, some)), row('**all**', disks)];
}

function realRows(cuts: readonly RealCut[]): readonly (readonly (string | number)[])[] {
  const row = (words: readonly string[], some: readonly RealCut[]): readonly (string | number)[] => [
    ...words,
    some.length,
    some.filter(({ answered }) => answered).length,
    ...verdicts(some),
  ];
  const rows = groups(cuts, ({ scenario, mount }) => `${scenario}|${mount}`).map(([key, some]) => row(key.split('|'), some));
  return [...rows, row(['**all**', ''], cuts)];
}

function flushRows(flushes: readonly TakenFlush[]): readonly (readonly (string | number)[])[] {
  return groups(flushes, ({ flush }) => kindOf(flush)).map(([name, some]) => {
    const found = some.flatMap((one) => one.found ?? []);
    return [`\`${name}\``, some.length, found.length, found[0] === undefined ? '–' : shortened(found[0])];
  });
}

/** A path without what differs from run to run. */
function kindOf(flush: string): string {
  return flush
    .replace(/[0-9a-f]{64}/g, 'HEX')
    .replace(/lock\.\d+/, 'lock.PID')
    .replace(/\.(blob|index|marker)-\d+-\d+/, '.$1-N')
    .replace(/\d{8}\.json/, 'N.json')
    .replace(/metadata\/.*\.json/, 'metadata/ROLE.json')
    .replace(/targets\/.*\.json/, 'targets/TARGET.json')
    .replace(/tile\/.*/, 'tile/…')
    .replace(/^$/, '.');
}

function shortened(fault: string): string {
  return fault
    .replace(/\/\S*\/cut(?:-\w+)?\//g, '')
    .replace(/[0-9a-f]{64}/g, 'HEX')
    .replace(/[|\n]/g, ' ')
    .slice(0, 120);
}
