/** Row B9, driver `self`: SIGKILL at calls that change the disk, of the old program, the launcher and the new one; the site comes to rest at the old set or the new one. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildFsPoints, numbered, whyNoPoints } from '../reliability/fs-points.js';
import type { Answer } from '../support/run.js';
import { makeSelfSite, type SelfSite } from '../support/self-site.js';

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
    base = await makeSelfSite(dir);
    await base.publish('1.1.0', { marker: 'one\n' });
    await base.asked(['stop']);
  });
  afterAll(async () => {
    await base.lane.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  /** A copy of the site, updated to its end with every call on it numbered, and one of them the last of its caller. */
  async function updated(
    at: number | undefined,
    use: (site: SelfSite, met: { readonly calls: number; readonly what: string }) => Promise<void>,
  ): Promise<void> {
    const scene = mkdtempSync(path.join(dir, 'scene-'));
    cpSync(base.site.dir, scene, { recursive: true, verbatimSymlinks: true });
    const site = base.at(scene);
    const run = numbered(library, { root: scene, shared: `${scene}.shared`, ...(at === undefined ? {} : { fault: { is: 'kill', at } }) });
    try {
      let last: Answer | undefined;
      for (let starts = 0; starts < 12 && (last?.json?.outcome === undefined || last.exit === 5); starts += 1)
        last = await site.tried(['update'], { env: run.env });
      await use(site, { calls: run.calls(), what: run.met() });
    } finally {
      await site.asked(['stop']);
      rmSync(scene, { recursive: true, force: true });
    }
  }

  test(
    'B9 self: killed at calls all over the way, it comes to rest by itself at the old set or the new one, updater and release together',
    async () => {
      let calls = 0;
      await updated(undefined, (_, met) => Promise.resolve(void (calls = met.calls)));
      expect(calls).toBeGreaterThan(100);
      const kills = Math.min(KILLS, calls - 1);
      for (let kill = 1; kill <= kills; kill += 1) {
        const part = kill / (kills + 1);
        const at = kill % 2 === 0 ? calls - Math.floor(part * TRIAL_CALLS) : Math.floor(part * calls);
        await updated(at, async (site, { what }) => {
          expect(what, `call ${at}`).not.toBe('');
          const { state, current, updater } = (await site.asked(['status'])).json;
          const isNew = updater.runs !== 'package';
          expect({ state, version: current.version, onTrial: updater.onTrial }, `killed at call ${at}, ${what}`).toEqual({
            state: 'idle',
            version: isNew ? '1.1.0' : '1.0.0',
            onTrial: null,
          });
          expect(readdirSync(site.programs).filter((name) => name.endsWith('.tmp'))).toEqual([]);
          expect((await site.asked(['doctor'])).json, `killed at call ${at}, ${what}`).toMatchObject({ ok: true });
        });
      }
    },
    KILLS * 60_000 + 120_000,
  );
});
