import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { digestFromHex } from '@sealane/core';
import { expect, test } from 'vitest';
import { keepRendered, renderedFile } from '../apply/rendered.js';
import { systemClock } from '../clock.js';
import { nodeDisk } from '../disk.js';
import { stateFolder } from '../state-folder.js';
import { withScratch } from '../testing/scratch.js';
import type { Driver, SlotOnDisk } from './driver.js';
import { filesDriver, type FilesDriverConfig } from './files.js';
import { runToEnd } from './run-to-end.js';
import { systemProcesses } from './process-table.js';
import { cutWorkloadLog } from './workload-log.js';

const release = digestFromHex('a'.repeat(64));
const never = new AbortController().signal;

function place(
  folder: string,
  config: Partial<FilesDriverConfig>,
): { driver: Driver; again: () => Driver; slot: SlotOnDisk; said: string[] } {
  const said: string[] = [];
  const slot: SlotOnDisk = { release, name: 'svc', version: '1.0.0', folder: path.join(folder, 'releases', 'a') };
  mkdirSync(slot.folder, { recursive: true });
  const world = {
    disk: nodeDisk,
    clock: systemClock,
    processes: systemProcesses,
    signal: never,
    hostEnv: { PATH: process.env['PATH'] },
    stateFolder: folder,
    run: runToEnd,
    serveImages: () => Promise.reject(new Error('nobody asks')),
    talk: (line: string) => void said.push(line),
  };
  const make = (): Driver => filesDriver({ start: ['sleep', '60'], stop: undefined, env: {}, stopGraceSeconds: 1, ...config }, world);
  return { driver: make(), again: make, slot, said };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200 && !(await condition()); tries += 1) await systemClock.sleep(20, never);
  expect(await condition()).toBe(true);
}

test('starts the command in its slot with the release in its environment, and logs what it says', async () => {
  await withScratch(async (folder) => {
    const { driver, slot } = place(folder, {
      start: ['sh', '-c', 'pwd > seen; echo "$SEALANE_RELEASE $SEALANE_VERSION $GREETING" >> seen; echo hello; exec sleep 60'],
      env: { GREETING: 'hi' },
    });
    await driver.start(slot);
    await until(() => existsSync(path.join(slot.folder, 'seen')) && readFileSync(path.join(slot.folder, 'seen'), 'utf8').includes('hi'));
    expect(readFileSync(path.join(slot.folder, 'seen'), 'utf8')).toBe(`${slot.folder}\n${release} 1.0.0 hi\n`);
    await until(() => readFileSync(path.join(folder, 'logs', 'workload.log'), 'utf8').includes('hello'));
    await driver.stop();
    expect(await driver.status()).toEqual({ is: 'none' });
  });
});

test('cuts the log of a workload that says too much and runs on; what it said last is kept beside it', async () => {
  await withScratch(async (folder) => {
    const { driver, slot } = place(folder, {
      start: ['sh', '-c', 'yes 0123456789 | head -c 9000000; echo last; until test -e go; do sleep 0.02; done; echo more; exec sleep 60'],
    });
    const log = path.join(folder, 'logs', 'workload.log');
    await driver.start(slot);
    await until(() => readFileSync(log, 'utf8').endsWith('last\n'));
    cutWorkloadLog({ disk: nodeDisk, stateFolder: folder });
    expect(readFileSync(log, 'utf8')).toBe('');
    const kept = readFileSync(`${log}.1`, 'utf8');
    expect([kept.length, kept.slice(-5)]).toEqual([8 * 1024 * 1024, 'last\n']);
    writeFileSync(path.join(slot.folder, 'go'), '');
    await until(() => readFileSync(log, 'utf8') === 'more\n');
    // one that is not too large is left alone
    cutWorkloadLog({ disk: nodeDisk, stateFolder: folder });
    expect(readFileSync(log, 'utf8')).toBe('more\n');
    await driver.stop();
  });
});

