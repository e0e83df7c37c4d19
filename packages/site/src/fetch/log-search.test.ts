import { leafHash, utf8 } from '@sealane/core';
import { expect, test } from 'vitest';
import { searchLog } from './log-search.js';
import type { Upstream } from './upstream.js';

const SIZE = 600;
const leaf = (index: number): Uint8Array => leafHash(utf8(`entry ${index}`));
const sought = (seq: number, index: number, from = 0): { seq: number; leaf: string; from: number } => {
  return { seq, leaf: Buffer.from(leaf(index)).toString('base64'), from };
};

/** The lowest tiles of a log, and which of them were read. */
function medium(change: (tiles: Map<string, Uint8Array>) => void = () => undefined): { upstream: Upstream; read: string[] } {
  const hashes = Buffer.concat(Array.from({ length: SIZE }, (_, index) => leaf(index)));
  const tiles = new Map([
    ['log/tile/0/000', new Uint8Array(hashes.subarray(0, 256 * 32))],
    ['log/tile/0/001', new Uint8Array(hashes.subarray(256 * 32, 512 * 32))],
    ['log/tile/0/002.p/88', new Uint8Array(hashes.subarray(512 * 32))],
  ]);
  change(tiles);
  const read: string[] = [];
  const get = (path: string): Promise<Uint8Array | undefined> => {
    read.push(path);
    return Promise.resolve(tiles.get(path));
  };
  const unused = (): never => {
    throw new Error('not asked for');
  };
  return { upstream: { name: 'medium', get, open: unused, cost: unused, close: unused }, read };
}

test('finds receipts wherever they are, and no others', async () => {
  const { upstream } = medium();
  expect([...(await searchLog(upstream, SIZE, [sought(1, 3), sought(2, 300), sought(3, 599), sought(4, 9999)]))]).toEqual([
    [1, 3],
    [2, 300],
    [3, 599],
  ]);
});

test('begins where the oldest can be, and stops when all are found', async () => {
  const { upstream, read } = medium();
  expect([...(await searchLog(upstream, SIZE, [sought(8, 300, 290), sought(9, 301, 295)])).values()]).toEqual([300, 301]);
  expect(read).toEqual(['log/tile/0/001']);
});

test('goes on over tiles that are missing or short, and reads of one that grew what belongs to the tree', async () => {
  const gone = medium((tiles) => {
    tiles.delete('log/tile/0/000');
    tiles.set('log/tile/0/001', new Uint8Array(100));
  });
  expect([...(await searchLog(gone.upstream, SIZE, [sought(1, 3), sought(2, 300), sought(3, 599)]))]).toEqual([[3, 599]]);
  const grown = medium((tiles) => {
    tiles.set('log/tile/0/002', new Uint8Array(Buffer.concat([tiles.get('log/tile/0/002.p/88') ?? new Uint8Array(), leaf(600)])));
    tiles.delete('log/tile/0/002.p/88');
  });
  expect([...(await searchLog(grown.upstream, SIZE, [sought(3, 599), sought(4, 600)]))]).toEqual([[3, 599]]);
});

test('a log that is shorter than where a receipt can be is not read at all', async () => {
  const { upstream, read } = medium();
  expect((await searchLog(upstream, SIZE, [sought(1, 3, 10_000)])).size).toBe(0);
  expect(read).toEqual([]);
});
