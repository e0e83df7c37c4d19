/** Row B9, driver `command`: the contract of its commands, and RAUC with real signed bundles by the example in docs/drivers.md. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { killAt } from '../support/kill.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { hasRauc, type RaucHost, raucHost } from '../support/rauc.js';
import { ROOT } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

let dir: string;
let lane: TestLane;
let count = 0;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-b09-command-'));
  lane = await makeLane(dir);
});

afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A site with a driver of commands. */
function siteWith(driver: Readonly<Record<string, unknown>>): Promise<TestSite> {
  return enrolSite(lane, path.join(dir, `site-${(count += 1)}`), {
    name: `harbour-${count}`,
    driver: {
      use: 'command',
      stopGraceSeconds: undefined,
      health: [],
      healthIntervalMs: 50,
      startSeconds: 5,
      probationSeconds: 0.2,
      ...driver,
    },
  });
}

async function publish(version: string, words: readonly string[]): Promise<string> {
  const { release } = await lane.sealane(['release', 'create', '--name', 'plc', '--version', version, ...words, '--key', 'author']);
  await lane.promote(release);
  return release;
}

describe('B9 driver command', () => {
  interface Scripted {
    readonly site: TestSite;
    /** What was asked so far, but for looks: those are as many as there is time for. Forgets it. */
    readonly said: () => readonly string[];
    /** Shell words for a hook and version, as `start.1.0.0`. */
    readonly say: (hook: string, script: string) => void;
  }

  /** One script for all hooks. */
  const scripted = async (): Promise<Scripted> => {
    const folder = mkdtempSync(path.join(dir, 'hooks-'));
    const [script, asked] = [path.join(folder, 'hook.sh'), path.join(folder, 'asked')];
    writeFileSync(
      script,
      `test -d "$SEALANE_RELEASE_DIR" || exit 99\n` +
        `[ "$SEALANE_HOOK" = status ] || echo "$SEALANE_HOOK $SEALANE_VERSION" >> "${asked}"\n` +
        `f="${folder}/$SEALANE_HOOK.$SEALANE_VERSION"; test ! -f "$f" || . "$f"\n`,
    );
    const hook = ['/bin/sh', script];
    return {
      site: await siteWith({ prepare: hook, start: hook, stop: hook, status: hook, confirm: hook, commandSeconds: 5 }),
      said: () => {
        const lines = readFileSync(asked, 'utf8').trim().split('\n');
        rmSync(asked);
        return lines;
      },
      say: (name, text) => writeFileSync(path.join(folder, name), text),
    };
  };

  const firmware = (version: string): Promise<string> => {
    const file = path.join(dir, `${version}.bin`);
    writeFileSync(file, version);
    return publish(version, ['--firmware', `system=${file}`]);
  };

  test('B9 command: a poll in which nothing happens asks once whether what is installed runs', async () => {
    const { site, say } = await scripted();
    await firmware('0.9.0');
    await site.must(['update']);
    const looks = path.join(dir, 'looks');
    say('status.0.9.0', `echo look >> "${looks}"`);
    expect(await site.must(['update'])).toMatchObject({ outcome: 'unchanged' });
    expect(readFileSync(looks, 'utf8')).toBe('look\n');
    await site.stop();
  });

  test('B9 command: its hooks are called in order; each that fails takes the release back, or refuses or defers it', async () => {
    const { site, said, say } = await scripted();
    const first = await firmware('1.0.0');
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: first });
    expect(said()).toEqual(['prepare 1.0.0', 'start 1.0.0', 'confirm 1.0.0']);

    const second = await firmware('1.1.0');
    say('prepare.1.1.0', 'exit 75');
    expect(await site.must(['update'], 5)).toMatchObject({ outcome: 'deferred', release: second, reason: 'DRIVER_NOT_READY' });
    say('prepare.1.1.0', 'exit 1');
    expect(await site.must(['update'], 4)).toMatchObject({ outcome: 'refused', release: second, reason: 'DRIVER_REFUSED' });
    expect(said(), 'what runs was not touched').toEqual(['prepare 1.1.0', 'prepare 1.1.0']);
    say('prepare.1.1.0', 'exit 0');

    say('start.1.1.0', 'exit 1');
    const goBack = ['stop 1.1.0', 'start 1.0.0'];
    expect(await site.must(['update'], 7)).toMatchObject({ outcome: 'rolled-back', release: second, reason: 'HEALTH_FAILED' });
    expect(said()).toEqual(['prepare 1.1.0', 'stop 1.0.0', 'start 1.1.0', ...goBack]);

    for (const [hook, script] of [
      ['start', 'sleep 60'],
      ['status', 'exit 1'],
      ['confirm', 'exit 1'],
    ] as const) {
      say('start.1.1.0', 'exit 0');
      say(`${hook}.1.1.0`, script);
      await site.must(['unhold', second]);
      expect(await site.must(['update'], 7), hook).toMatchObject({ outcome: 'rolled-back', release: second });
      expect(said(), hook).toEqual([
        'prepare 1.1.0',
        'stop 1.0.0',
        'start 1.1.0',
        ...(hook === 'confirm' ? ['confirm 1.1.0'] : []),
        ...goBack,
      ]);
      say(`${hook}.1.1.0`, 'exit 0');
    }

    say('confirm.1.1.0', 'exit 1');
    say('start.1.0.0', 'exit 1');
    await site.must(['unhold', second]);
    expect(await site.must(['update'], 8)).toMatchObject({ outcome: 'held', reason: 'ROLLBACK_FAILED' });
    say('start.1.0.0', 'exit 0');
    await site.must(['unhold']);
    expect(await site.must(['status'])).toMatchObject({ state: 'idle', current: { release: first } });
  });
});

