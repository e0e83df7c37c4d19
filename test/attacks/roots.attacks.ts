/** T6 and T16: who held timestamp and snapshot, and who held the root before, once the owners have given out new keys. They come last: the lane has other keys after. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { canonicalJson } from '@sealane/core';
import { signMetadata } from '@sealane/trust';
import { beforeAll, describe, expect, it } from 'vitest';
import { exampleSigner, LaneCopy } from './attacker.js';
import { expectInstalled, expectRefusal, type World } from './world.js';

/** As far as a thief of the timestamp's key can push it. */
const FAR = 2 ** 31;

export function rootAttacks(at: () => World): void {
  let world: World;

  beforeAll(() => {
    world = at();
  });

  describe('B6 T6 fast-forward', () => {
    it('fast-forward: the thief of timestamp and snapshot freezes a site, and a new root frees it', async () => {
      const scene = await world.scene(world.older);
      const { copy, site } = scene;
      copy.goOnFrom({ body: { tuf: { versions: { timestamp: FAR, snapshot: FAR, roles: {} } } } });
      await copy.refresh();
      expect((await site.must(['update'])).outcome).toBe('unchanged');
      copy.replaceBy(world.lane.lane);
      await expectRefusal(scene, 'TRUST_ROLLBACK', 4);
      const { sealane, home } = world.lane;
      for (const name of ['timestamp', 'snapshot', 'root-1']) await sealane(['key', 'rotate', name], 5);
      for (const owner of ['root-1', 'root-2', 'root-3'])
        await sealane(['trust', 'sign', path.join(home, 'proposal.json'), '--key', owner]);
      await sealane(['trust', 'publish']);
      if (new LaneCopy(world.lane.lane).channel().groups[0]?.release !== world.three) await world.lane.promote(world.three);
      copy.replaceBy(world.lane.lane);
      await expectInstalled(scene, '1.2.0');
    });
  });

  describe('B6 T16 a retired root', () => {
    it('what was its quorum signs no root any more for a site that saw the newer one', async () => {
      const scene = await world.scene();
      await expectInstalled(scene, '1.2.0');
      const root = JSON.parse(readFileSync(scene.copy.file('trust/metadata/1.root.json'), 'utf8')) as { signed: object };
      const forged = canonicalJson({ signatures: [], signed: { ...root.signed, version: 3 } });
      scene.copy.write('trust/metadata/3.root.json', await signMetadata(forged, ['root-1', 'root-2'].map(exampleSigner)));
      const refused = await scene.site.run(['update']);
      expect({ exit: refused.exit, reason: refused.json?.reason }, refused.stderr).toEqual({ exit: 4, reason: 'TRUST_THRESHOLD' });
    });
  });
}
