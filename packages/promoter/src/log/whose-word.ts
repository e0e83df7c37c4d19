/** Whose word some kinds of statement are. What the log holds of these is looked up by what it says, not always by who said it. */
import { PREDICATE } from '@sealane/core';
import type { Policy } from '@sealane/trust';

type SignersOf = (policy: Policy) => readonly string[];

const stages: SignersOf = ({ chain }) => chain.flatMap(({ keys }) => keys);

const SIGNERS: Readonly<Record<string, SignersOf>> = {
  [PREDICATE.release]: ({ signers }) => signers.release,
  [PREDICATE.decision]: stages,
  [PREDICATE.revocation]: stages,
  [PREDICATE.order]: stages,
  [PREDICATE.siteCertificate]: stages,
  // the last one of another log is what its keys and its growth are held against
  [PREDICATE.anchor]: stages,
  [PREDICATE.siteRecord]: ({ registrar }) => registrar,
  [PREDICATE.secret]: ({ signers }) => signers.secrets ?? [],
};

/** Whether a signer (a key's or an identity's id) may say such a thing by any of the policies; of other kinds every gate judges for itself. */
export function mayState(policies: readonly Policy[], predicateType: string, signerId: string): boolean {
  const signersOf = Object.hasOwn(SIGNERS, predicateType) ? SIGNERS[predicateType] : undefined;
  return signersOf === undefined || policies.some((policy) => signersOf(policy).includes(signerId));
}