test('finds and stops a workload that another process started, with all its children', async () => {
  await withScratch(async (folder) => {
    const { driver, again, slot } = place(folder, { start: ['sh', '-c', 'sleep 60 & sleep 60 & wait'] });
    await driver.start(slot);
    const status = await again().status();
    if (status.is !== 'running') throw new Error('not running');
    await until(() => systemProcesses.groupMembers(status.pid).length === 3);
    await again().stop();
    expect(systemProcesses.groupMembers(status.pid)).toEqual([]);
  });
});

test.skipIf(process.platform !== 'linux')(
  'what it cannot write down does not run, and nobody is left waiting for its word (skipped without Linux)',
  async () => {
    await withScratch(async (folder) => {
      const { driver, slot } = place(folder, { start: ['sh', '-c', 'touch ran; exec sleep 60'] });
      // a folder that is not empty cannot be replaced by the record
      mkdirSync(path.join(folder, 'run', 'workload.json', 'in-the-way'), { recursive: true });
      await expect(driver.start(slot)).rejects.toThrow('rename');
      await until(() => processesIn(slot.folder).length === 0);
      expect(existsSync(path.join(slot.folder, 'ran'))).toBe(false);
    });
  },
);

/** Ids of the processes whose working folder this is. */
function processesIn(folder: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === folder;
    } catch (error) {
      // no process, or one that ended while it was looked at
      if (error instanceof Error && 'code' in error) return false;
      throw error;
    }
  });
}

test('kills what does not listen to SIGTERM after the grace', async () => {
  await withScratch(async (folder) => {
    const { driver, slot } = place(folder, {
      start: ['sh', '-c', 'trap "" TERM; touch ready; while :; do sleep 0.1; done'],
      stopGraceSeconds: 0.2,
    });
    await driver.start(slot);
    await until(() => existsSync(path.join(slot.folder, 'ready')));
    await driver.stop();
    expect(await driver.status()).toEqual({ is: 'none' });
  });
});

/** Waits without giving Node a turn: the kernel knows that the process has ended, and nothing has collected its exit code. */
function seeEndedAtOnce({ pid }: { readonly pid: number }): void {
  const giveUpAt = Date.now() + 5000;
  while (systemProcesses.startTime(pid) !== undefined && Date.now() < giveUpAt);
  expect(systemProcesses.startTime(pid)).toBeUndefined();
}

async function runningPid(driver: Driver): Promise<{ readonly pid: number }> {
  const status = await driver.status();
  if (status.is !== 'running') throw new Error(`expected a running workload, got ${status.is}`);
  return status;
}

test('says how a workload ended, in the very moment in which it ends', async () => {
  await withScratch(async (folder) => {
    const { driver, again, slot } = place(folder, { start: ['sh', '-c', 'sleep 0.1; exit 3'] });
    await driver.start(slot);
    seeEndedAtOnce(await runningPid(driver));
    expect(await driver.status()).toMatchObject({ is: 'ended', release, how: 'it exited with 3' });
    expect(await again().status()).toMatchObject({ is: 'ended', how: 'it is gone' });
    await driver.stop();
  });
});

test('takes a start command for handed over in the very moment in which it ends with 0', async () => {
  await withScratch(async (folder) => {
    const { driver, slot } = place(folder, { start: ['sleep', '0.1'], stop: ['true'] });
    await driver.start(slot);
    seeEndedAtOnce(await runningPid(driver));
    expect(await driver.status()).toEqual({ is: 'handed-over', release });
    await driver.stop();
  });
});

test('takes a start command that ends with 0 for handed over only where a stop is configured, which then is run', async () => {
  await withScratch(async (folder) => {
    const with0 = { start: ['true'], stop: ['sh', '-c', 'echo "$SEALANE_RELEASE" > stopped'] };
    const { driver, again, slot } = place(folder, with0);
    await driver.start(slot);
    await until(async () => (await driver.status()).is === 'handed-over');
    expect(await again().status()).toEqual({ is: 'handed-over', release });
    await again().stop();
    expect(readFileSync(path.join(folder, 'stopped'), 'utf8').trim()).toBe(release);
    const plain = place(folder, { start: ['true'] });
    await plain.driver.start(slot);
    await until(async () => (await plain.driver.status()).is === 'ended');
    await plain.driver.stop();
  });
});

