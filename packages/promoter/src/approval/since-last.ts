/** What has changed for a person since that person's last approval of a release for a stage. */
import { type Digest, PREDICATE, PromoterError } from '@sealane/core';
import { readApproval } from '@sealane/trust';
import { describeEntry, type LoggedStatement, statementOf } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';

/** The last verdict of a person, and what an approval would say now that it did not. `added` and `dropped` are statements that gates read. */
export interface SinceLast {
  readonly person: string;
  readonly approval: Digest;
  readonly verdict: 'approve' | 'reject';
  readonly issuedAt: string;
  readonly expiresAt: string;
  readonly isPolicyChanged: boolean;
  readonly isRolloutChanged: boolean;
  readonly added: readonly LoggedStatement[];
  readonly dropped: readonly Digest[];
}

/** What an approval would name now. */
export interface ApprovalSubject {
  readonly release: Digest;
  readonly stage: string;
  readonly rollout: readonly string[];
  readonly seen: readonly Digest[];
}

/**
 * Compares with the person's newest statement; null when there is none yet.
 *
 * @throws PromoterError `USAGE` policy has no such person
 */
export async function sinceLastApproval(promoter: Promoter, subject: ApprovalSubject, personId: string): Promise<SinceLast | null> {
  const { policy, digest: policyDigest } = stageOf(promoter, subject.stage);
  const person = policy.people.find(({ id }) => id === personId);
  if (person === undefined)
    throw new PromoterError(
      'USAGE',
      `read --person: expected one of ${policy.people.map(({ id }) => id).join(', ') || 'nobody'}, got ${personId}`,
    );
  const about = await promoter.ledger.evidenceAbout(subject.release);
  const last = about
    .filter((entry) => person.keys.includes(entry.keyId) && statementOf(entry).predicateType === PREDICATE.approval)
    .map((entry) => ({ entry, approval: readApproval(statementOf(entry)) }))
    .filter(({ approval }) => approval.release === subject.release && approval.stage === subject.stage)
    .at(-1);
  if (last === undefined) return null;
  const { entry, approval } = last;
  const isNew = (digest: Digest): boolean => subject.seen.includes(digest) && !approval.seen.includes(digest);
  return {
    person: personId,
    approval: entry.statementDigest,
    verdict: approval.verdict,
    issuedAt: approval.issuedAt,
    expiresAt: approval.expiresAt,
    isPolicyChanged: approval.policy !== policyDigest,
    isRolloutChanged: approval.rollout.join('\n') !== subject.rollout.join('\n'),
    added: about.filter(({ statementDigest }) => isNew(statementDigest)).map(describeEntry),
    dropped: approval.seen.filter((digest) => !subject.seen.includes(digest)),
  };
}

/** As lines for people. */
export function sinceLastText(since: SinceLast | null, personId: string): readonly string[] {
  if (since === null) return [`${personId} has not approved this yet: all of it is new`];
  const said = since.verdict === 'approve' ? 'approved' : 'rejected';
  const changes = [
    ...(since.isPolicyChanged ? ['  the policy is another one'] : []),
    ...(since.isRolloutChanged ? ['  the groups are others'] : []),
    ...since.added.map(({ digest, predicateType }) => `  new      ${digest}  ${predicateType}`),
    ...since.dropped.map((digest) => `  gone     ${digest}`),
  ];
  const head = `since ${since.person} ${said} at ${since.issuedAt} (until ${since.expiresAt}):`;
  return [head, ...(changes.length === 0 ? ['  nothing is new'] : changes)];
}
