import path from 'node:path';
import { type Digest, digestFromHex, digestHex, utf8 } from '@sealane/core';
import { buildImage, childrenOf, encodeReleaseManifest, type Layout, openLayout, packedFile, parseManifest } from '@sealane/oci';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nodeDisk } from '../disk.js';
import { stateFolder } from '../state-folder.js';
import { MemoryDisk } from '../testing/memory-disk.js';
import { withScratch } from '../testing/scratch.js';
import { pruneSlots, pruneStore } from './prune.js';
import { INITIAL_STATE, type Phase, type SiteState, type Slot, type Target } from './state.js';

const folder = stateFolder('/state');
const digest = (letter: string): Digest => digestFromHex(letter.repeat(64));
const slot = (letter: string): Slot => ({
  release: digest(letter),
  name: 'svc',
  version: letter,
  waybill: null,
  counter: 1,
  since: '2026-11-24T10:00:00Z',
});
const target = (letter: string): Target => ({
  release: digest(letter),
  name: 'svc',
  version: letter,
  waybill: null,
  counter: 1,
  cause: 'update',
});

const phaseOf = (letter: string): fc.Arbitrary<Phase> =>
  fc.constantFrom<Phase>(
    { at: 'idle' },
    { at: 'committed' },
    { at: 'admitted', target: target(letter) },
    { at: 'staged', target: target(letter) },
    { at: 'switching', target: target(letter), attempt: 1 },
    { at: 'probation', target: target(letter), attempt: 1, began: { bootId: 'b', uptimeSeconds: 1 } },
    { at: 'rolling-back', target: target(letter), attempt: 1, failed: [] },
    { at: 'held', code: 'ROLLBACK_FAILED', message: '', target: target(letter) },
  );

const letter = fc.constantFrom('a', 'b', 'c', 'd');
const states: fc.Arbitrary<SiteState> = fc
  .tuple(fc.option(letter), fc.uniqueArray(letter, { maxLength: 2 }), letter.chain(phaseOf))
  .map(([current, kept, phase]) => ({
    ...INITIAL_STATE,
    current: current === null ? null : slot(current),
    kept: kept.map(slot),
    previous: kept[0] === undefined ? null : slot(kept[0]),
    phase,
  }));

function diskWith(names: readonly string[], running: string, disk = new MemoryDisk()): MemoryDisk {
  disk.makeFolder(folder.releases);
  for (const name of names) {
    disk.makeFolder(`${folder.releases}/${name}`);
    disk.writeQuietly(`${folder.releases}/${name}/version`, new Uint8Array([1]));
  }
  disk.symlink(`releases/${digestHex(digest(running))}`, folder.current);
  return disk;
}

test('never removes the slot of what is current, kept, under way, or pointed to; removes every other one', () => {
  const all = ['a', 'b', 'c', 'd', 'e'];
  let removed = 0;
  fc.assert(
    fc.property(states, letter, (state, running) => {
      const disk = diskWith(
        all.map((one) => digestHex(digest(one))),
        running,
      );
      removed += pruneSlots({ world: { disk, env: {} }, folder } as never, state).length;
      const left = disk.list(folder.releases);
      const needed = [state.current, ...state.kept, 'target' in state.phase ? state.phase.target : null].flatMap((one) =>
        one === null ? [] : [one.release],
      );
      for (const release of [...needed, digest(running)]) expect(left).toContain(digestHex(release));
      expect(left.length).toBe(new Set([...needed, digest(running)]).size);
    }),
  );
  expect(removed).toBeGreaterThan(0);
});

test('keeps the half-made slot of a release that is being laid down, and removes all other half-made ones', () => {
  const [mine, others] = [`${digestHex(digest('b'))}.tmp`, `${digestHex(digest('c'))}.tmp`];
  const disk = diskWith([digestHex(digest('a')), mine, others], 'a');
  pruneSlots({ world: { disk, env: {} }, folder } as never, {
    ...INITIAL_STATE,
    current: slot('a'),
    phase: { at: 'admitted', target: target('b') },
  });
  expect(disk.list(folder.releases)).toEqual([digestHex(digest('a')), mine]);
});

test('a slot that is removed is none from the first step on: what a kill leaves of it has another name, and goes next time', () => {
  const [current, useless] = [digestHex(digest('a')), digestHex(digest('b'))];
  const state = { ...INITIAL_STATE, current: slot('a') };
  // dies in the middle of a folder, as a process that is killed there
  class Killed extends MemoryDisk {
    override remove(file: string): void {
      const below = this.paths().filter((name) => name.startsWith(`${file}/`));
      if (below.length === 0) return super.remove(file);
      super.remove(below[0] ?? '');
      throw new Error('killed');
    }
  }
  const disk = diskWith([current, useless], 'a', new Killed());
  disk.writeQuietly(`${folder.releases}/${useless}/more`, new Uint8Array([2]));
  expect(() => pruneSlots({ world: { disk, env: {} }, folder } as never, state)).toThrow('killed');
  expect(disk.list(folder.releases)).toEqual([current, `${useless}.tmp`]);
  // and the power may go then
  disk.cut();
  expect(disk.kind(`${folder.releases}/${useless}`)).toBe('nothing');
  const next = diskWith([current, `${useless}.tmp`], 'a');
  pruneSlots({ world: { disk: next, env: {} }, folder } as never, state);
  expect(next.list(folder.releases)).toEqual([current]);
});

/** A release of one image of one layer, in a layout. */
async function releaseOf(store: Layout, text: string): Promise<{ readonly release: Digest; readonly layer: Digest }> {
  const entries = [packedFile('srv/text', utf8(text))];
  const {
    digest: image,
    size,
    mediaType,
  } = await buildImage(store, { platform: { os: 'linux', architecture: 'amd64' }, layers: [entries] });
  const manifest = encodeReleaseManifest({
    name: 'svc',
    version: text,
    components: [{ name: 'app', kind: 'image', digest: image, size, mediaType }],
  });
  const [, layer = image] = childrenOf(parseManifest(await store.readBlob(image, size), mediaType)).map(({ digest: child }) => child);
  return { release: (await store.putBlob(manifest, { maxBytes: manifest.length })).digest, layer };
}

test('what is known of layers goes with the last release that has them, and what was half written at once', async () => {
  await withScratch(async (dir) => {
    const place = stateFolder(dir);
    const store = await openLayout(place.store, { create: 'if-missing' });
    const [kept, gone] = [await releaseOf(store, 'kept'), await releaseOf(store, 'gone')];
    const stays = digestHex(kept.layer);
    nodeDisk.makeFolder(place.layers, 0o700);
    for (const name of [stays, `${stays}.tmp`, digestHex(gone.layer)])
      nodeDisk.writeSynced(path.join(place.layers, name), new Uint8Array(), 0o600);
    const site = { world: { disk: nodeDisk }, folder: place } as never;
    await pruneStore(site, { ...INITIAL_STATE, current: { ...slot('a'), release: kept.release } });
    expect(nodeDisk.list(place.layers)).toEqual([stays]);
  });
});
