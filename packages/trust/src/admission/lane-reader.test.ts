/** One reading of a lane: what was verified is what is used, whoever writes to the mirror meanwhile; and no lane is endless. */
import { sha256, utf8 } from '@sealane/core';
import { expect, it } from 'vitest';
import { admit } from '../admit.js';
import { AdmitLane } from '../testing/admit-lane.js';
import { codeOf } from '../testing/code-of.js';
import { blobPath, laneReader } from './lane-reader.js';

it('reads every file once, so that bytes swapped after they were verified are never seen', async () => {
  const lane = await new AdmitLane().passed();
  const files = lane.files();
  const reads = new Map<string, number>();
  const view = {
    read: (path: string): Uint8Array | undefined => {
      const before = reads.get(path) ?? 0;
      reads.set(path, before + 1);
      return before === 0 ? files.get(path) : utf8('swapped');
    },
  };
  expect(admit({ ...lane.input(), lane: view })).toMatchObject({ outcome: 'admitted', release: lane.release });
  expect([...reads.values()].every((count) => count === 1)).toBe(true);
});

it('keeps what was absent absent', () => {
  const answers = [undefined, utf8('late')];
  const reader = laneReader({ read: () => answers.shift() });
  expect([reader.file('a', 10), reader.file('a', 10)]).toEqual([undefined, undefined]);
});

it('takes a blob by its digest only', () => {
  const digest = sha256(utf8('blob'));
  const serving = (bytes: Uint8Array | undefined): ReturnType<typeof laneReader> =>
    laneReader({ read: (path) => (path === blobPath(digest) ? bytes : undefined) });
  expect(serving(utf8('blob')).blob(digest, 4)).toEqual(utf8('blob'));
  expect(codeOf(() => serving(utf8('blub')).blob(digest, 4))).toBe('CONTENT_DIGEST');
  expect(codeOf(() => serving(undefined).blob(digest, 4))).toBe('CONTENT_MISSING');
  expect(codeOf(() => serving(utf8('blob')).blob(digest, 3))).toBe('TRUST_TOO_LARGE');
});

it('bounds each file, and all files together', () => {
  const big = new Uint8Array(64 * 1024 * 1024);
  const reader = laneReader({ read: () => big });
  expect(codeOf(() => reader.file('a', big.length - 1))).toBe('TRUST_TOO_LARGE');
  for (const name of ['b', 'c', 'd']) expect(reader.file(name, big.length)).toBe(big);
  expect(codeOf(() => reader.file('e', big.length))).toBe('TRUST_TOO_LARGE');
});
