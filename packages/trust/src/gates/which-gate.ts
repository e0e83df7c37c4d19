/**
 * Which gate of a stage an exception means. A stage may have several of one name: then the name alone means none of them, and each is told by its settings,
 * which do not move when the owners put another before it.
 */
import { canonicalJson, type Digest, sha256 } from '@sealane/core';
import type { ExceptionPredicate } from '../evidence/predicates/exception.js';
import type { PolicyGate } from '../policy/policy-types.js';

/** The digest by which the settings of a gate are named. */
export function settingsDigest({ with: settings }: Pick<PolicyGate, 'with'>): Digest {
  return sha256(canonicalJson(settings));
}

/** Whether an exception for gates of this name means this one of the stage's. */
export function isMeant({ settings }: Pick<ExceptionPredicate, 'settings'>, gate: PolicyGate, gates: readonly PolicyGate[]): boolean {
  if (settings !== undefined) return settings === settingsDigest(gate);
  return gates.filter(({ use }) => use === gate.use).length <= 1;
}

/** The gate as its owners signed it: a site leaves gates out and tightens settings before it evaluates them. Undefined when there is no such one. */
export function signedGate(gate: PolicyGate, gates: readonly PolicyGate[], signed: readonly PolicyGate[]): PolicyGate | undefined {
  const place = gates.filter(({ use }) => use === gate.use).indexOf(gate);
  return signed.filter(({ use }) => use === gate.use)[place];
}
