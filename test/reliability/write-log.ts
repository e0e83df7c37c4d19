/**
 * What a disk was told, from the log of QEMU's `blklogwrites` (the format of Linux's dm-log-writes), and the disks that a power cut may leave of it.
 *
 * Kept is what was written before the last flush. Of what came after it any part may be kept or lost, sector by sector, but for the superblock of ext4.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Random } from './disk-states.js';

export const SECTOR_BYTES = 512;

/**
 * The first of the two sectors that hold ext4's superblock under one checksum. They are kept or lost together: half of one no kernel mounts and no
 * `e2fsck -p` mends, so ext4 counts on a disk that writes 4 KiB at once, as those of today do.
 */
const SUPERBLOCK_SECTOR = 2;

/** Enough of a hash to tell one cut from all others. */
const NAME_LETTERS = 16;

const MAGIC = 0x6a736677736872n;
const FLUSH = 1n;
const FUA = 2n;
const DISCARD = 4n;

/** A write that the disk said it had done. `fua`: it is durable by itself. */
export interface LoggedWrite {
  readonly is: 'write';
  readonly sector: number;
  readonly bytes: Uint8Array;
  readonly fua: boolean;
}

export type LogEntry = LoggedWrite | { readonly is: 'flush' };

/** Reads a log to its end: the number of entries that its head says is from the last flush. @throws Error it is none, or has discards, which nobody asked for */
export function readWriteLog(log: Buffer): readonly LogEntry[] {
  if (log.length < SECTOR_BYTES || log.readBigUInt64LE(0) !== MAGIC || log.readUInt32LE(24) !== SECTOR_BYTES)
    throw new Error(`read a log of writes: expected one with sectors of ${SECTOR_BYTES} bytes, got something else`);
  const entries: LogEntry[] = [];
  for (let at = SECTOR_BYTES; at + SECTOR_BYTES <= log.length; at += SECTOR_BYTES) {
    const [sector, count, flags] = [log.readBigUInt64LE(at), log.readBigUInt64LE(at + 8), log.readBigUInt64LE(at + 16)];
    if ((flags & ~(FLUSH | FUA)) !== 0n)
      throw new Error(`read a log of writes: expected writes and flushes, got flags ${flags}${flags === DISCARD ? ' (a discard)' : ''}`);
    if ((flags & FLUSH) !== 0n) entries.push({ is: 'flush' });
    if (count === 0n) continue;
    const from = at + SECTOR_BYTES;
    at += Number(count) * SECTOR_BYTES;
    if (at + SECTOR_BYTES > log.length) throw new Error(`read a log of writes: expected ${count} sectors, got the end of the log`);
    entries.push({ is: 'write', sector: Number(sector), bytes: log.subarray(from, at + SECTOR_BYTES), fua: (flags & FUA) !== 0n });
  }
  return entries;
}

/** Bytes from a sector on: one sector, or the two of the superblock. */
interface Piece {
  readonly sector: number;
  readonly bytes: Uint8Array;
}

/** A disk as a cut left it: all of the first `durable` entries, and of those up to the cut these pieces, in this order. */
export interface CutDisk {
  readonly at: number;
  readonly durable: number;
  readonly kept: readonly Piece[];
  /** Another cut with this name left the same disk. */
  readonly name: string;
}

/** How much of what was not flushed is kept. */
const WAYS = ['all', 'nothing', 'writes', 'sectors', 'a torn end', 'all but one'] as const;

/** A cut after the first `at` entries. */
export function cutAt(entries: readonly LogEntry[], at: number, random: Random): CutDisk {
  const durable = entries.slice(0, at).findLastIndex(({ is }) => is === 'flush') + 1;
  const pending = entries
    .slice(durable, at)
    .flatMap((entry, index) => (entry.is === 'write' ? [{ ...entry, index: durable + index }] : []));
  const way = WAYS[Math.floor(random() * WAYS.length)] ?? 'all';
  const [share, one] = [random(), Math.floor(random() * pending.length)];
  const keeps = (number: number): boolean => {
    if (way === 'all' || way === 'nothing') return way === 'all';
    if (way === 'writes') return random() < share;
    if (way === 'sectors') return random() < 0.5;
    if (way === 'all but one') return number !== one;
    return number < one || (number === one && random() < 0.5);
  };
  const bySector = way === 'sectors' || way === 'a torn end';
  const names: string[] = [];
  const kept = pending.flatMap(({ fua, index, ...write }, number) => {
    const whole = fua || (!bySector && keeps(number));
    return piecesOf(write).filter(({ sector }) => {
      if (!whole && !(bySector && keeps(number))) return false;
      names.push(`${index}.${sector - write.sector}`);
      return true;
    });
  });
  const name = createHash('sha256').update(names.join(' ')).digest('base64').slice(0, NAME_LETTERS);
  return { at, durable, kept, name: `${durable} ${name}` };
}

function piecesOf({ sector: first, bytes }: Piece): readonly Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < bytes.length; at += pieces.at(-1)?.bytes.length ?? bytes.length) {
    const sector = first + at / SECTOR_BYTES;
    const sectors = sector === SUPERBLOCK_SECTOR ? 2 : 1;
    pieces.push({ sector, bytes: bytes.subarray(at, at + sectors * SECTOR_BYTES) });
  }
  return pieces;
}

/** Brings a file that holds the disk as it was before the log to what a cut left. */
export function writeCut(image: string, entries: readonly LogEntry[], { durable, kept }: CutDisk): void {
  const file = openSync(image, 'r+');
  try {
    for (const entry of entries.slice(0, durable))
      if (entry.is === 'write') writeSync(file, entry.bytes, 0, entry.bytes.length, entry.sector * SECTOR_BYTES);
    for (const { sector, bytes } of kept) writeSync(file, bytes, 0, bytes.length, sector * SECTOR_BYTES);
  } finally {
    closeSync(file);
  }
}
