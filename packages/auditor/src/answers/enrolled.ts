/** Trust with what a registrar enrolled, made once for the same records: what was verified against it is remembered by the very trust. */
import { trustWithEnrolled, type VerifiedStatement, type VerifyTrust } from '@sealane/trust';

interface Enrolled {
  readonly trust: VerifyTrust;
  readonly records: readonly VerifiedStatement[];
  readonly whole: VerifyTrust;
}

/** By the first record, or by the trust where there is none. */
const known = new WeakMap<VerifyTrust | VerifiedStatement, Enrolled>();

/** As `trustWithEnrolled`; of the same records against the same trust the very same. */
export function enrolledTrust(trust: VerifyTrust, records: readonly VerifiedStatement[]): VerifyTrust {
  const before = known.get(records[0] ?? trust);
  if (before?.trust === trust && sameItems(before.records, records)) return before.whole;
  const whole = trustWithEnrolled(trust, records);
  known.set(records[0] ?? trust, { trust, records, whole });
  return whole;
}

/** Whether two lists hold the same, one by one. */
export function sameItems<T>(left: readonly T[], right: readonly T[]): boolean {
  return left === right || (left.length === right.length && left.every((item, place) => item === right[place]));
}
