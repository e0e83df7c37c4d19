/** Statements that an answer may rest on: read, signed by whom policy lets speak of such a thing, and said by the time that is asked about. */
import { AuditorError, type Digest, PREDICATE, SealaneError, type Statement } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { type Policy, subjectDigests, type VerifiedStatement, verifyLedgerRow, type VerifyTrust } from '@sealane/trust';
import { citeEntry, doubt } from './answer.js';
import { sameItems } from './enrolled.js';
import { type Inquiry, isBy, witnessedAt } from './inquiry.js';
import { quorumsOf } from './quorums.js';
import { checkSignatures, knownDigest, knownSignatures } from './signatures.js';

/** What a statement says, when it was so (its own word; where it has none, by when witnesses saw it), and the entry that it came in. */
export interface Fact<P> {
  readonly said: P;
  readonly at: string;
  readonly entry: LedgerEntry;
  readonly verified: VerifiedStatement;
}

/** Against what a statement is verified, and whose keys count. */
export interface Vouchers {
  readonly trust: VerifyTrust;
  readonly signers: readonly string[];
}

/** A kind of statement: how it is read, when it says that it was so, and who may say it. */
export interface FactKind<P> {
  readonly type: string;
  readonly read: (statement: Statement) => P;
  readonly at?: (said: P) => string | undefined;
  readonly vouchers: (inquiry: Inquiry, said: P) => Promise<Vouchers> | Vouchers;
}

/** The policy of the last stage names everybody whose evidence counts there. @throws AuditorError `CONFIG_INVALID` there is no stage */
export function lastPolicy({ policies }: Inquiry['context']): Policy {
  const last = [...policies].sort((a, b) => a.chain.length - b.chain.length).at(-1);
  if (last === undefined) throw new AuditorError('CONFIG_INVALID', 'read the policies of the lane: expected at least one stage, got none');
  return last;
}

/** The entries of this kind as facts, in log order, each cited; one that does not count is a doubt. Entries of other kinds are passed over. */
export async function factsIn<P>(inquiry: Inquiry, kind: FactKind<P>, entries: readonly LedgerEntry[]): Promise<readonly Fact<P>[]> {
  const facts: Fact<P>[] = [];
  const wanted = entries.filter((entry) => isOfKind(entry, kind));
  await checkSignatures(wanted);
  for (const entry of wanted) {
    const fact = await factOf(inquiry, kind, entry);
    if (fact !== undefined) facts.push(fact);
  }
  return facts;
}

/** All facts of a kind. */
export async function factsOf<P>(inquiry: Inquiry, kind: FactKind<P>): Promise<readonly Fact<P>[]> {
  return await factsIn(inquiry, kind, await inquiry.context.ledger.statementsOf([kind.type]));
}

/** A SLSA summary of somebody else is no decision of ours. */
function isOfKind({ statement }: LedgerEntry, { type }: { readonly type: string }): boolean {
  return statement.predicateType === type && (type !== PREDICATE.decision || 'sealane_promotion' in statement.predicate);
}

async function factOf<P>(inquiry: Inquiry, kind: FactKind<P>, entry: LedgerEntry): Promise<Fact<P> | undefined> {
  try {
    const said = kind.read(entry.statement);
    const at = kind.at?.(said) ?? (await witnessedAt(inquiry.context, entry.index)) ?? entry.loggedAt;
    if (!isBy(inquiry, at)) return undefined;
    const verified = await verify(inquiry, entry, await kind.vouchers(inquiry, said));
    return verified === undefined ? undefined : { said, at, entry, verified };
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    doubt(inquiry.evidence, entry, error.code, error.message);
    return undefined;
  }
}

/** Verifies and cites an entry; a doubt and undefined when it does not hold. */
async function verify({ context, evidence }: Inquiry, entry: LedgerEntry, vouchers: Vouchers): Promise<VerifiedStatement | undefined> {
  const { ledger } = context;
  try {
    const verified = verifiedOnce(entry, { ...vouchers, origin: ledger.origin, cosigned: await ledger.firstCosignedCovering(entry.index) });
    citeEntry(evidence, entry);
    return verified;
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    doubt(evidence, entry, error.code, error.message);
    return undefined;
  }
}

/** All that decides whether an entry counts. */
interface Ground extends Vouchers {
  readonly origin: string;
  readonly cosigned: string | null;
}

/** By the very entry, which nobody changes in place: on what ground it was found to count last. */
const found = new WeakMap<LedgerEntry, { readonly ground: Ground; readonly verified: VerifiedStatement }>();

/** As `verifyLedgerRow`, which says of the same entry on the same ground the same. @throws as `verifyLedgerRow` */
function verifiedOnce(entry: LedgerEntry, ground: Ground): VerifiedStatement {
  const before = found.get(entry);
  if (before !== undefined && isSame(before.ground, ground)) return before.verified;
  const { trust, signers, origin, cosigned } = ground;
  const row = { ...entry, logIndex: entry.index, origin, cosigned };
  const verified = verifyLedgerRow(row, {
    trust,
    signers,
    quorums: quorumsOf(trust),
    signatures: knownSignatures,
    digestOf: knownDigest,
  });
  found.set(entry, { ground, verified });
  return verified;
}

function isSame(left: Ground, right: Ground): boolean {
  return (
    left.trust === right.trust && left.cosigned === right.cosigned && left.origin === right.origin && sameItems(left.signers, right.signers)
  );
}

/** The release that a fact is about: the first subject of what is said of a release. */
export function releaseOf({ entry }: Pick<Fact<unknown>, 'entry'>): Digest {
  const [first] = subjectDigests(entry.statement);
  if (first === undefined) throw new AuditorError('STATEMENT_MALFORMED', `read ${entry.statementDigest}: expected a subject, got none`);
  return first;
}
