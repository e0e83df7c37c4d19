import { utf8 } from '@sealane/core';
import { expect, test } from 'vitest';
import { sealed } from '../sealed-file.js';
import { MemoryDisk } from '../testing/memory-disk.js';
import { noteReceiptPlaces, readReceiptPlaces } from './receipt-places.js';

const MIRROR = '/fetched/mirror';
const FILE = `${MIRROR}/receipts.json`;

test('places are kept by number, the last word counts, and what is known already is not written again', () => {
  const disk = new MemoryDisk();
  expect(readReceiptPlaces(disk, MIRROR)).toEqual(new Map());
  noteReceiptPlaces(disk, MIRROR, new Map([[2, 20]]));
  noteReceiptPlaces(disk, MIRROR, new Map([[1, 10]]));
  noteReceiptPlaces(disk, MIRROR, new Map([[2, 21]]));
  expect([...readReceiptPlaces(disk, MIRROR)]).toEqual([
    [1, 10],
    [2, 21],
  ]);
  const { operations } = disk;
  noteReceiptPlaces(disk, MIRROR, new Map([[1, 10]]));
  noteReceiptPlaces(disk, MIRROR, new Map());
  expect(disk.operations).toBe(operations);
});

test('the newest stay where there are too many, and they can be read again whatever the numbers are', () => {
  const disk = new MemoryDisk();
  noteReceiptPlaces(disk, MIRROR, new Map(Array.from({ length: 2000 }, (_, at) => [10_000_000 + at, Number.MAX_SAFE_INTEGER - at])));
  const places = [...readReceiptPlaces(disk, MIRROR).keys()];
  expect({ count: places.length, first: places[0], last: places.at(-1) }).toEqual({ count: 1024, first: 10_000_976, last: 10_001_999 });
});

test.each([
  ['no JSON', utf8('nonsense')],
  ['no checksum', utf8('{"places":[[1,2]]}')],
  ['a negative index', sealed({ places: [[1, -2]] })],
  ['a word', sealed({ places: [[1, 'x']] })],
  ['more than two numbers', sealed({ places: [[1, 2, 3]] })],
  ['another field', sealed({ places: [[1, 2]], sent: 5 })],
  ['too much', new Uint8Array(1024 * 1024)],
])('%s says nothing', (_what, bytes) => {
  const disk = new MemoryDisk();
  disk.writeQuietly(FILE, bytes);
  expect(readReceiptPlaces(disk, MIRROR)).toEqual(new Map());
});

test('a full disk takes no note, and stops nothing', () => {
  const disk = new MemoryDisk();
  disk.makeFolder(MIRROR);
  disk.failAt = { at: disk.operations + 1, code: 'ENOSPC' };
  noteReceiptPlaces(disk, MIRROR, new Map([[1, 10]]));
  expect(readReceiptPlaces(disk, MIRROR)).toEqual(new Map());
});
