/** What a reader refuses in a file that the user named, told about that file. */
import { PromoterError, SealaneError } from '@sealane/core';

/**
 * Takes in what a file holds that the user named.
 *
 * @throws PromoterError of the reader's own code: which file it is, and `hint` instead of a next step that is about files of a lane
 */
export function readAs<T>(file: string, hint: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    const message = cause.message.includes(file) ? cause.message : `read ${file}: ${cause.message}`;
    throw new PromoterError(cause.code, message, cause.data, { cause, hint: cause.hint ?? hint });
  }
}
