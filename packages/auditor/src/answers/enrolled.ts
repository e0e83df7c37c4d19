/** Trust with what a registrar enrolled, made once for the same records: what was verified against it is remembered by the very trust. */
import { trustWithEnrolled, type VerifiedStatement, type VerifyTrust } from '@sealane/trust';

/** By the trust, and by what says which records they are. */
const known = new WeakMap<VerifyTrust, Map<string, VerifyTrust>>();
/** Trusts that are kept beside one: some two thousand bytes each, one for each site that was asked about. */
const MAX_KEPT = 10_000;

/** As `trustWithEnrolled`; of the same records against the same trust the very same, whether or not the records were read anew meanwhile. */
export function enrolledTrust(trust: VerifyTrust, records: readonly VerifiedStatement[]): VerifyTrust {
  const wholes = known.get(trust) ?? new Map<string, VerifyTrust>();
  known.set(trust, wholes);
  // all that a record enrols by: its statement, who signed it, and where it is
  const name = records.map(({ digest, keyId, logIndex }) => `${logIndex} ${keyId} ${digest}`).join('\n');
  const before = wholes.get(name);
  if (before !== undefined) return before;
  if (wholes.size >= MAX_KEPT) wholes.clear();
  const whole = trustWithEnrolled(trust, records);
  wholes.set(name, whole);
  return whole;
}

/** Whether two lists hold the same, one by one. */
export function sameItems<T>(left: readonly T[], right: readonly T[]): boolean {
  return left === right || (left.length === right.length && left.every((item, place) => item === right[place]));
}
