/** Who approved a release, with which key, when, having seen what; and who of them had another part in it. */
import type { Digest } from '@sealane/core';
import type { ApprovalPredicate } from '@sealane/trust';
import { aboutRelease, type AboutRelease, nameOf, type NamedRelease } from './about-release.js';
import { type AuditContext, personOf } from './context.js';
import { FACT } from './fact-kinds.js';
import { type Fact, factsIn } from './facts.js';
import { type Answered, type Asked, inquire, type Inquiry } from './inquiry.js';

/** A part that somebody had in a release. */
type Part = 'author' | 'builder' | 'tester' | 'promoter' | 'approver';

export interface Approvals extends NamedRelease {
  readonly approvals: readonly {
    readonly person: string;
    readonly keyId: string;
    /** Who a token named, when it was signed keyless. */
    readonly identity: { readonly identity: string; readonly issuer: string } | null;
    readonly stage: string;
    readonly verdict: string;
    readonly reason: string | null;
    readonly issuedAt: string;
    readonly expiresAt: string;
    readonly policy: Digest;
    /** What was before their eyes; the type is null for a statement that the log does not hold. */
    readonly seen: readonly { readonly statement: Digest; readonly predicateType: string | null; readonly logIndex: number | null }[];
    readonly seenAtSize: number;
    readonly statement: Digest;
  }[];
  /** Approvers who had another part in the release, by person, or by key where nobody is known to hold it. */
  readonly conflicts: readonly { readonly who: string; readonly parts: readonly Part[] }[];
}

/** Answers "who approved, and was any of them author, builder, tester or promoter?". @throws AuditorError `RELEASE_UNKNOWN` */
export async function approvals(context: AuditContext, named: string, asked: Asked = {}): Promise<Answered<Approvals>> {
  return await inquire(context, `approvals ${named}`, asked, async (inquiry) => {
    const about = await aboutRelease(inquiry, named);
    const facts = await factsIn(inquiry, FACT.approval, about.entries);
    const told: Approvals['approvals'][number][] = [];
    for (const fact of facts) told.push(await approvalOf(inquiry, fact));
    return { ...nameOf(about), approvals: told, conflicts: await conflictsOf(inquiry, about, facts) };
  });
}

async function approvalOf({ context }: Inquiry, { said, entry }: Fact<ApprovalPredicate>): Promise<Approvals['approvals'][number]> {
  const identity = context.policies.map(({ identities = {} }) => identities[entry.keyId]).find((one) => one !== undefined);
  const seen = said.seen.map(async (statement) => {
    const [found] = await context.ledger.byStatement(statement);
    return { statement, predicateType: found?.statement.predicateType ?? null, logIndex: found?.index ?? null };
  });
  return {
    person: personOf(context, entry.keyId) ?? `key ${entry.keyId}`,
    keyId: entry.keyId,
    identity: identity === undefined ? null : { identity: identity.identity, issuer: identity.issuer },
    stage: said.stage,
    verdict: said.verdict,
    reason: said.reason ?? null,
    issuedAt: said.issuedAt,
    expiresAt: said.expiresAt,
    policy: said.policy,
    seen: await Promise.all(seen),
    seenAtSize: said.checkpoint.size,
    statement: entry.statementDigest,
  };
}

async function conflictsOf(
  inquiry: Inquiry,
  { entries, author }: AboutRelease,
  approved: readonly Fact<ApprovalPredicate>[],
): Promise<Approvals['conflicts']> {
  const parts = new Map<string, Set<Part>>();
  const note = (part: Part, facts: readonly Fact<unknown>[]): void => {
    for (const { entry } of facts) {
      const who = personOf(inquiry.context, entry.keyId) ?? `key ${entry.keyId}`;
      parts.set(who, (parts.get(who) ?? new Set<Part>()).add(part));
    }
  };
  note('author', author === undefined ? [] : [author]);
  note('builder', await factsIn(inquiry, FACT.provenance, entries));
  note('tester', await factsIn(inquiry, FACT.test, entries));
  note('promoter', await factsIn(inquiry, FACT.decision, entries));
  // who bars what he made himself lets nothing through
  note(
    'approver',
    approved.filter(({ said }) => said.verdict === 'approve'),
  );
  return [...parts].filter(([, had]) => had.has('approver') && had.size > 1).map(([who, had]) => ({ who, parts: [...had] }));
}
