/**
 * SIGKILL at each durable step of a site's commands. At any of them the set of components is the old one or the new one, at most one workload runs,
 * and the next command finishes: what was acknowledged is there, each event has exactly one receipt, and nothing is current that was not healthy.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CRASH_POINTS } from '../../packages/site/src/crash-point.js';
import { killAt } from '../support/kill.js';
import type { TestSite } from '../support/site.js';
import {
  atSite,
  editConfig,
  expectChain,
  healthyVersions,
  makeSiteWorld,
  receiptsOf,
  type ReceiptOnDisk,
  runningReleases,
  type SiteWorld,
  versionsOnDisk,
} from '../support/site-world.js';

// each test waits for processes of its own most of the time
vi.setConfig({ maxConcurrency: 3 });

let world: SiteWorld;

beforeAll(async () => {
  world = await makeSiteWorld();
});

afterAll(() => {
  world.close();
});

type Version = keyof SiteWorld['releases'];

async function killed(site: TestSite, point: string, words: readonly string[]): Promise<void> {
  await killAt(point, 'sealane-site', [...words, '--config', site.config, '--state', site.state]);
}

/** What a killed command may leave: never a mixture, never two workloads, never a release that is called current before it was healthy. */
async function expectOldOrNew(site: TestSite, old: Version, wanted: Version): Promise<readonly ReceiptOnDisk[]> {
  const [onDisk, ...more] = versionsOnDisk(site);
  expect(more).toEqual([]);
  expect([old, wanted]).toContain(onDisk);
  const running = runningReleases(site);
  expect(running.length).toBeLessThanOrEqual(1);
  for (const release of running) expect([world.releases[old], world.releases[wanted]]).toContain(release);
  const { current } = await site.must(['status']);
  expect([old, wanted]).toContain(current.version);
  if (current.version === wanted) expect(healthyVersions(site)).toContain(wanted);
  const receipts = receiptsOf(site);
  expectChain(receipts);
  return receipts;
}

/** A site at rest: this version is current, on disk and running, once. */
async function expectAtRest(site: TestSite, version: Version): Promise<{ readonly previous: unknown }> {
  const status = await site.must(['status']);
  expect(status).toMatchObject({
    state: 'idle',
    current: { version, release: world.releases[version] },
    receiptsQueued: 0,
    workload: { is: 'running' },
  });
  expect(versionsOnDisk(site)).toEqual([version]);
  expect(runningReleases(site)).toEqual([world.releases[version]]);
  return status;
}

function events(receipts: readonly ReceiptOnDisk[]): readonly unknown[] {
  return receipts.map(({ event, release, reason }) => [event, release, reason]);
}

/** Receipts that were there before are there still, byte for byte; all of them make one chain. */
function expectReceipts(site: TestSite, before: readonly ReceiptOnDisk[], wanted: readonly unknown[]): void {
  const receipts = receiptsOf(site);
  expectChain(receipts);
  expect(receipts.slice(0, before.length)).toEqual(before);
  expect(events(receipts)).toEqual(wanted);
}

/** In the order in which they come. */
const INSTALL_POINTS = [
  'update:locked',
  'update:fetched',
  'update:trust-saved',
  'update:admitted',
  'update:blobs-copied',
  'update:unpacked',
  'update:staged',
  'update:switching',
  'update:stopped',
  'update:linked',
  'update:workload-recorded',
  'update:started',
  'update:probation',
  'update:committed',
  'update:receipt-written',
  'update:receipt-queued',
  'update:flushed',
  'update:pruned',
];

/** What comes after a release was found unhealthy; `#2` is the way back through the same steps. */
const RETURN_POINTS = [
  'update:probation',
  'update:rolling-back',
  'update:stopped#2',
  'update:linked#2',
  'update:workload-recorded#2',
  'update:started#2',
  'update:rolled-back',
  'update:receipt-written',
  'update:receipt-queued',
  'update:pruned',
];

it('every named point of the updater is tried', () => {
  const tried = new Set([...INSTALL_POINTS, ...RETURN_POINTS].map((point) => point.split('#')[0]));
  expect([...tried].sort()).toEqual([...CRASH_POINTS].sort());
});

