/** Row B9, driver `self`: SIGKILL at calls that change the disk, of the old program, the launcher and the new one; the site comes to rest at the old set or the new one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildFsPoints, whyNoPoints } from '../reliability/fs-points.js';
import { callsOfSelf, cutSelf, makeSelfWorld } from '../reliability/self-kills.js';
import type { SelfSite } from '../support/self-site.js';

const why = whyNoPoints();

/** About as many calls come after the new program was laid down, which takes most of them: half of the kills are there. */
const TRIAL_CALLS = 60;

/** How many of the calls are tried, each half spread evenly; `SEALANE_SELF_KILLS` says otherwise. */
const KILLS = Number(process.env['SEALANE_SELF_KILLS'] ?? 6);

describe.skipIf(why !== undefined)(`B9 self, killed (${why ?? 'at calls that change the disk'})`, () => {
  let dir: string;
  let base: SelfSite;
  let library: string;

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-self-kill-'));
    library = buildFsPoints(dir);
    base = await makeSelfWorld(dir);
  });
  afterAll(async () => {
    await base.lane.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test(
    'B9 self: killed at calls all over the way, it comes to rest by itself at the old set or the new one, updater and release together',
    async () => {
      const calls = await callsOfSelf(base, library);
      expect(calls).toBeGreaterThan(100);
      const kills = Math.min(KILLS, calls - 1);
      for (let kill = 1; kill <= kills; kill += 1) {
        const part = kill / (kills + 1);
        const at = kill % 2 === 0 ? calls - Math.floor(part * TRIAL_CALLS) : Math.floor(part * calls);
        const { met, faults } = await cutSelf(base, library, at, []);
        expect({ at, met: met.length, faults }, `killed at call ${at}, ${met.join()}`).toEqual({ at, met: 1, faults: [] });
      }
    },
    KILLS * 60_000 + 120_000,
  );
});
