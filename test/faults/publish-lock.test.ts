/** The publish lock: a holder that lives keeps it, one that was killed does not, whatever process has its number now. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { openPublishLock, withPublishLock } from '@sealane/ledger';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ROOT } from '../support/run.js';

const HOLDER = path.join(ROOT, 'test', 'support', 'hold-lock.mjs');
/** A process that is number 1 of a space of its own. */
const APART = ['unshare', '--fork', '--pid', '--kill-child=SIGKILL'] as const;

/** Whether this machine lets us make one: mostly root may. With `SEALANE_REQUIRE=all` a machine that does not is an error. */
function canSetApart(): boolean {
  const [unshare, ...words] = APART;
  const { status, stderr, error } = spawnSync(unshare, [...words, 'true'], { encoding: 'utf8' });
  if (status !== 0 && process.env['SEALANE_REQUIRE'] === 'all')
    throw new Error(`make a process namespace: expected unshare to work, got ${error?.message ?? stderr}`);
  return status === 0;
}

let dir: string;
let lock: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-lock-'));
  lock = path.join(dir, 'publish.lock');
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

interface Holder {
  /** Resolves with the number that the holder has for itself, when it has the lock. */
  readonly held: Promise<number>;
  kill(): Promise<void>;
}

function hold(before: readonly string[] = []): Holder {
  const [file, ...words] = [...before, process.execPath, HOLDER, lock];
  const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const held = once(createInterface({ input: child.stdout }), 'line').then(([line]) => (JSON.parse(line as string) as { pid: number }).pid);
  const ended = once(child, 'exit');
  return {
    held,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const taken = (waitMs: number): Promise<string> => withPublishLock({ file: lock }, () => Promise.resolve('mine'), { waitMs });

it('a live holder keeps it, in this process and in another; a killed one does not', async () => {
  await withPublishLock({ file: lock }, async () => {
    await expect(taken(50)).rejects.toMatchObject({ code: 'LOCK_BUSY' });
  });
  const holder = hold();
  await holder.held;
  await expect(taken(200)).rejects.toMatchObject({ code: 'LOCK_BUSY' });
  await holder.kill();
  expect(await taken(5_000)).toBe('mine');
});

it('who takes it again and again gives way to another process that waits, and goes on at once where none does', async () => {
  const locks = await openPublishLock({ file: lock });
  const isBusy = (): Promise<boolean> =>
    locks
      .hold(() => Promise.resolve(false), 0)
      .catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'LOCK_BUSY' });
        return true;
      });
  expect(await isBusy()).toBe(false);
  const timer = new Promise((resolve) => setTimeout(resolve, 0, 'paused'));
  expect(await Promise.race([locks.giveWay().then(() => 'went on'), timer])).toBe('went on');
  rmSync(`${lock}.waiting`, { force: true });
  const other = await locks.hold(async () => {
    const waiting = hold();
    await vi.waitFor(() => expect(existsSync(`${lock}.waiting`)).toBe(true), 20_000);
    return waiting;
  });
  let isOthers = false;
  for (let turn = 0; turn < 20 && !isOthers; turn += 1) {
    await locks.giveWay();
    isOthers = await isBusy();
  }
  expect(isOthers).toBe(true);
  await other.held;
  await other.kill();
  expect(await isBusy()).toBe(false);
});

it.skipIf(!canSetApart())(
  'two holders of one process number exclude each other, and the second takes over from the first when that is killed (skipped where no process namespace can be made)',
  async () => {
    const first = hold(APART);
    expect(await first.held).toBe(1);
    const second = hold(APART);
    let hasIt = false;
    void second.held.then(() => (hasIt = true));
    await expect(taken(500)).rejects.toMatchObject({ code: 'LOCK_BUSY' });
    expect(hasIt).toBe(false);
    await first.kill();
    expect(await second.held).toBe(1);
    await expect(taken(100)).rejects.toMatchObject({ code: 'LOCK_BUSY' });
    await second.kill();
    expect(await taken(5_000)).toBe('mine');
  },
);
