import { SealaneError } from '../../packages/core/src/errors.js';

/** The code with which `action` refuses; undefined when it does not. Anything but a named refusal is a crash and fails the test. */
export function refusal(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof SealaneError) return error.code;
    throw error;
  }
}
