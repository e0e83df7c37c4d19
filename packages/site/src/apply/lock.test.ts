import { spawn } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { SiteError } from '@sealane/core';
import { expect, test } from 'vitest';
import { systemClock } from '../clock.js';
import { nodeDisk } from '../disk.js';
import { systemProcesses } from '../drivers/process-table.js';
import { sealed } from '../sealed-file.js';
import { withScratch } from '../testing/scratch.js';
import { takeLock } from './lock.js';

const world = { disk: nodeDisk, clock: systemClock, processes: systemProcesses, pid: process.pid };

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return error instanceof SiteError ? error.code : String(error);
  }
  return undefined;
}

test('is held by one, given back, and leaves nothing behind', async () => {
  await withScratch((folder) => {
    const file = path.join(folder, 'lock');
    const release = takeLock(world, file);
    expect(codeOf(() => takeLock({ ...world, pid: process.ppid }, file))).toBe('UPDATER_BUSY');
    expect(readdirSync(folder)).toEqual(['lock']);
    release();
    expect(readdirSync(folder)).toEqual([]);
    return Promise.resolve();
  });
});

test('is taken over from a process that is gone, from before a reboot, from another with the same id, and from half a write', async () => {
  await withScratch(async (folder) => {
    const file = path.join(folder, 'lock');
    const ended = spawn('true');
    await new Promise((resolve) => ended.once('exit', resolve));
    const startTime = systemProcesses.startTime(process.pid) ?? '';
    const bootId = systemClock.bootId();
    const stale = [
      sealed({ pid: ended.pid ?? 0, startTime: '1', bootId }),
      sealed({ pid: process.pid, startTime, bootId: 'before' }),
      sealed({ pid: process.pid, startTime: 'another', bootId }),
      sealed({ pid: process.pid, startTime, bootId }).slice(0, 20),
      new Uint8Array(),
    ];
    for (const bytes of stale) {
      writeFileSync(file, bytes);
      takeLock(world, file)();
      expect(existsSync(file)).toBe(false);
    }
  });
});

test('is not taken from a living process', async () => {
  await withScratch((folder) => {
    const file = path.join(folder, 'lock');
    writeFileSync(
      file,
      sealed({ pid: process.ppid, startTime: systemProcesses.startTime(process.ppid) ?? '', bootId: systemClock.bootId() }),
    );
    expect(codeOf(() => takeLock(world, file))).toBe('UPDATER_BUSY');
    expect(existsSync(file)).toBe(true);
    return Promise.resolve();
  });
});
