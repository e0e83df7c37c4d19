/** How a refused bundle is told: one code for each kind of refusal, exit 4 each. */
import { type ErrorCode, TrustError } from '@sealane/core';

export type BundleCode = Extract<ErrorCode, `BUNDLE_${string}`>;

/** A refusal of a bundle. */
export function refused(code: BundleCode, expected: string, got: string, cause?: unknown): TrustError {
  return new TrustError(code, `verify bundle: expected ${expected}, got ${got}`, {}, cause === undefined ? {} : { cause });
}

/**
 * Runs a part of somebody else's verifier: not all its refusals are of one class, so whatever it throws is one.
 *
 * @throws TrustError `code`
 */
export function asRefusal<T>(code: BundleCode, what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof TrustError && cause.code.startsWith('BUNDLE_')) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TrustError(code, `verify bundle: ${what}: ${why.slice(0, 500)}`, {}, { cause });
  }
}
