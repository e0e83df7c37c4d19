/** What a call refuses with: the code of its error, or undefined when it returns. Other faults pass through, and fail the test. */
import { type ErrorCode, SealaneError } from '@sealane/core';

/** The code of the `SealaneError` that `call` throws. */
export function codeOf(call: () => unknown): ErrorCode | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof SealaneError) return error.code;
    throw error;
  }
}