describe.skipIf(process.platform !== 'linux').concurrent('update (skipped without Linux)', () => {
  const first = (): unknown => ['installed', world.releases['1.0.0'], null];

  it.each(INSTALL_POINTS)('killed at %s ends with the new release', async (point) => {
    await atSite(world, '1.1.0', async (site) => {
      await killed(site, point, ['update']);
      const before = await expectOldOrNew(site, '1.0.0', '1.1.0');
      const again = await site.must(['update']);
      const wasDone = before.length === 2 || ['update:committed', 'update:receipt-written'].includes(point);
      expect(again).toMatchObject({ outcome: wasDone ? 'unchanged' : 'installed' });
      expect(await expectAtRest(site, '1.1.0')).toMatchObject({ previous: { version: '1.0.0' } });
      const wanted = [first(), ['installed', world.releases['1.1.0'], null]];
      expectReceipts(site, before, wanted);
      // and once more: nothing new
      expect(await site.must(['update'])).toMatchObject({ outcome: 'unchanged' });
      expectReceipts(site, before, wanted);
    });
  });

  it.each(RETURN_POINTS)('of an unhealthy release killed at %s ends with the old one', async (point) => {
    await atSite(world, '1.2.0', async (site) => {
      await killed(site, point, ['update']);
      const before = await expectOldOrNew(site, '1.0.0', '1.2.0');
      expect(healthyVersions(site)).not.toContain('1.2.0');
      const again = await site.run(['update']);
      const wasDone = before.length === 2 || ['update:rolled-back', 'update:receipt-written'].includes(point);
      const wanted = wasDone
        ? { exit: 0, outcome: 'unchanged', reason: 'RELEASE_FAILED_HERE' }
        : { exit: 7, outcome: 'rolled-back', reason: 'HEALTH_FAILED' };
      expect({ exit: again.exit, outcome: again.json.outcome, reason: again.json.reason }).toEqual(wanted);
      await expectAtRest(site, '1.0.0');
      const receipts = [first(), ['rolled-back', world.releases['1.2.0'], 'HEALTH_FAILED']];
      expectReceipts(site, before, receipts);
      // it is not tried again
      expect(await site.must(['update'])).toMatchObject({ outcome: 'unchanged', reason: 'RELEASE_FAILED_HERE' });
      expectReceipts(site, before, receipts);
    });
  });

  it('B7 killed at one step after the other, again and again, still ends with the new release', async () => {
    await atSite(world, '1.1.0', async (site) => {
      for (const point of INSTALL_POINTS.slice(0, INSTALL_POINTS.indexOf('update:stopped'))) await killed(site, point, ['update']);
      const before = await expectOldOrNew(site, '1.0.0', '1.1.0');
      await site.must(['update']);
      await expectAtRest(site, '1.1.0');
      expect((await site.must(['doctor'])).ok).toBe(true);
      expectReceipts(site, before, [first(), ['installed', world.releases['1.1.0'], null]]);
    });
  });

  it('B8 killed each time that it switches gives up and goes back', async () => {
    await atSite(world, '1.1.0', async (site) => {
      for (let tries = 0; tries < 3; tries += 1) await killed(site, 'update:started', ['update']);
      const before = await expectOldOrNew(site, '1.0.0', '1.1.0');
      const again = await site.run(['update']);
      expect({ exit: again.exit, outcome: again.json.outcome }).toEqual({ exit: 7, outcome: 'rolled-back' });
      await expectAtRest(site, '1.0.0');
      expectReceipts(site, before, [first(), ['rolled-back', world.releases['1.1.0'], 'HEALTH_FAILED']]);
    });
  });

  it('killed after it was admitted ends with the new release though the upstream is gone', async () => {
    await atSite(world, '1.1.0', async (site) => {
      await killed(site, 'update:staged', ['update']);
      editConfig(site.dir, 'upstreams', [`${site.dir}/gone`]);
      await site.must(['update']);
      await expectAtRest(site, '1.1.0');
    });
  });
});

describe.skipIf(process.platform !== 'linux').concurrent('rollback by hand (skipped without Linux)', () => {
  it.each([
    'update:admitted',
    'update:switching',
    'update:stopped',
    'update:linked',
    'update:started',
    'update:committed',
    'update:receipt-written',
  ])('killed at %s is finished by the next update', async (point) => {
    await atSite(world, '1.1.0', async (site) => {
      await site.must(['update']);
      await killed(site, point, ['rollback']);
      const before = await expectOldOrNew(site, '1.1.0', '1.0.0');
      if (point === 'update:admitted') {
        // nothing was touched: the next update asks what is wanted now, and that is what runs
        expect(await site.must(['update'])).toMatchObject({ outcome: 'unchanged' });
        await expectAtRest(site, '1.1.0');
        expect(receiptsOf(site)).toEqual(before);
        return;
      }
      await site.must(['update']);
      await expectAtRest(site, '1.0.0');
      expectReceipts(site, before, [
        ['installed', world.releases['1.0.0'], null],
        ['installed', world.releases['1.1.0'], null],
        ['rollback', world.releases['1.0.0'], null],
      ]);
      // what was left by hand is not taken again by itself
      expect(await site.must(['update'])).toMatchObject({ outcome: 'unchanged' });
      await expectAtRest(site, '1.0.0');
    });
  });
});
