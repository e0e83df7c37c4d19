/** Rigs and sites that a registrar enrolled, beside the keys that policy names. */
import { fromBase64, PREDICATE, SealaneError, type Statement } from '@sealane/core';
import { readRig } from './predicates/rig.js';
import { readSiteRecord } from './predicates/site-record.js';
import type { VerifiedStatement } from './statement-checks.js';
import type { TrustedKey, VerifyTrust } from './verify-trust.js';

/**
 * The trust that also takes what enrolled rigs and sites sign, from the place of their record on. `records` are verified statements; only records
 * by the registrar count, and none gives another meaning to a key that policy names. Which of their statements count is for gates to say.
 */
export function trustWithEnrolled(trust: VerifyTrust, records: readonly VerifiedStatement[]): VerifyTrust {
  const keys = new Map(trust.keys);
  for (const record of [...records].sort((left, right) => left.logIndex - right.logIndex)) {
    const enrolled = enrolledKey(trust, record);
    if (enrolled !== undefined && !keys.has(enrolled.keyId)) keys.set(enrolled.keyId, enrolled.key);
  }
  return { ...trust, keys };
}

/** Whether a statement is a record by which a registrar enrols a rig or a site. */
export function isEnrolment({ predicateType }: Pick<Statement, 'predicateType'>): boolean {
  return predicateType === PREDICATE.rig || predicateType === PREDICATE.siteRecord;
}

function enrolledKey(
  trust: VerifyTrust,
  { keyId, logIndex, statement }: VerifiedStatement,
): { keyId: string; key: TrustedKey } | undefined {
  const origin = trust.keys.get(keyId)?.origin;
  if (!isEnrolment(statement) || !trust.registrar.includes(keyId) || origin === undefined) return undefined;
  try {
    const { key } = statement.predicateType === PREDICATE.rig ? readRig(statement) : readSiteRecord(statement);
    return { keyId: key.id, key: { spki: fromBase64(key.spki), origin, fromIndex: logIndex + 1, untilIndex: null } };
  } catch (error) {
    // a record that cannot be read enrols nobody
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}
