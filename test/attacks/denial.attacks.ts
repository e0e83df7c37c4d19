/** Attacks that keep news away (Uptane: drop-request), and a site that waits for itself: nothing is refused, nothing changes, and what is waited for is named. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { startDripping } from '../support/dripping.js';
import { expectInstalled, expectUpdate, footprint, type Scene, type World } from './world.js';

export function denialAttacks(at: () => World): void {
  let world: World;

  beforeAll(() => {
    world = at();
  });

  describe('B6 nobody answers', () => {
    it('drop-request: an upstream that has nothing any more is named, and what runs goes on', async () => {
      const scene = await world.scene();
      rmSync(scene.copy.dir, { recursive: true });
      await expectDeferred(scene, 'FETCH_FAILED', 6);
    });

    it('slow retrieval: who drips a document, a byte before each wait ends, is not waited for; at a pace again, he is heard', async () => {
      const scene = await world.scene();
      const server = await startDripping(scene.copy.dir);
      try {
        configure(scene, { upstreams: [server.url] });
        await expectDeferred(scene, 'FETCH_TOO_SLOW', 6);
        server.drips = false;
        await expectInstalled(scene, '1.1.0');
      } finally {
        server.stop();
      }
    });

    it('slow retrieval: who drips a waybill is not waited for either; another upstream has it', async () => {
      const scene = await world.scene();
      const [upstream] = settingsOf(scene).upstreams;
      const server = await startDripping(scene.copy.dir, '/content/blobs/');
      try {
        configure(scene, { upstreams: [server.url] });
        await expectDeferred(scene, 'FETCH_TOO_SLOW', 6);
        configure(scene, { upstreams: [server.url, upstream] });
        await expectInstalled(scene, '1.1.0');
      } finally {
        server.stop();
      }
    });
  });

  describe('B6 a site that waits', () => {
    it('a budget that is spent defers content, and the orders of the lane are heard all the same', async () => {
      const scene = await world.scene();
      const [upstream] = settingsOf(scene).upstreams;
      configure(scene, { upstreams: [{ at: upstream, dailyBytes: 0 }] });
      await expectDeferred(scene, 'BUDGET_SPENT', 5);
      await scene.copy.setChannel({ ...scene.copy.channel(), fenced: [{ site: 'harbour-7', reason: 'stolen' }] });
      expect(await scene.site.must(['update'], 3)).toMatchObject({ outcome: 'refused', reason: 'SITE_FENCED' });
    });

    it('a closed window defers, and the release is installed without one', async () => {
      const scene = await world.scene();
      const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16);
      configure(scene, { windows: { timeZone: 'UTC', open: [{ from: inHours(4), to: inHours(6) }] } });
      await expectDeferred(scene, 'WINDOW_CLOSED', 5, 'staged');
      configure(scene, { windows: undefined });
      await expectInstalled(scene, '1.1.0');
    });
  });
}

interface Settings {
  readonly upstreams: readonly unknown[];
  readonly windows?: object | undefined;
}

function settingsOf({ site }: Scene): Settings {
  return parse(readFileSync(site.config, 'utf8')) as Settings;
}

/** Sets keys of the site's `site.yaml`. */
function configure(scene: Scene, more: Partial<Settings>): void {
  writeFileSync(scene.site.config, stringify({ ...settingsOf(scene), ...more }));
}

/** Runs `update` and asserts that it waits for this; that nothing was switched, nor trust lost, and that no receipt blames anybody. */
async function expectDeferred(scene: Scene, code: string, exit: 5 | 6, laidDown: 'nothing' | 'staged' = 'nothing'): Promise<void> {
  const { site } = scene;
  const before = footprint(site);
  const answer = await expectUpdate(site, { exit, outcome: 'deferred', reason: code });
  const after = footprint(site);
  expect({ version: after.version, floor: after.trust.floor, receipts: after.receipts }).toEqual({
    version: '1.0.0',
    floor: before.trust.floor,
    receipts: before.receipts,
  });
  if (laidDown === 'nothing') expect(after.slots).toEqual(before.slots);
  await scene.deferred?.(answer.json);
}
