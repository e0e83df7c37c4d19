/** What a workload and the commands about it say: `logs/workload.log` in the state folder, begun anew or cut once it is large. */
import { openSync } from 'node:fs';
import path from 'node:path';
import type { DriverWorld, SlotOnDisk } from './driver.js';

/** A log that is larger is begun anew at a start, and cut at an update: one file of the same size is kept beside it. */
const MAX_LOG_BYTES = 8 * 1024 * 1024;

/** Opens the log with a line that says which release is meant; the caller closes the descriptor. */
export function openWorkloadLog(world: Pick<DriverWorld, 'disk' | 'stateFolder'>, slot: SlotOnDisk): number {
  return openSync(prepareWorkloadLog(world, slot), 'a', 0o640);
}

/** The log's file, begun anew when it has grown, with a line that says who writes from here on. */
export function prepareWorkloadLog(
  { disk, stateFolder }: Pick<DriverWorld, 'disk' | 'stateFolder'>,
  { name, version, release }: SlotOnDisk,
): string {
  const folder = path.join(stateFolder, 'logs');
  disk.makeFolder(folder, 0o750);
  const file = path.join(folder, 'workload.log');
  if (disk.kind(file) === 'file' && disk.sizeBytes(file) > MAX_LOG_BYTES) disk.rename(file, `${file}.1`);
  disk.appendSynced(file, new TextEncoder().encode(`--- ${name} ${version} ${release}\n`));
  return file;
}

/**
 * Cuts a log that has grown too large while its workload runs, which may be for years; what was said last is kept beside it. Whoever says something has the file
 * open to append to it: it is emptied where it lies. First of all, since it may be what has filled the disk; what is said in between is lost.
 */
export function cutWorkloadLog({ disk, stateFolder }: Pick<DriverWorld, 'disk' | 'stateFolder'>): void {
  const file = path.join(stateFolder, 'logs', 'workload.log');
  if (disk.kind(file) !== 'file' || disk.sizeBytes(file) <= MAX_LOG_BYTES) return;
  const last = disk.readEnd(file, MAX_LOG_BYTES) ?? new Uint8Array();
  disk.truncateSynced(file, 0);
  disk.writeSynced(`${file}.1`, last, 0o600);
}
