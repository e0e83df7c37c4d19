/** What to say when the machine's disk refuses: full, read-only or somebody else's. That is no fault of the program. */
import { ERRORS } from './error-table.js';
import { CoreError } from './errors.js';

const FULL: readonly unknown[] = ['ENOSPC', 'EDQUOT'];
const FAULTS: readonly unknown[] = [...FULL, 'EROFS', 'EACCES', 'EPERM', 'ENOTDIR'];
const CALLS: readonly unknown[] = [
  'lstat',
  'open',
  'write',
  'mkdir',
  'rename',
  'fsync',
  'unlink',
  'link',
  'symlink',
  'ftruncate',
  'copyfile',
  'chmod',
];

/** An error of Node's as `STATE_UNWRITABLE` with its next step, when it is a disk's refusal. `doing` says what was tried, with the file, where the message does not. */
export function diskRefusal(error: unknown, doing: string | undefined = triedOn(error)): CoreError | undefined {
  if (!(error instanceof Error) || !('code' in error && 'syscall' in error)) return undefined;
  if (error.code === 'EISDIR' && error.syscall === 'rename' && 'dest' in error) return folderInPlace(String(error.dest), error);
  if (error.code === 'EEXIST' && error.syscall === 'mkdir' && 'path' in error) return fileInPlace(String(error.path), error);
  if (!FAULTS.includes(error.code) || !CALLS.includes(error.syscall)) return undefined;
  const hint = FULL.includes(error.code) ? 'make room on that disk, then run the command again' : ERRORS.STATE_UNWRITABLE.hint;
  const message = doing === undefined ? error.message : `${doing}: ${error.message}`;
  return new CoreError('STATE_UNWRITABLE', message, {}, { cause: error, hint });
}

/** A file was to be written where a folder is. */
function folderInPlace(file: string, cause: Error): CoreError {
  const hint = 'name a file in that folder, or another file';
  return new CoreError('STATE_UNWRITABLE', `write ${file}: expected a file or nothing there, got a folder`, {}, { cause, hint });
}

/** A folder was to be made where a file is. */
function fileInPlace(folder: string, cause: Error): CoreError {
  const hint = 'name a folder, or one that is to be made';
  return new CoreError(
    'STATE_UNWRITABLE',
    `make the folder ${folder}: expected a folder or nothing there, got a file`,
    {},
    { cause, hint },
  );
}

function triedOn(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('path' in error) || typeof error.path !== 'string') return undefined;
  return error.message.includes(error.path) ? undefined : `write ${error.path}`;
}
