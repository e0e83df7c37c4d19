/** Files of a copy that somebody else made: a pipe, or a device that never ends, is opened by nobody who waits for its bytes. */
import { type BigIntStats, closeSync, constants, fstatSync, openSync } from 'node:fs';

/** Hands a file to `read`, open; undefined where something else is there: a folder, a pipe, a socket, a device, a link that leads to itself. @throws as `openSync` where nothing is */
export function withRegularFile<T>(file: string, read: (handle: number, stat: BigIntStats) => T): T | undefined {
  const handle = openAtOnce(file);
  if (handle === undefined) return undefined;
  try {
    const stat = fstatSync(handle, { bigint: true });
    return stat.isFile() ? read(handle, stat) : undefined;
  } finally {
    closeSync(handle);
  }
}

function openAtOnce(file: string): number | undefined {
  try {
    // a pipe opens at once with it, and of a regular file it changes nothing
    return openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    // a socket; a link to itself: no file
    if (error instanceof Error && 'code' in error && (error.code === 'ENXIO' || error.code === 'ELOOP')) return undefined;
    throw error;
  }
}
