/**
 * The states that a disk may be in when the power goes at one moment of a trace (the method of ALICE, OSDI 2014).
 *
 * Kept is what was flushed: a file's bytes by fsync of the file, a name by fsync of its folder (the name of a new file too: POSIX promises no more). Of all
 * else any part may be kept or lost in any order: each change of names as a whole, each write by blocks of 4 KiB, lost ones reading as what was there before or
 * as zeros. A file system that keeps more, as ext4 does, leaves a subset of these states.
 */
import type { DataOperation, EntryOperation, Trace } from './trace.js';

/** The unit that a disk writes as a whole. */
const BLOCK_BYTES = 4096;

/** Paths below this folder belong to another host: what arrived there is kept. */
const ELSEWHERE = 'out';

/** What of a file is kept: the first `writes` of its unflushed changes, without the blocks in `lost`. */
export interface KeptData {
  readonly writes: number;
  readonly lost: readonly number[];
}

/** What was not flushed at a moment. */
export interface Pending {
  readonly at: number;
  /** Indices of operations. */
  readonly entries: readonly number[];
  readonly data: ReadonlyMap<number, readonly number[]>;
}

/** One state: which of the pending changes were kept. */
export interface DiskState {
  readonly pending: Pending;
  readonly entries: ReadonlySet<number>;
  readonly data: ReadonlyMap<number, KeptData>;
}

/** What is pending after the first `at` operations; `without` = a flush that is taken away. */
export function pendingAt(trace: Trace, at: number, without?: number): Pending {
  const flushed = new Map<number | null, number>();
  for (let index = 0; index < at; index += 1) {
    const operation = trace.operations[index];
    if (operation?.is === 'sync' && index !== without) flushed.set(operation.node, index);
  }
  const allFlushed = flushed.get(null) ?? -1;
  const elsewhere = foldersElsewhere(trace);
  const entries: number[] = [];
  const data = new Map<number, number[]>();
  const isFlushed = (node: number, index: number): boolean => Math.max(allFlushed, flushed.get(node) ?? -1) > index;
  for (let index = 0; index < at; index += 1) {
    const operation = trace.operations[index];
    if (operation?.is === 'entries' && !operation.changes.some(({ folder }) => elsewhere.folders.has(folder) || isFlushed(folder, index)))
      entries.push(index);
    if (operation?.is === 'data' && !elsewhere.files.has(operation.file) && !isFlushed(operation.file, index))
      data.set(operation.file, [...(data.get(operation.file) ?? []), index]);
  }
  return { at, entries, data };
}

const known = new WeakMap<Trace, { folders: ReadonlySet<number>; files: ReadonlySet<number> }>();

function foldersElsewhere(trace: Trace): { folders: ReadonlySet<number>; files: ReadonlySet<number> } {
  const found = known.get(trace);
  if (found !== undefined) return found;
  const folders = new Set<number>();
  const files = new Set<number>();
  const there = trace.before.get(trace.root)?.get(ELSEWHERE);
  if (there !== undefined) folders.add(there);
  for (const operation of trace.operations) {
    if (operation.is !== 'entries') continue;
    for (const { folder, name, node } of operation.changes) {
      if (node === null) continue;
      if (folder === trace.root && name === ELSEWHERE) folders.add(node);
      if (folders.has(folder)) files.add(node);
    }
  }
  known.set(trace, { folders, files });
  return { folders, files };
}

/** A source of numbers in [0, 1). */
export type Random = () => number;

/** Numbers that are the same in every run (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Up to this many pending changes of names every subset is tried. */
const EVERY_SUBSET = 5;

/** The states of one moment: all, none, each alone, each missing, each prefix, every subset of few, torn and empty files; and `more` at random. */
export function* statesAt(trace: Trace, pending: Pending, more: number, random: Random): Generator<DiskState> {
  const { entries, data } = pending;
  const whole = keepData(pending, (writes) => ({ writes, lost: [] }));
  const nothing = keepData(pending, () => ({ writes: 0, lost: [] }));
  const empty = keepData(pending, (writes, file) => ({ writes, lost: blocksOf(trace, pending, file) }));
  const masks = [entries, [], ...entries.map((one) => [one]), ...entries.map((one) => entries.filter((other) => other !== one))];
  for (let count = 1; count < entries.length; count += 1) masks.push(entries.slice(0, count));
  if (entries.length <= EVERY_SUBSET)
    for (let bits = 0; bits < 1 << entries.length; bits += 1) masks.push(entries.filter((_, at) => (bits & (1 << at)) !== 0));
  for (const mask of masks) for (const kept of [whole, nothing, empty]) yield { pending, entries: new Set(mask), data: kept };
  for (const [file, writes] of data)
    for (const kept of tornFiles(trace, pending, file, writes.length))
      for (const mask of [entries, []]) yield { pending, entries: new Set(mask), data: new Map([...whole, [file, kept]]) };
  if (entries.length + data.size < 2) return;
  for (let count = 0; count < more; count += 1) yield atRandom(trace, pending, random);
}

function keepData(pending: Pending, kept: (writes: number, file: number) => KeptData): ReadonlyMap<number, KeptData> {
  return new Map([...pending.data].map(([file, writes]) => [file, kept(writes.length, file)]));
}

/** Fewer writes, and each of the first and last blocks lost. */
function* tornFiles(trace: Trace, pending: Pending, file: number, writes: number): Generator<KeptData> {
  for (let count = 0; count < writes; count += 1) yield { writes: count, lost: [] };
  const blocks = blocksOf(trace, pending, file);
  for (const block of new Set([...blocks.slice(0, 3), ...blocks.slice(-2)])) {
    yield { writes, lost: [block] };
    yield { writes, lost: blocks.filter((other) => other !== block) };
    yield { writes, lost: blocks.filter((other) => other >= block) };
  }
}

