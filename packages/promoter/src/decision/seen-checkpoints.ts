/**
 * Approvals quote the checkpoint that their signer saw. One of another history shows sites that the log has forked (THREATS T8), and they take nothing of a waybill that has
 * it in it. Who quotes one that never was, with a key of his own, must stop no release by that: here, where the log is at hand, his approval is none.
 */
import { equalBytes, fromBase64, PREDICATE, SealaneError } from '@sealane/core';
import { readApproval, type RefusedStatement, type VerifiedStatement } from '@sealane/trust';
import type { GateSource } from './gate-source.js';

/** What counts, and what does not. */
interface Verified {
  readonly statements: readonly VerifiedStatement[];
  readonly refused: readonly RefusedStatement[];
}

/** The same without approvals that saw another log. A rejection stands, whatever its signer saw. */
export async function seenHere({ ledger }: Pick<GateSource, 'ledger'>, { statements, refused }: Verified): Promise<Verified> {
  const roots = new Map<number, Promise<Uint8Array>>();
  const rootAt = async (size: number): Promise<Uint8Array> => {
    const root = roots.get(size) ?? ledger.rootAt(size);
    roots.set(size, root);
    return await root;
  };
  const kept: VerifiedStatement[] = [];
  const elsewhere: RefusedStatement[] = [];
  for (const each of statements) {
    const why = await whyElsewhere(each, rootAt, ledger.origin);
    if (why === undefined) kept.push(each);
    else elsewhere.push({ digest: each.digest, predicateType: PREDICATE.approval, code: 'LOG_FORK', why: `${each.digest} ${why}` });
  }
  return { statements: kept, refused: [...refused, ...elsewhere] };
}

async function whyElsewhere(
  { statement, logIndex }: VerifiedStatement,
  rootAt: (size: number) => Promise<Uint8Array>,
  here: string,
): Promise<string | undefined> {
  const seen = statement.predicateType === PREDICATE.approval ? approvedUnder(statement) : undefined;
  // of another log sites compare nothing, and the gate says that it saw that one
  if (seen?.origin !== here) return undefined;
  const { size, root } = seen;
  if (size > logIndex) return `saw ${size} entries before it was entry ${logIndex} itself`;
  return equalBytes(await rootAt(size), fromBase64(root)) ? undefined : `saw another history of ${size} entries than this log has`;
}

/** What an approval that can be read saw; nothing of a rejection. */
function approvedUnder(statement: VerifiedStatement['statement']): { origin: string; size: number; root: string } | undefined {
  try {
    const { verdict, checkpoint } = readApproval(statement);
    return verdict === 'approve' ? checkpoint : undefined;
  } catch (error) {
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}
