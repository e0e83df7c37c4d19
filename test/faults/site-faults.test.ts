/** What hosts and people do to a site: each ends with its outcome, its exit code and the next step; what runs goes on, and nothing is half done. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clockAhead } from '../support/clock.js';
import { standAt } from '../support/kill.js';
import { commandWords, type Answer, endOf } from '../support/run.js';
import { siteAt, type TestSite } from '../support/site.js';
import {
  atSite,
  atSiteIn,
  DRIVER,
  editConfig,
  expectChain,
  makeSiteWorld,
  receiptsOf,
  runningReleases,
  type SiteWorld,
  versionsOnDisk,
} from '../support/site-world.js';

const HOUR_MS = 3_600_000;

let world: SiteWorld;

beforeAll(async () => {
  world = await makeSiteWorld();
});

afterAll(() => {
  world.close();
});

function brief({ exit, json }: Answer): { readonly exit: number | null; readonly outcome: unknown; readonly reason: unknown } {
  return { exit, outcome: json?.outcome, reason: json?.reason ?? json?.error?.code };
}

/** The old release is current and runs; the receipt of its installation is the only one. */
async function expectUntouched(site: TestSite, receipts = 1): Promise<void> {
  expect((await site.must(['status'])).current).toMatchObject({ version: '1.0.0' });
  expect(versionsOnDisk(site)).toEqual(['1.0.0']);
  if (process.platform === 'linux') expect(runningReleases(site)).toEqual([world.releases['1.0.0']]);
  expect(receiptsOf(site)).toHaveLength(receipts);
}

async function expectInstalls(site: TestSite): Promise<void> {
  expect(brief(await site.run(['update']))).toEqual({ exit: 0, outcome: 'installed', reason: undefined });
  expect(versionsOnDisk(site)).toEqual(['1.1.0']);
  expectChain(receiptsOf(site));
}

