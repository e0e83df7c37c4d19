/** Attacks on content: wrong bytes on the way, and archives that try to leave their folder. */
import { readFileSync, rmSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { type Digest, digestHex, sha256 } from '@sealane/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archiveImage } from '../support/archive-image.js';
import { ROOT } from '../support/run.js';
import { expectInstalled, expectRefusal, footprint, type Scene, type World } from './world.js';

export function contentAttacks(at: () => World): void {
  let world: World;

  beforeAll(async () => {
    world = at();
  });

  /** Path of the one layer of 1.1.0 in a copy of the lane. */
  function layerOf(scene: Scene, release: Digest): string {
    const blob = (digest: string): string => `content/blobs/sha256/${digest.replace('sha256:', '')}`;
    const read = (digest: string): { manifests?: { digest: string }[]; layers?: { digest: string }[] } =>
      JSON.parse(readFileSync(scene.copy.file(blob(digest)), 'utf8'));
    const image = read(read(release).manifests?.[0]?.digest ?? '');
    return blob(image.layers?.[0]?.digest ?? '');
  }

  describe('B6 bytes on the way', () => {
    it('a layer with one byte flipped is refused by its path', async () => {
      const scene = await world.scene();
      const layer = layerOf(scene, world.two);
      const bytes = scene.copy.read(layer);
      bytes[bytes.length >> 1]! ^= 1;
      scene.copy.write(layer, bytes);
      const result = await expectRefusal(scene, 'CONTENT_DIGEST', 4);
      expect(JSON.stringify(result.checks)).toContain(path.basename(layer));
    });

    it('a layer that is cut short is refused', async () => {
      const scene = await world.scene();
      const layer = scene.copy.file(layerOf(scene, world.two));
      truncateSync(layer, 10);
      await expectRefusal(scene, 'CONTENT_LENGTH', 4);
    });

    it('a layer that is longer than its descriptor says is refused', async () => {
      const scene = await world.scene();
      const layer = layerOf(scene, world.two);
      scene.copy.write(layer, Buffer.concat([scene.copy.read(layer), Buffer.alloc(1 << 20)]));
      await expectRefusal(scene, 'CONTENT_LENGTH', 4);
    });

    it('partial bundle: a layer that is not there is refused, and comes when it is', async () => {
      const scene = await world.scene();
      const layer = layerOf(scene, world.two);
      const bytes = scene.copy.read(layer);
      rmSync(scene.copy.file(layer));
      await expectRefusal(scene, 'CONTENT_MISSING', 4);
      scene.copy.write(layer, bytes);
      await expectInstalled(scene, '1.1.0');
    });

    it('a test report with one byte flipped is refused', async () => {
      const scene = await world.scene();
      const junit = readFileSync(path.join(world.dir, 'junit.xml'));
      const report = `content/blobs/sha256/${digestHex(sha256(new Uint8Array(junit)))}`;
      scene.copy.write(report, junit.toString().replace('case 1', 'case 9'));
      // 1.0.0 had the same report: the mirror would keep its own
      rmSync(path.join(scene.mirror, report));
      await expectRefusal(scene, 'CONTENT_DIGEST', 4);
    });
  });

  describe('B6 archives that try to leave their folder', () => {
    const hostile = [
      'dotdot.tar',
      'absolute.tar',
      'symlink-write-through.tar',
      'hardlink-out.tar',
      'device-char.tar',
      'setuid.tar',
      'case-clash.tar',
      'pax-sparse-bomb.tar',
    ];

    afterAll(async () => {
      // prod goes on with 1.1.0 for other attacks
      await world.lane.sealane(['channel', 'set', 'prod', world.two]);
    });

    it.each(hostile)('%s, promoted through every stage, is refused at the site and leaves nothing', async (name) => {
      const release = await promoteArchive(name);
      const scene = await world.scene();
      const before = footprint(scene.site).slots;
      await expectRefusal(scene, 'CONTENT_UNSAFE', 4);
      expect(footprint(scene.site).slots).toEqual(before);
      expect(release).toMatch(/^sha256:/);
    });
  });

  /** A release whose one image has this archive for a layer, honestly tested, approved and promoted. */
  async function promoteArchive(name: string): Promise<string> {
    const bytes = new Uint8Array(readFileSync(path.join(ROOT, 'test', 'vectors', 'archives', name)));
    const image = await archiveImage(path.join(world.dir, 'hostile', name), bytes);
    const version = `2.0.0-${name.replace(/\W/g, '-')}`;
    const { release } = await world.lane.sealane([
      ...['release', 'create', '--name', 'readings', '--version', version],
      ...['--image', `app=${image}`, '--key', 'author'],
    ]);
    await world.lane.promote(release);
    return release;
  }
}
