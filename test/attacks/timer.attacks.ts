/** One attack of each kind, short: for ways to run a site that are the same program behind another door. The last one leaves the lane with other keys. */
import { writeFileSync } from 'node:fs';
import { publishedMetadataPath } from '@sealane/trust';
import { beforeAll, describe, it } from 'vitest';
import { LaneCopy } from './attacker.js';
import { denialAttacks } from './denial.attacks.js';
import { rootAttacks } from './roots.attacks.js';
import { expectInstalled, expectRefusal, type World } from './world.js';

const TIMESTAMP = 'trust/metadata/timestamp.json';

export function timerAttacks(at: () => World): void {
  let world: World;

  beforeAll(() => {
    world = at();
  });

  it('a channel signed by another stage’s key is refused', async () => {
    const scene = await world.scene();
    await scene.copy.setChannel(scene.copy.channel(), { stageSigner: 'dev' });
    await expectRefusal(scene, 'TRUST_THRESHOLD', 4);
  });

  it('an older timestamp and snapshot are refused', async () => {
    const scene = await world.scene();
    await expectInstalled(scene, '1.1.0');
    const older = new LaneCopy(world.older);
    for (const name of [TIMESTAMP, `trust/${publishedMetadataPath('snapshot', older.version('snapshot'))}`])
      scene.copy.write(name, older.read(name));
    await expectRefusal(scene, 'TRUST_ROLLBACK', 4);
  });

  it('an endless timestamp is refused', async () => {
    const scene = await world.scene();
    writeFileSync(scene.copy.file(TIMESTAMP), Buffer.alloc(8 << 20, 0x20));
    await expectRefusal(scene, 'TRUST_TOO_LARGE', 4);
  });

  it('a revoked release is refused', async () => {
    const scene = await world.scene();
    await scene.copy.setChannel({ ...scene.copy.channel(), revoked: [{ release: world.two, reason: 'burns its host' }] });
    await expectRefusal(scene, 'RELEASE_REVOKED', 3);
  });

  describe('what keeps news away, and a site that waits', () => denialAttacks(at));

  // fast-forward, and the roots that end it
  describe('roots', () => rootAttacks(at));
}
