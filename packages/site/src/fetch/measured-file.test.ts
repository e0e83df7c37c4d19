import { digestFromHex } from '@sealane/core';
import { expect, test } from 'vitest';
import { measuredLink } from '../apply/measured-link.js';
import { sealed } from '../sealed-file.js';
import { MemoryDisk } from '../testing/memory-disk.js';
import { addMeasured, linkMeters, type Measured } from './link-meter.js';
import { dropMeasured, noteMeasured, readMeasured, type SyncMeasured, withSync } from './measured-file.js';

const MIRROR = '/fetched/mirror';
const FILE = `${MIRROR}/measured.json`;
const [one, two] = [digestFromHex('1'.repeat(64)), digestFromHex('2'.repeat(64))];

const link = (change: Partial<Measured> = {}): Measured => {
  return { over: 'https', requests: 10, unanswered: 1, firstBytesMs: [30, 10, 20], bulkBytes: 1_000_000, bulkMs: 4000, ...change };
};
const sync = (change: Partial<SyncMeasured> = {}): SyncMeasured => ({ releases: [one], isWhole: true, links: [link()], ...change });

function after(...syncs: readonly SyncMeasured[]): MemoryDisk {
  const disk = new MemoryDisk();
  for (const each of syncs) noteMeasured(disk, MIRROR, each);
  return disk;
}

test('what took many syncs is measured over all of them, with the median of all times', () => {
  const disk = after(
    sync({ isWhole: false, links: [link({ firstBytesMs: [500], bulkBytes: 0, bulkMs: 0 })] }),
    // the link was away
    sync({ releases: [], isWhole: false, links: [link({ requests: 1, unanswered: 1, firstBytesMs: [], bulkBytes: 0, bulkMs: 0 })] }),
    sync({ isWhole: false, links: [link(), link({ over: 'folder', requests: 3, unanswered: 0, firstBytesMs: [] })] }),
    sync({ releases: [] }),
  );
  expect(measuredLink(disk, MIRROR, one)).toEqual([
    { over: 'https', requests: 31, unanswered: 4, firstByteMs: 20, bulkBytes: 2_000_000, bulkMs: 8000 },
    { over: 'folder', requests: 3, unanswered: 0, bulkBytes: 1_000_000, bulkMs: 4000 },
  ]);
  expect(measuredLink(disk, MIRROR, two)).toBeUndefined();
});

test('syncs after all has come belong to no release, and leave the file as it is; the next release is measured anew', () => {
  const disk = after(sync());
  const bytes = disk.bytes(FILE);
  const operations = disk.operations;
  noteMeasured(disk, MIRROR, sync({ releases: [], links: [link({ unanswered: 7 })] }));
  expect(disk.bytes(FILE)).toEqual(bytes);
  expect(disk.operations).toBe(operations);
  noteMeasured(disk, MIRROR, sync({ releases: [two], links: [link({ requests: 4, unanswered: 0 })] }));
  expect(measuredLink(disk, MIRROR, two)).toMatchObject([{ requests: 4, unanswered: 0 }]);
  expect(measuredLink(disk, MIRROR, one)).toBeUndefined();
});

test('another release that comes before one is whole is measured by itself', () => {
  const disk = after(sync({ isWhole: false }), sync({ releases: [two], links: [link({ requests: 2 })] }));
  expect(measuredLink(disk, MIRROR, two)).toMatchObject([{ requests: 2 }]);
  expect(measuredLink(disk, MIRROR, one)).toBeUndefined();
});

test('a medium makes it forgotten, and nothing is said of nothing', () => {
  const disk = after(sync());
  dropMeasured(disk, MIRROR);
  expect(measuredLink(disk, MIRROR, one)).toBeUndefined();
  expect(measuredLink(after(sync({ links: [] })), MIRROR, one)).toBeUndefined();
  expect(withSync(undefined, sync({ releases: [] }))).toBeUndefined();
});

test.each<[string, (disk: MemoryDisk) => void]>([
  ['is damaged', (disk) => disk.writeQuietly(FILE, new TextEncoder().encode('{"body":{},"sum":""}'))],
  ['is no object', (disk) => disk.writeQuietly(FILE, new TextEncoder().encode('[]'))],
  ['is endless', (disk) => disk.writeQuietly(FILE, new Uint8Array(1_000_000))],
  ['is a folder', (disk) => disk.makeFolder(FILE)],
  ['is a link', (disk) => disk.symlink('/state/site.pem', FILE)],
  ['names another kind', (disk) => write(disk, { links: [{ ...link(), over: 'gopher' }] })],
  ['names one kind four times', (disk) => write(disk, { links: [link(), link(), link(), link()] })],
  ['has a word more', (disk) => write(disk, { note: 'trust me' })],
  ['counts below nothing', (disk) => write(disk, { links: [link({ unanswered: -1 })] })],
  ['counts parts', (disk) => write(disk, { links: [link({ bulkBytes: 0.5 })] })],
  ['counts beyond what can be', (disk) => write(disk, { links: [link({ bulkBytes: 2 ** 52 })] })],
  ['took longer than a year', (disk) => write(disk, { links: [link({ bulkMs: 1e12 })] })],
  ['waited longer than anybody does', (disk) => write(disk, { links: [link({ firstBytesMs: [3_600_001] })] })],
  ['names what is no digest', (disk) => write(disk, { releases: ['../../etc/passwd'] })],
])('a file of a hostile fetch that %s is none', (_, spoil) => {
  const disk = new MemoryDisk();
  spoil(disk);
  expect(measuredLink(disk, MIRROR, one)).toBeUndefined();
});

test('a kind that is named twice counts once', () => {
  const disk = new MemoryDisk();
  write(disk, { links: [link(), link({ requests: 99 })] });
  expect(measuredLink(disk, MIRROR, one)).toMatchObject([{ over: 'https', requests: 99 }]);
});

test('a full disk does not stop a sync', () => {
  const disk = new MemoryDisk();
  disk.failAt = { at: 1, code: 'ENOSPC' };
  expect(() => noteMeasured(disk, MIRROR, sync())).not.toThrow();
  expect(readMeasured(disk, MIRROR)).toBeUndefined();
});

test('meters tell kinds apart, keep the last times, and take no small answer for bulk', () => {
  const meters = linkMeters();
  meters.of('/media/stick').asked();
  const https = meters.of('https://lane.example');
  for (let ms = 1; ms <= 200; ms += 1) {
    https.asked();
    https.firstByte(ms);
  }
  meters.of('https://other.example').unanswered();
  https.bulk(16_383, 1);
  https.bulk(16_384, 0.5);
  meters.of('http://lane.example').firstByte(5);
  expect(meters.measured()).toEqual([
    { over: 'folder', requests: 1, unanswered: 0, firstBytesMs: [], bulkBytes: 0, bulkMs: 0 },
    {
      over: 'https',
      requests: 200,
      unanswered: 1,
      firstBytesMs: Array.from({ length: 128 }, (_, at) => at + 73),
      bulkBytes: 16_384,
      bulkMs: 500,
    },
  ]);
  expect(addMeasured(meters.measured(), meters.measured())[0]).toMatchObject({ over: 'https', requests: 400, bulkMs: 1000 });
});

function write(disk: MemoryDisk, change: object): void {
  const links = [{ ...link(), firstBytesMs: [...link().firstBytesMs] }];
  disk.writeQuietly(FILE, sealed({ releases: [one], isWhole: true, links, ...change }));
}
