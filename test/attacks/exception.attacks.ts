/** T13: a technician with an exception that was granted for something else. It is taken in by root, at the host, and never by the service. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { enrolSite, type TestSite } from '../support/site.js';
import { footprint, type World } from './world.js';

export function exceptionAttacks(at: () => World): void {
  let world: World;

  beforeAll(() => {
    world = at();
  });

  /** What a site asks for, and alice grants. Returns the file that is carried there. */
  async function granted(site: TestSite): Promise<string> {
    const [request, carried] = [path.join(site.dir, 'request.json'), path.join(site.dir, 'carried.json')];
    const { sealane } = world.lane;
    await site.must(['exception', 'request', '--kind', 'stale', '--release', world.two, '--reason', 'no link', '--out', request]);
    const words = ['exception', 'create', '--request', request, '--key', 'alice', '--reason', 'the boat is at sea'];
    const { statements } = await sealane(words);
    await sealane(['publish', '--refresh']);
    await sealane(['exception', 'export', statements[0].digest, '--out', carried]);
    return carried;
  }

  describe('B6 T13 exceptions', () => {
    it('one that was granted to another site, or was edited, is refused; the site’s own is taken in', async () => {
      const other = await granted(await enrolSite(world.lane, path.join(world.dir, 'other-site'), { name: 'harbour-8' }));
      const { site } = await world.scene();
      const own = await granted(site);
      const file = (name: string, text: string): string => {
        mkdirSync(site.dir, { recursive: true });
        writeFileSync(path.join(site.dir, name), text);
        return path.join(site.dir, name);
      };
      const before = footprint(site);
      const edited = readFileSync(own, 'utf8').replace(/"payload":"([^"]+)"/, (_, payload: string) => {
        const said = Buffer.from(payload, 'base64').toString();
        return `"payload":"${Buffer.from(said.replace(/"expiresAt":"\d{4}/, '"expiresAt":"2099')).toString('base64')}"`;
      });
      for (const bad of [file('other.json', readFileSync(other, 'utf8')), file('edited.json', edited)]) {
        const { exit, json, stderr } = await site.run(['exception', 'apply', bad]);
        expect({ exit, code: json?.error?.code }, stderr).toEqual({ exit: 4, code: 'EXCEPTION_INVALID' });
      }
      expect(footprint(site)).toEqual(before);
      expect(await site.must(['exception', 'apply', own])).toMatchObject({ kind: 'stale', by: ['alice'], release: world.two });
    });
  });
}
