/** Row B1: what a site's mirror takes in, what it lets go, and that a sync may be cut off anywhere. What it serves is in b02. */
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildFsPoints, whyNoPoints } from '../reliability/fs-points.js';
import { callsOf, cut } from '../reliability/kills.js';
import { clear, type CutWorld, makeCutWorld, SCENARIOS, setScene } from '../reliability/scenes.js';
import { editConfig } from '../support/site-world.js';

let world: CutWorld;

beforeAll(async () => {
  world = await makeCutWorld();
});

afterAll(() => {
  world.close();
});

const sync = SCENARIOS.filter(({ name }) => name === 'mirror sync');

const blobsIn = (lane: string): readonly string[] => readdirSync(path.join(lane, 'content', 'blobs', 'sha256')).sort();

const wrongIn = (lane: string): readonly string[] =>
  blobsIn(lane).filter((name) => {
    const bytes = readFileSync(path.join(lane, 'content', 'blobs', 'sha256', name));
    return createHash('sha256').update(bytes).digest('hex') !== name;
  });

test('B1 takes in what is published for this site, each blob right, nothing else, and lets go of what nobody wants any more', async () => {
  for (const scenario of sync) {
    const site = setScene(world, scenario);
    const [mirror, lane] = [path.join(site.state, 'mirror'), world.lanes['1.1.0']];
    const before = blobsIn(mirror);
    await site.must(['mirror', 'sync']);
    const after = blobsIn(mirror);
    expect(wrongIn(mirror)).toEqual([]);
    expect(blobsIn(lane)).toEqual(expect.arrayContaining([...after]));
    // the lane has both releases, the mirror one of them
    expect(after.length).toBeLessThan(blobsIn(lane).length);
    expect(before.filter((name) => after.includes(name)).length).toBeLessThan(before.length);
    expect(readdirSync(mirror)).not.toContain('partial');
    clear(site);
  }
});

test('B1 a blob that is wrong is not taken in, and comes when it is right', async () => {
  for (const scenario of sync) {
    const site = setScene(world, scenario);
    const [mirror, lane] = [path.join(site.state, 'mirror'), path.join(site.dir, 'lane')];
    cpSync(world.lanes['1.1.0'], lane, { recursive: true, verbatimSymlinks: true });
    editConfig(site.dir, 'upstreams', [lane]);
    for (const name of blobsIn(lane)) {
      const file = path.join(lane, 'content', 'blobs', 'sha256', name);
      writeFileSync(
        file,
        readFileSync(file).map((byte, at) => (at === 0 ? byte ^ 1 : byte)),
      );
    }
    const before = blobsIn(mirror);
    const answer = await site.run(['mirror', 'sync']);
    expect(answer.exit).not.toBe(0);
    expect(wrongIn(mirror)).toEqual([]);
    expect(blobsIn(mirror)).toEqual(before);
    cpSync(world.lanes['1.1.0'], lane, { recursive: true, verbatimSymlinks: true });
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
    clear(site);
  }
});

test.skipIf(whyNoPoints() !== undefined)(
  'B1 killed in the middle of a sync it goes on where it was (skipped without Linux and a C compiler)',
  async () => {
    const library = buildFsPoints(world.dir);
    for (const scenario of sync) {
      const { length } = await callsOf(world, library, scenario);
      for (const share of [0.1, 0.5, 0.9]) {
        const { faults, points, endedAt } = await cut(world, library, scenario, {
          fault: 'kill',
          at: Math.round(length * share),
          again: [],
        });
        expect({ share, faults, points, endedAt }).toEqual({ share, faults: [], points: 1, endedAt: '1.1.0' });
      }
    }
  },
);
