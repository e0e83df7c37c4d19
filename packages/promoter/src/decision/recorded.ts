/** Checks as decisions record them. */
import type { Check } from '@sealane/core';
import type { RecordedCheck } from '@sealane/trust';

/** A check as it goes into a decision. */
export function recordedCheck({ id, verdict, expected, actual, remedy, evidence, code, earliest }: Check): RecordedCheck {
  return {
    id,
    verdict,
    expected,
    actual,
    remedy,
    evidence,
    ...(code === undefined ? {} : { code }),
    ...(earliest === undefined ? {} : { earliest }),
  };
}
