/** One updater at a time. A lock whose holder is gone (killed, power cut) is taken over; one that is held is an error, not a wait. */
import { linkSync } from 'node:fs';
import path from 'node:path';
import { SiteError } from '@sealane/core';
import type { Clock } from '../clock.js';
import { type Disk, isNodeError } from '../disk.js';
import type { ProcessTable } from '../drivers/process-table.js';
import { readSealed, sealed } from '../sealed-file.js';

/** What taking a lock looks at. `pid` is this process. */
export interface LockWorld {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly processes: ProcessTable;
  readonly pid: number;
}

/** Tries against others that take over the same stale lock at the same moment. */
const MAX_TRIES = 8;

/**
 * Takes the lock; the answer gives it back.
 *
 * @throws SiteError `UPDATER_BUSY` another living process holds it; `data.pid`
 */
export function takeLock(world: LockWorld, file: string): () => void {
  const { disk, clock, processes, pid } = world;
  const own = `${file}.${pid}`;
  disk.remove(own);
  disk.writeSynced(own, sealed({ pid, startTime: processes.startTime(pid) ?? '', bootId: clock.bootId() }), 0o600);
  try {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      if (tryLink(own, file)) return () => disk.remove(file);
      const holder = holderOf(world, file);
      if (holder !== undefined) throw busy(file, holder);
      setAside(world, file);
    }
  } finally {
    disk.remove(own);
  }
  throw busy(file, 0);
}

/** Making a hard link is one step, and fails when the name is taken. */
function tryLink(own: string, file: string): boolean {
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if (isNodeError(error, 'EEXIST')) return false;
    throw error;
  }
}

/** The living holder's process id; undefined when the lock is stale. */
function holderOf({ disk, clock, processes }: LockWorld, file: string): number | undefined {
  let holder: ReturnType<typeof readSealed>;
  try {
    holder = readSealed(disk, file);
  } catch (error) {
    // half written by a power cut: whoever wrote it is gone
    if (error instanceof SiteError && error.code === 'STATE_CORRUPT') return undefined;
    throw error;
  }
  const { pid, startTime, bootId } = holder ?? {};
  if (typeof pid !== 'number' || bootId !== clock.bootId()) return undefined;
  return processes.startTime(pid) === startTime ? pid : undefined;
}

/**
 * Moves a stale lock out of the way. Another process may have done so and taken the lock between our look and our move: then it is
 * a living lock that was moved, and it is put back.
 */
function setAside(world: LockWorld, file: string): void {
  const aside = `${file}.stale.${world.pid}`;
  try {
    world.disk.rename(file, aside);
  } catch (error) {
    // somebody else moved it first
    if (isNodeError(error, 'ENOENT')) return;
    throw error;
  }
  if (holderOf(world, aside) !== undefined) tryLink(aside, file);
  world.disk.remove(aside);
}

function busy(file: string, pid: number): SiteError {
  return new SiteError('UPDATER_BUSY', `lock ${path.dirname(file)}: expected no other updater, process ${pid} is changing this site`, {
    pid,
  });
}