describe.skipIf(!hasRauc)('B9 driver command with RAUC (skipped without rauc, dbus-daemon, mksquashfs, openssl)', () => {
  let host: RaucHost;

  beforeAll(async () => {
    host = await raucHost(path.join(dir, 'rauc'));
  });

  afterAll(() => host.stop());

  const bundle = async (version: string, signer?: 'stranger'): Promise<string> => {
    const file = path.join(dir, 'bundles', version, 'system.raucb');
    await host.bundle(file, version, signer);
    return await publish(version, ['--firmware', `system=${file}`]);
  };

  test('B9 command: RAUC writes the slot that does not run, switches, goes back, and refuses a bundle that its own keyring does not know', async () => {
    const hook = [path.join(ROOT, 'docs', 'examples', 'rauc-hook.sh')];
    const hooks = { prepare: hook, start: hook, status: hook, confirm: hook };
    const bad = path.join(dir, 'unhealthy');
    const site = await siteWith({ ...hooks, env: host.env, health: [{ command: ['test', '!', '-e', bad] }] });
    const first = await bundle('2.0.0');
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: first });
    expect([host.booted(), host.content('B'), host.content('A')]).toEqual(['B', '2.0.0', '']);

    const second = await bundle('2.1.0');
    writeFileSync(bad, '');
    // the health of the release that comes back is seen before it counts
    const failing = site.must(['update'], 8);
    expect(await failing).toMatchObject({ outcome: 'held', reason: 'ROLLBACK_FAILED' });
    rmSync(bad);
    await site.must(['unhold']);
    expect([host.booted(), host.content('A'), host.content('B')]).toEqual(['B', '2.1.0', '2.0.0']);

    await site.must(['unhold', second]);
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: second });
    expect([host.booted(), host.content('A')]).toEqual(['A', '2.1.0']);

    const stranger = await bundle('2.2.0', 'stranger');
    expect(await site.must(['update'], 4)).toMatchObject({ outcome: 'refused', release: stranger, reason: 'DRIVER_REFUSED' });
    expect([host.booted(), host.content('A')]).toEqual(['A', '2.1.0']);

    // killed before RAUC writes, and while the other slot is started
    const third = await bundle('2.3.0');
    for (const point of ['update:blobs-copied', 'update:workload-recorded', 'update:started'])
      await killAt(point, 'sealane-site', ['update', '--config', site.config, '--state', site.state]);
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: third });
    expect([host.booted(), host.content('B')]).toEqual(['B', '2.3.0']);
    expect(existsSync(path.join(site.state, 'rauc', 'B'))).toBe(true);
    expect(await site.must(['rollback'])).toMatchObject({ outcome: 'installed', release: second });
    expect([host.booted(), host.content(host.booted())]).toEqual(['A', '2.1.0']);
  });
});