function atRandom(trace: Trace, pending: Pending, random: Random): DiskState {
  const share = random();
  const data = keepData(pending, (writes, file) => {
    const dice = random();
    if (dice < 0.4) return { writes, lost: [] };
    return { writes: Math.floor(random() * (writes + 1)), lost: blocksOf(trace, pending, file).filter(() => random() < 0.5) };
  });
  return { pending, entries: new Set(pending.entries.filter(() => random() < share)), data };
}

function blocksOf(trace: Trace, pending: Pending, file: number): readonly number[] {
  const blocks = new Set<number>();
  for (const index of pending.data.get(file) ?? []) {
    const { offset, bytes } = trace.operations[index] as DataOperation;
    if (bytes === null) continue;
    for (let block = Math.floor(offset / BLOCK_BYTES); block * BLOCK_BYTES < offset + bytes.length; block += 1) blocks.add(block);
  }
  return [...blocks].sort((left, right) => left - right);
}

/** A tree of files by path, in the order in which they can be made. */
export type Image = ReadonlyMap<
  string,
  { readonly kind: 'file' | 'folder' | 'link'; readonly mode: number; readonly bytes: Uint8Array; readonly target: string }
>;

/** What is on the disk in a state. */
export function imageOf(trace: Trace, { pending, entries, data }: DiskState): Image {
  const names = new Map([...trace.before].map(([folder, before]) => [folder, new Map(before)]));
  const isPending = new Set(pending.entries);
  for (let index = 0; index < pending.at; index += 1) {
    const operation = trace.operations[index];
    if (operation?.is === 'entries' && (!isPending.has(index) || entries.has(index))) apply(names, operation);
  }
  const image = new Map<string, { kind: 'file' | 'folder' | 'link'; mode: number; bytes: Uint8Array; target: string }>();
  const walk = (folder: number, base: string): void => {
    for (const [name, id] of [...(names.get(folder) ?? [])].sort(([left], [right]) => (left < right ? -1 : 1))) {
      const node = trace.nodes.get(id);
      if (node === undefined) continue;
      const at = base === '' ? name : `${base}/${name}`;
      const bytes = node.kind === 'file' ? contentOf(trace, pending, id, data.get(id)) : node.bytes;
      image.set(at, { kind: node.kind, mode: node.mode, bytes, target: node.target });
      if (node.kind === 'folder') walk(id, at);
    }
  };
  walk(trace.root, '');
  return image;
}

function apply(names: Map<number, Map<string, number>>, { changes }: EntryOperation): void {
  for (const { folder, name, node } of changes) {
    let inFolder = names.get(folder);
    if (inFolder === undefined) names.set(folder, (inFolder = new Map()));
    if (node === null) inFolder.delete(name);
    else inFolder.set(name, node);
  }
}

/** Contents that were made before, by what they were made of: most files are the same in most states. */
const contents = new WeakMap<Trace, Map<string, Uint8Array>>();

function contentOf(trace: Trace, pending: Pending, file: number, kept: KeptData | undefined): Uint8Array {
  const unflushed = kept === undefined ? [] : (pending.data.get(file) ?? []);
  const isUnflushed = new Set(pending.data.get(file));
  const durable = dataOf(trace, file).filter((index) => index < pending.at && !isUnflushed.has(index));
  const key = `${file} ${durable.length} ${kept?.writes ?? 0} ${kept?.lost.join() ?? ''}`;
  let made = contents.get(trace);
  if (made === undefined) contents.set(trace, (made = new Map()));
  const known = made.get(key);
  if (known !== undefined) return known;
  const bytes = tornContent(trace, file, durable, unflushed.slice(0, kept?.writes), kept?.lost ?? []);
  made.set(key, bytes);
  return bytes;
}

const changesOf = new WeakMap<Trace, ReadonlyMap<number, readonly number[]>>();

function dataOf(trace: Trace, file: number): readonly number[] {
  let found = changesOf.get(trace);
  if (found === undefined) {
    const all = new Map<number, number[]>();
    for (const [index, operation] of trace.operations.entries())
      if (operation.is === 'data') all.set(operation.file, [...(all.get(operation.file) ?? []), index]);
    changesOf.set(trace, (found = all));
  }
  return found.get(file) ?? [];
}

function tornContent(
  trace: Trace,
  file: number,
  flushed: readonly number[],
  unflushed: readonly number[],
  lost: readonly number[],
): Uint8Array {
  const after = (before: Uint8Array, indices: readonly number[]): Uint8Array =>
    indices.reduce((bytes, index) => changed(bytes, trace.operations[index] as DataOperation), before);
  const durable = after(trace.nodes.get(file)?.bytes ?? new Uint8Array(), flushed);
  const torn = after(durable, unflushed);
  if (lost.length === 0) return torn;
  const bytes = torn.slice();
  for (const block of lost) {
    const [from, to] = [block * BLOCK_BYTES, Math.min((block + 1) * BLOCK_BYTES, bytes.length)];
    if (from >= to) continue;
    bytes.fill(0, from, to);
    bytes.set(durable.subarray(from, to), from);
  }
  return bytes;
}

function changed(before: Uint8Array, { offset, bytes }: DataOperation): Uint8Array {
  const size = bytes === null ? offset : Math.max(before.length, offset + bytes.length);
  const after = new Uint8Array(size);
  after.set(before.subarray(0, size));
  if (bytes !== null) after.set(bytes, offset);
  return after;
}
