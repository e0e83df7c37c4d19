/** T11: an attacker's code runs in `fetch`, the process with the network, with all that the process may do. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { InstalledWorld } from './installed-world.js';
import { expectRefusal } from './world.js';

const FETCH = 'sealane-site-fetch.service';

/** Tries what it should not be able to, and changes each layer once `fetch` has verified it and put it in its place. */
const CODE = `
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
const tried = (action) => { try { action(); return 'done'; } catch (error) { return error.code; } };
const said = {
  key: tried(() => fs.readFileSync('/var/lib/sealane-site/site.pem')),
  trust: tried(() => fs.writeFileSync('/var/lib/sealane-site/trust.json', '{}')),
  program: tried(() => fs.writeFileSync('/usr/lib/sealane-site/launch.mjs', '')),
  own: tried(() => fs.writeFileSync('/var/lib/sealane-fetch/own', '')),
};
fs.writeFileSync('/var/lib/sealane-fetch/said.json', JSON.stringify(said));
const { renameSync } = fs;
fs.renameSync = (from, to) => {
  renameSync(from, to);
  if (String(to).includes('/blobs/sha256/') && fs.readFileSync(to)[0] !== 0x7b) fs.writeFileSync(to, Buffer.alloc(fs.statSync(to).size, 'e'));
};
syncBuiltinESMExports();
`;

/** Only where `fetch` is a service of its own is it another user than `apply`. */
export function fetchCodeAttacks(at: () => InstalledWorld): void {
  let world: InstalledWorld;

  beforeAll(() => {
    world = at();
  });

  describe('B6 T11 code in fetch', () => {
    it('installs no byte that was not admitted, and reaches neither key nor trust nor program', async () => {
      const scene = await world.scene();
      const { machine } = world.here;
      const dropIn = path.join(machine.root, 'etc/systemd/system', `${FETCH}.d`);
      mkdirSync(dropIn, { recursive: true });
      writeFileSync(path.join(machine.root, 'srv/code.mjs'), CODE);
      writeFileSync(path.join(dropIn, 'code.conf'), '[Service]\nEnvironment=NODE_OPTIONS=--import=/srv/code.mjs\n');
      await restartFetch();
      try {
        await expectRefusal(scene, 'CONTENT_DIGEST', 4);
        expect(JSON.parse(readFileSync(path.join(scene.mirror, '..', 'said.json'), 'utf8'))).toEqual({
          key: 'EACCES',
          trust: 'EACCES',
          program: 'EROFS',
          own: 'done',
        });
      } finally {
        rmSync(dropIn, { recursive: true });
        await restartFetch();
      }
    });
  });

  /** It is started again by the next order. */
  async function restartFetch(): Promise<void> {
    await world.here.machine.must('systemctl', 'daemon-reload');
    await world.here.machine.must('systemctl', 'stop', FETCH);
  }
}
