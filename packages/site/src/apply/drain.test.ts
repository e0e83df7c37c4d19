import { type Check, digestFromHex } from '@sealane/core';
import { expect, test } from 'vitest';
import type { WorkloadStatus } from '../drivers/driver.js';
import { stateFolder } from '../state-folder.js';
import { MemoryDisk } from '../testing/memory-disk.js';
import { followDrain } from './drain.js';
import { openMachine } from './machine.js';
import { INITIAL_STATE, type SiteState } from './state.js';

const folder = stateFolder('/state');
const release = digestFromHex('a'.repeat(64));
const check = (verdict: Check['verdict']): Check => ({
  id: 'drain',
  verdict,
  expected: 'a site that is not drained',
  actual: 'the crane is rebuilt',
  remedy: '',
  evidence: [],
});

/** A site whose workload is so until it is stopped; `says` is what the channel says of it, again and again. */
async function followed(
  status: WorkloadStatus,
  says: readonly Check['verdict'][],
  before: Partial<SiteState> = {},
): Promise<{ readonly stops: number; readonly drained: string | null }> {
  const disk = new MemoryDisk();
  const machine = openMachine(disk, folder.journal);
  machine.record({ is: 'snapshot', state: { ...INITIAL_STATE, ...before } });
  let [now, stops] = [status, 0];
  const driver = {
    images: 'unpacked' as const,
    start: () => Promise.reject(new Error('nothing starts it')),
    stop: () => {
      [now, stops] = [{ is: 'none' }, stops + 1];
      return Promise.resolve();
    },
    status: () => Promise.resolve(now),
  };
  const site = { driver, folder, world: { disk, talk: () => undefined } } as unknown as Parameters<typeof followDrain>[0];
  for (const verdict of says)
    await followDrain(site, machine, { checks: [check(verdict)] } as unknown as Parameters<typeof followDrain>[2]);
  return { stops, drained: openMachine(disk, folder.journal).state().drained };
}

test.each<WorkloadStatus>([
  { is: 'running', release, pid: 7 },
  { is: 'handed-over', release },
  { is: 'restarting', release, how: 'container app is between two lives' },
  // of several containers one has ended, and the others run
  { is: 'ended', release, how: 'container app exited with 1' },
])('a drained site stops a workload that is $is, once', async (status) => {
  expect(await followed(status, ['fail', 'fail'])).toEqual({ stops: 1, drained: 'the crane is rebuilt' });
});

test('nothing is stopped where nothing was started, and where the channel drains nobody', async () => {
  expect(await followed({ is: 'none' }, ['fail'])).toEqual({ stops: 0, drained: 'the crane is rebuilt' });
  expect(await followed({ is: 'running', release, pid: 7 }, ['pass'])).toEqual({ stops: 0, drained: null });
});

test('a site that waits for a person is drained, and rejoins, as any other', async () => {
  const held: Partial<SiteState> = { phase: { at: 'held', code: 'ONE_WAY_FAILED', message: 'bmc: exit 3', target: null } };
  expect(await followed({ is: 'running', release, pid: 7 }, ['fail'], held)).toEqual({ stops: 1, drained: 'the crane is rebuilt' });
  expect(await followed({ is: 'running', release, pid: 7 }, ['fail', 'pass'], held)).toEqual({ stops: 1, drained: null });
});
