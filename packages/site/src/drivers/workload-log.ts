/** What a workload and the commands about it say: `logs/workload.log` in the state folder, begun anew once it is large. */
import { openSync } from 'node:fs';
import path from 'node:path';
import type { DriverWorld, SlotOnDisk } from './driver.js';

/** A log is begun anew at a start once it is larger: one file of the same size is kept beside it. */
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
