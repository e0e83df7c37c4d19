import { sha256, SiteError, utf8 } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import type { Driver } from '../drivers/driver.js';
import type { Site } from '../site.js';
import { stateFolder } from '../state-folder.js';
import { MemoryDisk } from '../testing/memory-disk.js';
import { INITIAL_STATE } from './state.js';
import { readStrays, strayNotes, type StrayNote, watchStrays } from './strays.js';

const FOUND = { what: 'container hand-made (4f1c)', how: 'runs an image', did: 'reported' } as const;
const [FIRST, LATER] = ['2026-11-01T00:00:00Z', '2026-11-02T00:00:00Z'];
const NOTE: StrayNote = { ...FOUND, since: FIRST, isTold: false, isThere: true };

describe('what is remembered of strays', () => {
  test('keeps since when one is there, and whether it was told', () => {
    expect(strayNotes([], [FOUND], FIRST)).toEqual([NOTE]);
    expect(strayNotes([{ ...NOTE, isTold: true }], [FOUND], LATER)).toEqual([{ ...NOTE, isTold: true }]);
  });

  test('keeps one that is gone until a receipt has told it', () => {
    expect(strayNotes([NOTE], [], LATER)).toEqual([{ ...NOTE, isThere: false }]);
    expect(strayNotes([{ ...NOTE, isTold: true }], [], LATER)).toEqual([]);
  });

  test('takes one that was stopped for other news than the same one reported', () => {
    const stopped = { ...FOUND, did: 'stopped' } as const;
    expect(strayNotes([{ ...NOTE, isTold: true }], [stopped], LATER)).toEqual([{ ...stopped, since: LATER, isTold: false, isThere: true }]);
  });

  test('is bounded', () => {
    const many = Array.from({ length: 100 }, (_, at) => ({ ...FOUND, what: `container ${at}` }));
    expect(strayNotes([], many, FIRST)).toHaveLength(64);
  });
});

describe('a look at what is beside the release', () => {
  const digest = sha256(utf8('release'));
  const current = { release: digest, waybill: digest, counter: 1, name: 'readings', version: '1.0.0', since: FIRST };
  const at = (driver: Partial<Driver>): { readonly site: Site; readonly said: string[] } => {
    const said: string[] = [];
    const world = { disk: new MemoryDisk(), env: {}, talk: (line: string) => void said.push(line) };
    // what a look needs of a site
    return { site: { world, folder: stateFolder('/state', '/state'), driver } as unknown as Site, said };
  };
  const refuses = (code: 'DRIVER_REFUSED' | 'HEALTH_FAILED' | 'STATE_CORRUPT') => () =>
    Promise.reject(new SiteError(code, 'read a manifest: expected one, got another'));

  test.each(['DRIVER_REFUSED', 'HEALTH_FAILED'] as const)(
    'that ends in %s is told, keeps what was found, and ends nothing',
    async (code) => {
      const { site, said } = at({ permit: () => Promise.resolve([FOUND]), strays: refuses(code) });
      for (const now of [FIRST, LATER]) await watchStrays(site, { ...INITIAL_STATE, current }, now);
      expect(said).toContain('read a manifest: expected one, got another');
      expect(readStrays(site.world.disk, site.folder.strays)).toEqual([NOTE]);
    },
  );

  test('that could not be taken leaves what was there before', async () => {
    const { site } = at({ strays: () => Promise.resolve([FOUND]) });
    await watchStrays(site, { ...INITIAL_STATE, current }, FIRST);
    const blind = { ...site, driver: { ...site.driver, strays: refuses('DRIVER_REFUSED') } };
    await watchStrays(blind, { ...INITIAL_STATE, current }, LATER);
    expect(readStrays(site.world.disk, site.folder.strays)).toEqual([NOTE]);
  });

  test('that finds damage is no such thing', async () => {
    const { site } = at({ strays: refuses('STATE_CORRUPT') });
    await expect(watchStrays(site, { ...INITIAL_STATE, current }, FIRST)).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
  });
});
