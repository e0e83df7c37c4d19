import { parseDigest } from '@sealane/core';
import { expect, test } from 'vitest';
import { FakeClock } from '../testing/fake-clock.js';
import { MemoryDisk } from '../testing/memory-disk.js';
import type { RunCommand, RunOptions } from './run-to-end.js';
import type { UnitCommand, Units } from './systemd-shell.js';
import { statusFrom, unitDriver } from './unit.js';

const talk = (): void => undefined;
const release = parseDigest(`sha256:${'ab'.repeat(32)}`);
const slot = { release, name: 'readings', version: '1.0.0', folder: '/state/releases/ab' };
const config = {
  site: 'harbour-7',
  start: ['node', 'main.mjs'],
  stop: undefined,
  env: { PASSWORD: 'secret' },
  stopGraceSeconds: 5,
  properties: ['User=www-data'],
  strays: 'report' as const,
};

/** Remembers what was asked; a unit that was started runs. */
function fakeUnits(): Units & {
  readonly started: [string, UnitCommand][];
  readonly ran: RunOptions[];
  readonly run: RunCommand;
  running: boolean;
  text: string;
} {
  const units = {
    started: [] as [string, UnitCommand][],
    ran: [] as (RunOptions & { readonly argv: readonly string[] })[],
    run: (argv: readonly string[], options: RunOptions) => {
      units.ran.push({ ...options, argv });
      return Promise.resolve({ code: 0, stdout: '', stderr: '' });
    },
    running: false,
    start: (name: string, command: UnitCommand) => {
      units.started.push([name, command]);
      units.running = true;
      return Promise.resolve();
    },
    kill: () => Promise.resolve(),
    like: () => Promise.resolve([]),
    reload: () => Promise.resolve(),
    begin: () => Promise.resolve(),
    definition: () => Promise.resolve(units.text),
    revert: () => {
      units.text = '[Service]';
      return Promise.resolve();
    },
    text: '[Service]',
    pipe: () => {
      throw new Error('nobody asks');
    },
    show: () =>
      Promise.resolve(
        units.running
          ? { LoadState: 'loaded', ActiveState: 'active', SubState: 'running', MainPID: '42' }
          : { LoadState: 'not-found', ActiveState: 'inactive' },
      ),
    stop: () => {
      units.running = false;
      return Promise.resolve();
    },
  };
  return units;
}

test('starts a unit of one name per site with the properties of the site, and knows it again as another process', async () => {
  const [disk, clock, units] = [new MemoryDisk(), new FakeClock(), fakeUnits()];
  await unitDriver(config, { disk, clock, units, run: units.run, stateFolder: '/state', talk }).start(slot);
  const [[name, command] = ['', undefined]] = units.started;
  expect(name).toBe('sealane-workload-harbour-7.service');
  expect(command).toMatchObject({ argv: config.start, cwd: slot.folder, env: { PASSWORD: 'secret', SEALANE_RELEASE: release } });
  expect(command?.properties).toEqual(expect.arrayContaining(['User=www-data', 'TimeoutStopSec=5']));
  const again = unitDriver(config, { disk, clock, units, run: units.run, stateFolder: '/state', talk });
  expect(await again.status()).toEqual({ is: 'running', release, pid: 42 });
  await again.stop();
  expect(await again.status()).toEqual({ is: 'none' });
});

test('writes the release down before systemd is asked: a start that never came shows as one that ended', async () => {
  const [disk, clock, units] = [new MemoryDisk(), new FakeClock(), fakeUnits()];
  const driver = unitDriver(config, {
    disk,
    clock,
    units: { ...units, start: () => Promise.reject(new Error('killed here')) },
    run: units.run,
    stateFolder: '/state',
    talk,
  });
  await expect(driver.start(slot)).rejects.toThrow('killed here');
  expect(await driver.status()).toEqual({ is: 'ended', release, how: 'it is gone' });
});

test('after a reboot nothing of it runs, and its stop command is not called', async () => {
  const [disk, clock, units] = [new MemoryDisk(), new FakeClock(), fakeUnits()];
  const driver = unitDriver({ ...config, stop: ['stop-it'] }, { disk, clock, units, run: units.run, stateFolder: '/state', talk });
  await driver.start(slot);
  clock.boot = 'boot-2';
  units.running = false;
  expect(await driver.status()).toMatchObject({ is: 'ended', how: 'the host was restarted' });
  await driver.stop();
  expect(units.ran).toEqual([]);
});

test('calls the stop command of the site before the unit is stopped', async () => {
  const [disk, clock, units] = [new MemoryDisk(), new FakeClock(), fakeUnits()];
  const driver = unitDriver({ ...config, stop: ['stop-it'] }, { disk, clock, units, run: units.run, stateFolder: '/state', talk });
  await driver.start(slot);
  expect(units.started[0]?.[1].properties).toContain('RemainAfterExit=yes');
  await driver.stop();
  expect(units.ran).toMatchObject([{ argv: ['stop-it'], env: { SEALANE_RELEASE: release } }]);
});

test('a stop command that fails is told, and what it left ends with the unit', async () => {
  const [disk, clock, units] = [new MemoryDisk(), new FakeClock(), fakeUnits()];
  const run: RunCommand = () => Promise.resolve({ code: 3, stdout: '', stderr: '' });
  const lines: string[] = [];
  const world = { disk, clock, units, run, stateFolder: '/state', talk: (line: string) => void lines.push(line) };
  const driver = unitDriver({ ...config, stop: ['stop-it'] }, world);
  await driver.start(slot);
  await driver.stop();
  expect(lines).toEqual(['stop the workload with stop-it: expected exit 0, got 3']);
  expect(await driver.status()).toEqual({ is: 'none' });
});

test.each([
  [{ ActiveState: 'active', SubState: 'running', MainPID: '7' }, 'running'],
  [{ ActiveState: 'active', SubState: 'exited', MainPID: '0' }, 'handed-over'],
  [{ ActiveState: 'activating', SubState: 'start', MainPID: '7' }, 'ended'],
  [{ ActiveState: 'deactivating', SubState: 'stop-sigterm', MainPID: '7' }, 'ended'],
  [{ ActiveState: 'failed', Result: 'oom-kill', ExecMainStatus: '9' }, 'ended'],
  [{ LoadState: 'not-found', ActiveState: 'inactive' }, 'ended'],
  [{}, 'ended'],
])('%j is %s', (facts, is) => {
  expect(statusFrom(facts, release).is).toBe(is);
});

test('a unit that somebody changed is reported, or started again as it was', async () => {
  const [disk, clock, units] = [new MemoryDisk(), new FakeClock(), fakeUnits()];
  const world = { disk, clock, units, run: units.run, stateFolder: '/state', talk };
  await unitDriver(config, world).start(slot);
  expect(await unitDriver(config, world).strays?.([slot])).toEqual([]);
  units.text += '# /etc/systemd/system/sealane-workload-harbour-7.service.d/x.conf';
  expect(await unitDriver(config, world).strays?.([slot])).toMatchObject([{ how: 'was changed', did: 'reported' }]);
  expect(units.started).toHaveLength(1);
  expect(await unitDriver({ ...config, strays: 'stop' }, world).strays?.([slot])).toMatchObject([{ did: 'put back' }]);
  expect(units.started).toHaveLength(2);
  expect(await unitDriver(config, world).strays?.([slot])).toEqual([]);
});
