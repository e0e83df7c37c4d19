/** Is the ledger what it was? Every row recomputed, every checkpoint held against it, and a blob for every inventory and report. */
import { AuditorError, parseCheckpoint } from '@sealane/core';
import { type LedgerProblem, verifyLedger } from '@sealane/ledger';
import { quorumOf, verifyTrustOf } from '@sealane/trust';
import type { Answer, AuditContext } from './context.js';

export interface VerifyAnswer {
  readonly ok: boolean;
  readonly size: number;
  readonly problems: readonly LedgerProblem[];
}

/**
 * Verifies the whole ledger, and that it extends `checkpoint` (a signed note kept elsewhere) when given. Damage is in the answer, not thrown.
 *
 * @throws AuditorError `CONFIG_INVALID` no policy names the log
 */
export function verifyAll(context: AuditContext, checkpoint?: string): Answer<VerifyAnswer> {
  const policy = context.policies[0]?.policy;
  const trust = policy === undefined ? undefined : verifyTrustOf(policy);
  const log = trust?.logs.find(({ origin }) => origin === context.ledger.origin);
  if (trust === undefined || log === undefined) {
    throw new AuditorError('CONFIG_INVALID', `verify the ledger of ${context.ledger.origin}: expected a policy that names this log, got none`);
  }
  const verdict = verifyLedger(context.ledger, { log: log.vkey, ...(checkpoint === undefined ? {} : { checkpoint }) });
  const latest = context.ledger.latestCosigned();
  const witnessed = latest === undefined ? [unwitnessed(verdict.size)] : quorumProblems(() => quorumOf(latest, log, trust));
  const problems = [...verdict.problems, ...witnessed];
  const answer = { ok: problems.length === 0, size: verdict.size, problems };
  return { question: 'verify', answer, statements: [], checkpoint: latest ?? null, complete: latest !== undefined && parseable(latest) === verdict.size };
}

function unwitnessed(size: number): LedgerProblem {
  return { where: 'cosigned', key: 'latest', expected: `a checkpoint cosigned by the witness quorum over ${size} entries`, actual: 'none' };
}

function quorumProblems(verify: () => unknown): readonly LedgerProblem[] {
  try {
    verify();
    return [];
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return [{ where: 'cosigned', key: 'latest', expected: 'a checkpoint under the witness quorum', actual: error.message }];
  }
}

function parseable(note: string): number | undefined {
  try {
    return parseCheckpoint(note).size;
  } catch (error) {
    // reported already as a problem of its row
    if (error instanceof Error) return undefined;
    throw error;
  }
}
