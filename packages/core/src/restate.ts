/** One code for many ways to be malformed: a reader's callers branch on the reader's own code, the cause keeps the detail. */
import type { ErrorCode } from './error-table.js';
import { CoreError, SealaneError } from './errors.js';

/**
 * Runs `read`; an expected failure comes out under `code`, with `message` (or the failure's own, or what a function makes of that)
 * and the failure as its cause.
 * A fault of the program passes unchanged.
 */
export function restate<T>(code: ErrorCode, read: () => T, message?: string | ((why: string) => string)): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    throw new CoreError(code, typeof message === 'function' ? message(cause.message) : (message ?? cause.message), cause.data, { cause });
  }
}