/** A command that can be signalled while it runs. */
function start(
  site: TestSite,
  words: readonly string[],
): { readonly signal: (name: NodeJS.Signals) => void; readonly ended: Promise<{ exit: number | null; stdout: string }> } {
  const child = spawn(
    process.execPath,
    commandWords('sealane-site', [...words, '--json', '--config', site.config, '--state', site.state]),
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const ended = endOf(child).then(({ exit }) => ({ exit, stdout }));
  return { signal: (name) => void child.kill(name), ended };
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  await expect.poll(condition).toBe(true);
}

it('check says what is there and touches nothing', async () => {
  await atSite(world, '1.1.0', async (site) => {
    const answer = await site.run(['check']);
    expect(brief(answer)).toEqual({ exit: 0, outcome: 'available', reason: undefined });
    expect(answer.json).toMatchObject({ release: world.releases['1.1.0'], previous: world.releases['1.0.0'] });
    await expectUntouched(site);
  });
});

it('with no upstream that can be reached it is deferred (6), and installs when one is back', async () => {
  await atSite(world, '1.1.0', async (site) => {
    const upstream = world.lanes['1.1.0'];
    editConfig(site.dir, 'upstreams', ['http://127.0.0.1:9', path.join(site.dir, 'gone')]);
    for (const command of ['check', 'update'])
      expect(brief(await site.run([command]))).toEqual({ exit: 6, outcome: 'deferred', reason: 'FETCH_FAILED' });
    await expectUntouched(site);
    editConfig(site.dir, 'upstreams', [path.join(site.dir, 'gone'), upstream]);
    await expectInstalls(site);
  });
});

it('a lane that was copied by half is refused by the first path that is missing, and installs when the rest has come', async () => {
  await atSite(world, '1.1.0', async (site) => {
    const half = path.join(site.dir, 'half');
    cpSync(world.lanes['1.1.0'], half, { recursive: true, filter: (from) => !from.includes(`${path.sep}content${path.sep}blobs`) });
    editConfig(site.dir, 'upstreams', [half]);
    const answer = await site.run(['update']);
    expect(brief(answer)).toEqual({ exit: 4, outcome: 'refused', reason: 'CONTENT_MISSING' });
    await expectUntouched(site, 2);
    cpSync(world.lanes['1.1.0'], half, { recursive: true, verbatimSymlinks: true });
    await expectInstalls(site);
  });
});

it('two updaters at once: one installs, the other is told who works (5); one receipt', async () => {
  await atSite(world, '1.1.0', async (site) => {
    const words = ['update', '--config', site.config, '--state', site.state];
    const first = await standAt('update:locked', 'sealane-site', words, path.join(site.dir, 'standing'));
    const second = await site.run(['update']);
    expect(brief(await first.goOn())).toEqual({ exit: 0, outcome: 'installed', reason: undefined });
    expect(brief(second)).toEqual({ exit: 5, outcome: undefined, reason: 'UPDATER_BUSY' });
    expect(receiptsOf(site)).toHaveLength(2);
    expect(brief(await site.run(['update']))).toMatchObject({ exit: 0, outcome: 'unchanged' });
  });
});

it('a hold defers (5) and shows in the status, a lapsed one does not; unhold lifts it', async () => {
  await atSite(world, '1.1.0', async (site) => {
    const soon = `${new Date(Date.now() + HOUR_MS).toISOString().slice(0, 19)}Z`;
    await site.must(['hold', '--reason', 'crane works', '--until', soon]);
    expect((await site.run(['status'], clockAhead(2 * HOUR_MS))).json.state).toBe('idle');
    await site.must(['hold', '--reason', 'crane works']);
    expect((await site.must(['status'])).state).toBe('held');
    expect(brief(await site.run(['update']))).toEqual({ exit: 5, outcome: 'deferred', reason: 'LOCAL_HOLD' });
    await expectUntouched(site);
    await site.must(['unhold']);
    await expectInstalls(site);
  });
});

it('B8 a release that never gets healthy is rolled back (7), and not tried again until a person allows it', async () => {
  await atSite(world, '1.2.0', async (site) => {
    expect(brief(await site.run(['update']))).toEqual({ exit: 7, outcome: 'rolled-back', reason: 'HEALTH_FAILED' });
    await expectUntouched(site, 2);
    expect(brief(await site.run(['update']))).toEqual({ exit: 0, outcome: 'unchanged', reason: 'RELEASE_FAILED_HERE' });
    await site.must(['unhold', world.releases['1.2.0']]);
    expect(brief(await site.run(['update']))).toEqual({ exit: 7, outcome: 'rolled-back', reason: 'HEALTH_FAILED' });
    await expectUntouched(site, 3);
  });
});

it('B8 where neither release comes up the site is held (8) until a person has mended the host', async () => {
  await atSite(world, '1.1.0', async (site) => {
    editConfig(site.dir, 'driver', { ...DRIVER, start: ['/nowhere/program'] });
    for (const command of ['update', 'update', 'check', 'unhold'])
      expect(brief(await site.run([command]))).toEqual({ exit: 8, outcome: 'held', reason: 'ROLLBACK_FAILED' });
    expect(await site.must(['status'])).toMatchObject({ state: 'held', current: { version: '1.0.0' } });
    editConfig(site.dir, 'driver', DRIVER);
    await site.must(['unhold']);
    await expectUntouched(site, 2);
    expect(brief(await site.run(['update']))).toEqual({ exit: 0, outcome: 'unchanged', reason: 'RELEASE_FAILED_HERE' });
    await site.must(['unhold', world.releases['1.1.0']]);
    await expectInstalls(site);
  });
});

it('B8 going back by hand: 2 where nothing is kept, else installed, and the release that was left is not taken again', async () => {
  await atSite(world, '1.1.0', async (site) => {
    expect(brief(await site.run(['rollback']))).toEqual({ exit: 2, outcome: undefined, reason: 'ROLLBACK_NONE' });
    await expectInstalls(site);
    const answer = await site.run(['rollback']);
    expect(brief(answer)).toEqual({ exit: 0, outcome: 'installed', reason: undefined });
    expect(answer.json).toMatchObject({ release: world.releases['1.0.0'], previous: world.releases['1.1.0'] });
    expect(brief(await site.run(['update']))).toMatchObject({ exit: 0, outcome: 'unchanged' });
    await expectUntouched(site, 3);
  });
});

it('interrupted in a download it says so (5), and goes on with the next command', async () => {
  await atSite(world, '1.1.0', async (site) => {
    let asked = 0;
    // takes every request and never answers
    const server = createServer(() => (asked += 1)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      editConfig(site.dir, 'upstreams', [`http://127.0.0.1:${(server.address() as AddressInfo).port}`]);
      const running = start(site, ['update']);
      await until(() => asked > 0);
      running.signal('SIGINT');
      const { exit, stdout } = await running.ended;
      expect({ exit, code: JSON.parse(stdout).error.code }).toEqual({ exit: 5, code: 'INTERRUPTED' });
      await expectUntouched(site);
    } finally {
      server.closeAllConnections();
      server.close();
    }
    editConfig(site.dir, 'upstreams', [world.lanes['1.1.0']]);
    await expectInstalls(site);
  });
});

it('interrupted in probation the release runs on and is judged by the next command', async () => {
  await atSite(world, '1.1.0', async (site) => {
    editConfig(site.dir, 'driver', { ...DRIVER, probationSeconds: 30 });
    const running = start(site, ['update']);
    await until(async () => (await site.must(['status'])).state === 'probation' && versionsOnDisk(site)[0] === '1.1.0');
    running.signal('SIGTERM');
    const { exit, stdout } = await running.ended;
    expect({ exit, code: JSON.parse(stdout).error.code }).toEqual({ exit: 5, code: 'INTERRUPTED' });
    expect(await site.must(['status'])).toMatchObject({ state: 'probation', current: { version: '1.0.0' } });
    const commit = async (): Promise<ReturnType<typeof brief>> => brief(await site.run(['commit']));
    let answer = await commit();
    // deferred for as long as the release has not answered its first question
    for (let tries = 0; tries < 100 && answer.outcome === 'deferred'; tries += 1) answer = await commit();
    expect(answer).toEqual({ exit: 0, outcome: 'installed', reason: undefined });
    expect((await site.must(['status'])).current).toMatchObject({ version: '1.1.0' });
    expectChain(receiptsOf(site));
  });
});

it('the daemon installs, keeps the workload running, and ends when asked while the workload lives on', async () => {
  await atSite(world, '1.1.0', async (site) => {
    editConfig(site.dir, 'pollSeconds', 1);
    const daemon = start(site, ['run']);
    await until(async () => (await site.must(['status'])).current?.version === '1.1.0');
    const { workload } = await site.must(['status']);
    process.kill(workload.pid, 'SIGKILL');
    await until(async () => {
      const now = (await site.must(['status'])).workload;
      return now.is === 'running' && now.pid !== workload.pid;
    });
    daemon.signal('SIGTERM');
    expect((await daemon.ended).exit).toBe(0);
    expect((await site.must(['status'])).workload.is).toBe('running');
  });
});

it('a broken site.yaml is 2 with line and column, and leaves everything alone', async () => {
  await atSite(world, '1.1.0', async (site) => {
    const good = readFileSync(site.config, 'utf8');
    writeFileSync(site.config, good.replace('stage: prod', 'stage: [prod'));
    const answer = await site.run(['update']);
    expect(brief(answer)).toEqual({ exit: 2, outcome: undefined, reason: 'CONFIG_INVALID' });
    expect(answer.json.error.message).toMatch(/site\.yaml, line \d+, column \d+: /);
    writeFileSync(site.config, good);
    await expectUntouched(site);
  });
});

it('a journal with a flipped byte is held (8); mended by hand it is held until a person has looked', async () => {
  await atSite(world, '1.1.0', async (site) => {
    const journal = path.join(site.state, 'journal');
    const bytes = readFileSync(journal);
    const at = bytes.indexOf('"admitted"') + 3;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(journal, bytes);
    expect(brief(await site.run(['update']))).toEqual({ exit: 8, outcome: 'held', reason: 'STATE_CORRUPT' });
    expect(readFileSync(journal)).toEqual(bytes);
    expect((await site.run(['doctor'])).exit).toBe(8);
    await site.run(['doctor', '--mend']);
    expect(brief(await site.run(['update']))).toEqual({ exit: 8, outcome: 'held', reason: 'STATE_CORRUPT' });
    await site.must(['unhold']);
    await expectInstalls(site);
  });
});

/** Only root may mount; a file system of our own is the only real full or read-only disk. */
function whyNoMount(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
  const dir = mkdtempSync('/tmp/sealane-mount-');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir], { stdio: 'ignore' });
    execFileSync('umount', [dir]);
    return undefined;
  } catch (error) {
    if (process.env['SEALANE_REQUIRE'] === 'all') throw error;
    return 'needs a root that may mount';
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const noMount = whyNoMount();

async function onDisk(sizeMiB: number, use: (site: TestSite) => Promise<void>): Promise<void> {
  const dir = path.join(world.dir, `disk-${sizeMiB}-${Math.random().toString(36).slice(2)}`);
  mkdirSync(dir);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m`, 'tmpfs', dir]);
  try {
    await atSiteIn(dir, world, '1.1.0', use);
  } finally {
    // the workload's log is open until it has ended
    execFileSync('umount', ['-l', dir]);
  }
}

describe.skipIf(noMount !== undefined)(`a disk of its own${noMount === undefined ? '' : ` (${noMount})`}`, () => {
  it('without room for the release beside the one that runs it is deferred (5) before anything is copied', async () => {
    await onDisk(24, async (site) => {
      const filler = path.join(site.dir, 'filler');
      writeFileSync(filler, new Uint8Array(10 * 1024 * 1024));
      expect(brief(await site.run(['update']))).toEqual({ exit: 5, outcome: 'deferred', reason: 'DISK_SHORT' });
      await expectUntouched(site);
      rmSync(filler);
      await expectInstalls(site);
    });
  });

  it('full to the last byte it says so (5), loses nothing, and installs when there is room again', async () => {
    await onDisk(24, async (site) => {
      const filler = path.join(site.dir, 'filler');
      expect(() => execFileSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k'], { stdio: 'ignore' })).toThrow();
      for (let tries = 0; tries < 2; tries += 1) expect(brief(await site.run(['update']))).toMatchObject({ exit: 5, reason: 'DISK_SHORT' });
      await expectUntouched(site);
      rmSync(filler);
      await expectInstalls(site);
    });
  });

  it('read-only it is 2 with the path, and what runs goes on', async () => {
    await onDisk(24, async (site) => {
      // a second view of the same folder: the disk itself cannot become read-only while the workload writes its log there
      const view = siteAt(`${site.dir}-view`);
      mkdirSync(view.dir);
      execFileSync('mount', ['--bind', site.dir, view.dir]);
      try {
        execFileSync('mount', ['-o', 'remount,bind,ro', view.dir]);
        const answer = await view.run(['update']);
        expect(brief(answer)).toEqual({ exit: 2, outcome: undefined, reason: 'STATE_UNWRITABLE' });
        expect(answer.json.error.message).toContain(view.state);
        expect((await view.must(['status'])).workload.is).toBe('running');
      } finally {
        execFileSync('umount', [view.dir]);
      }
      await expectUntouched(site);
      await expectInstalls(site);
    });
  });
});
