/** What to say when the machine's disk refuses: full, read-only or somebody else's. That is no fault of the program. */
import { ERRORS } from './error-table.js';
import { CoreError } from './errors.js';

const FULL: readonly unknown[] = ['ENOSPC', 'EDQUOT'];
const FAULTS: readonly unknown[] = [...FULL, 'EROFS', 'EACCES', 'EPERM', 'ENOTDIR'];

/** What was being done, by the system call that was refused. */
const CALLS: ReadonlyMap<unknown, string> = new Map([
  ['lstat', 'look for'],
  ['open', 'open'],
  ['write', 'write'],
  ['mkdir', 'make the folder'],
  ['rename', 'rename'],
  ['fsync', 'flush'],
  ['unlink', 'remove'],
  ['link', 'give another name to'],
  ['symlink', 'make the link'],
  ['ftruncate', 'cut'],
  ['copyfile', 'copy'],
  ['chmod', 'set the mode of'],
]);

/** An error of Node's as `STATE_UNWRITABLE` with its next step, when it is a disk's refusal. `doing` says what was tried, with the file; else it is what the system was asked. */
export function diskRefusal(error: unknown, doing?: string): CoreError | undefined {
  if (!(error instanceof Error) || !('code' in error && 'syscall' in error)) return undefined;
  if (error.code === 'EISDIR' && error.syscall === 'rename' && 'dest' in error) return folderInPlace(String(error.dest), error);
  if (error.code === 'EEXIST' && error.syscall === 'mkdir' && 'path' in error) return fileInPlace(String(error.path), error);
  const call = CALLS.get(error.syscall);
  if (!FAULTS.includes(error.code) || call === undefined) return undefined;
  const hint = FULL.includes(error.code) ? 'make room on that disk, then run the command again' : ERRORS.STATE_UNWRITABLE.hint;
  const on = 'path' in error && typeof error.path === 'string' ? error.path : 'a file';
  // Node's words end in the call and its path
  const why = error.message.split(`, ${String(error.syscall)}`, 1)[0] ?? '';
  return new CoreError(
    'STATE_UNWRITABLE',
    `${doing ?? `${call} ${on}`}: expected the disk to let it, got ${why}`,
    {},
    { cause: error, hint },
  );
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
