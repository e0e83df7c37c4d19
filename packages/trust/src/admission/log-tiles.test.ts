import { leafHash, logLeaf, utf8 } from '@sealane/core';
import { expect, it } from 'vitest';
import { envelopeOf, testSigner } from '../testing/test-keys.js';
import { testLog, testWitness } from '../testing/test-log.js';
import { logContent } from './log-tiles.js';
import type { LaneView } from './types.js';

const AT = '2026-11-24T10:00:00Z';
const signer = testSigner();
const log = testLog('lane.example', [testWitness('w')]);
const entries = Array.from({ length: 600 }, (_, number) => envelopeOf(utf8(`{"entry":${number}}`), signer));
for (const envelope of entries) log.append(envelope, signer.spki);

const leafAt = (index: number): Uint8Array => {
  const envelope = entries[index];
  return envelope === undefined ? new Uint8Array(32) : leafHash(logLeaf(envelope, signer.spki));
};

/** A lane with the log's tiles, some of them changed. */
function lane(change: (tiles: Map<string, Uint8Array>) => void = () => undefined): LaneView {
  const tiles = new Map([...log.tiles(300), ...log.tiles()]);
  change(tiles);
  return { read: (path) => tiles.get(path.replace(/^log\//, '')) };
}

it.each([0, 255, 256, 511, 512, 599])('shows that entry %i is where it is, and nowhere else', (index) => {
  const content = logContent(lane(), log.checkpoint(AT));
  expect(content).toMatchObject({ origin: 'lane.example', size: 600 });
  expect(content.shows(index, leafAt(index))).toBe(true);
  expect(content.shows(index + 1, leafAt(index))).toBe(false);
  expect(content.shows(index, leafAt((index + 1) % 600))).toBe(false);
});

it('shows nothing that came after the checkpoint, nor what is no index', () => {
  const content = logContent(lane(), log.checkpoint(AT, 300));
  expect(content.shows(299, leafAt(299))).toBe(true);
  for (const index of [300, 599, 600, Number.MAX_SAFE_INTEGER, -1, 0.5, NaN]) expect(content.shows(index, leafAt(300))).toBe(false);
});

it('shows nothing by tiles that are gone, cut, or made to say it', () => {
  const forged = leafHash(utf8('forged'));
  const shows = (change: (tiles: Map<string, Uint8Array>) => void, leaf = leafAt(7)): boolean =>
    logContent(lane(change), log.checkpoint(AT)).shows(7, leaf);
  expect(shows(() => undefined)).toBe(true);
  expect(shows((tiles) => void tiles.delete('tile/0/000'))).toBe(false);
  expect(shows((tiles) => void tiles.set('tile/0/000', new Uint8Array(32)))).toBe(false);
  expect(shows((tiles) => void tiles.set('tile/0/000', new Uint8Array(16 * 1024)))).toBe(false);
  expect(shows((tiles) => void tiles.get('tile/0/000')?.set(forged, 7 * 32), forged)).toBe(false);
});