test('a workload that was handed over and whose stop fails is not forgotten, and nothing takes it for stopped', async () => {
  await withScratch(async (folder) => {
    const stop = ['sh', '-c', 'test -f may-stop || exit 3'];
    const { driver, again, slot } = place(folder, { start: ['sh', '-c', 'exit 0'], stop });
    await driver.start(slot);
    await until(async () => (await driver.status()).is === 'handed-over');
    await expect(again().stop()).rejects.toMatchObject({
      code: 'HEALTH_FAILED',
      message: 'stop the workload with sh -c test -f may-stop || exit 3: expected exit 0, got 3',
    });
    expect(await again().status()).toEqual({ is: 'handed-over', release });
    writeFileSync(path.join(folder, 'may-stop'), '');
    await again().stop();
    expect(await driver.status()).toEqual({ is: 'none' });
  });
});

test('a workload of our own ends though its stop fails, which is said', async () => {
  await withScratch(async (folder) => {
    const { driver, slot, said } = place(folder, { stop: ['sh', '-c', 'exit 3'], stopGraceSeconds: 0.2 });
    await driver.start(slot);
    const status = await driver.status();
    await driver.stop();
    expect(said).toEqual(['stop the workload with sh -c exit 3: expected exit 0, got 3']);
    expect(status.is === 'running' && systemProcesses.startTime(status.pid)).toBe(undefined);
    expect(await driver.status()).toEqual({ is: 'none' });
  });
});

test('never touches a process that got the id of a workload that is gone', async () => {
  await withScratch(async (folder) => {
    const { driver, slot } = place(folder, { start: ['true'] });
    await driver.start(slot);
    await until(async () => (await driver.status()).is === 'ended');
    const stranger: ChildProcess = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    const record = path.join(folder, 'run', 'workload.json');
    const { sealed } = await import('../sealed-file.js');
    writeFileSync(
      record,
      sealed({ pid: stranger.pid ?? 0, startTime: 'another', bootId: systemClock.bootId(), release, handedOver: false }),
    );
    await driver.stop();
    expect(systemProcesses.startTime(stranger.pid ?? 0)).toBeDefined();
    stranger.kill('SIGKILL');
  });
});

test('fails to start with a code when the slot is not there', async () => {
  await withScratch(async (folder) => {
    const { driver, slot } = place(folder, {});
    await expect(driver.start({ ...slot, folder: path.join(folder, 'nowhere') })).rejects.toMatchObject({ code: 'HEALTH_FAILED' });
    expect(await driver.status()).toEqual({ is: 'none' });
  });
});

test('the gate runs nothing when the one who started it dies before the process is recorded', async () => {
  await withScratch(async (folder) => {
    const gate = /const GATE = '(.*)';/.exec(readFileSync(new URL('./files.ts', import.meta.url), 'utf8'))?.[1] ?? '';
    const child = spawn('/bin/sh', ['-c', gate, 'x', 'touch', path.join(folder, 'ran')], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    const pipe = child.stdio[3];
    if (pipe && 'destroy' in pipe) pipe.destroy();
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect(code).toBe(125);
    expect(existsSync(path.join(folder, 'ran'))).toBe(false);
  });
});

test('gives the variables of the release under names of their own, and refuses values that are not those that were rendered', async () => {
  await withScratch(async (folder) => {
    const { driver, slot } = place(folder, {
      start: ['sh', '-c', 'echo "$SEALANE_VAR_MODE $SEALANE_VAR_PATH" > seen; cat "$SEALANE_VARIABLES" >> seen; exec sleep 60'],
    });
    const state = stateFolder(folder);
    const variables = renderedFile(state, keepRendered(nodeDisk, state, { MODE: 'fast', PATH: '/nowhere' }));
    await driver.start({ ...slot, variables });
    const seen = path.join(slot.folder, 'seen');
    await until(() => existsSync(seen) && readFileSync(seen, 'utf8').includes('}'));
    expect(readFileSync(seen, 'utf8')).toBe('fast /nowhere\n{"MODE":"fast","PATH":"/nowhere"}');
    await driver.stop();
    writeFileSync(variables, '{"MODE":"slow"}');
    await expect(driver.start({ ...slot, variables })).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
    expect(await driver.status()).toEqual({ is: 'none' });
  });
});
