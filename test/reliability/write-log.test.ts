/** The log of a disk's writes, and what a power cut may leave of it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { seeded } from './disk-states.js';
import { cutAt, readWriteLog, SECTOR_BYTES, writeCut } from './write-log.js';

/** A log as QEMU writes it: each entry is `flush`, or what fills sectors from one on. */
function log(...all: readonly ('flush' | { sector: number; count: number; fill: number; flags?: number })[]): Buffer {
  const head = Buffer.alloc(SECTOR_BYTES);
  head.writeBigUInt64LE(0x6a736677736872n, 0);
  head.writeUInt32LE(SECTOR_BYTES, 24);
  const parts = all.flatMap((one) => {
    const [sector, count, flags, fill] = one === 'flush' ? [0, 0, 1, 0] : [one.sector, one.count, one.flags ?? 0, one.fill];
    const entry = Buffer.alloc(SECTOR_BYTES);
    for (const [at, field] of [sector, count, flags].entries()) entry.writeBigUInt64LE(BigInt(field), at * 8);
    return [entry, Buffer.alloc(count * SECTOR_BYTES, fill)];
  });
  return Buffer.concat([head, ...parts]);
}

const WRITES = log({ sector: 0, count: 2, fill: 1 }, 'flush', { sector: 1, count: 2, fill: 2 }, { sector: 4, count: 1, fill: 3, flags: 2 });

/** The first byte of each sector after cuts of chance at one place. */
function disksAt(at: number, bytes = WRITES): ReadonlySet<string> {
  const dir = mkdtempSync(path.join(tmpdir(), 'sealane-log-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const [image, random, entries] = [path.join(dir, 'disk'), seeded(1), readWriteLog(bytes)];
  const disks = new Set<string>();
  for (let times = 0; times < 100; times += 1) {
    writeFileSync(image, new Uint8Array(5 * SECTOR_BYTES));
    writeCut(image, entries, cutAt(entries, at, random));
    disks.add([...readFileSync(image)].filter((_, offset) => offset % SECTOR_BYTES === 0).join(''));
  }
  return disks;
}

test('a cut keeps what was flushed, and what the disk wrote through, always', () => {
  expect(disksAt(2)).toEqual(new Set(['11000']));
  expect([...disksAt(4)].filter((disk) => !disk.startsWith('1') || !disk.endsWith('3'))).toEqual([]);
});

test('a cut loses and keeps any sectors of what was not flushed', () => {
  expect(disksAt(1)).toEqual(new Set(['00000', '10000', '01000', '11000']));
  expect(disksAt(3)).toEqual(new Set(['11000', '12000', '11200', '12200']));
});

test('a cut loses or keeps the superblock of ext4 whole', () => {
  expect(disksAt(1, log({ sector: 1, count: 3, fill: 1 }))).toEqual(new Set(['00000', '01000', '00110', '01110']));
});

test('refuses a log that ends early, has discards, or is none', () => {
  expect(() => readWriteLog(WRITES.subarray(0, -1))).toThrow('the end of the log');
  expect(() => readWriteLog(log({ sector: 0, count: 1, fill: 0, flags: 4 }))).toThrow('a discard');
  expect(() => readWriteLog(Buffer.alloc(SECTOR_BYTES))).toThrow('something else');
});
