/**
 * Is the ledger what it was? Every row recomputed, every checkpoint held against it, the latest one under the witness quorum, and the published
 * log file by file. Is it what approvals and receipts in it saw of it? And is each root of the lane in it, and the rest of the lane what it is named by?
 */
import { AuditorError, parseCheckpoint, SealaneError } from '@sealane/core';
import type { LedgerReport, Unseen } from '@sealane/ledger';
import { quorumOf, type TrustedLog, type VerifyTrust, verifyTrustOf } from '@sealane/trust';
import type { Answer } from './answer.js';
import type { AuditContext } from './context.js';
import { type LaneFiles, laneFileProblems } from './lane-files.js';
import { logFileProblems } from './log-files.js';
import { quotedProblems } from './quoted-checkpoints.js';
import { rootProblems } from './root-problems.js';
import { type BroughtFile, seenElsewhere } from './seen.js';

export interface VerifyAnswer {
  readonly ok: boolean;
  readonly problems: LedgerReport['problems'];
  /** Entries whose leaf is as it was, and whose payload is in an archive that could not be read; absent where all was seen. */
  readonly unseen?: Unseen;
}

/** What a ledger is held against beside its own checkpoints: a signed note, and approvals and receipts that quote one. */
export interface KeptElsewhere {
  readonly checkpoint?: string;
  readonly seen?: readonly BroughtFile[];
}

/**
 * Verifies the whole ledger, that it extends what was kept elsewhere when given, and the files of `lane`. Damage is in the answer, not thrown.
 *
 * @throws AuditorError `CONFIG_INVALID` no policy names the log; as `seenElsewhere`
 */
export async function verifyAll(
  context: AuditContext,
  { checkpoint, seen = [] }: KeptElsewhere = {},
  lane?: LaneFiles,
): Promise<Answer<VerifyAnswer>> {
  const { ledger, policies, log: folder } = context;
  const trust = policies[0] === undefined ? undefined : verifyTrustOf(policies[0]);
  const log = trust?.logs.find(({ origin }) => origin === ledger.origin);
  if (trust === undefined || log === undefined) {
    throw new AuditorError('CONFIG_INVALID', `verify the ledger of ${ledger.origin}: expected a policy that names this log, got none`);
  }
  const report = await ledger.verify(checkpoint === undefined ? {} : { checkpoint });
  // against rows that are wrong, what is right would be named
  const isSound = report.problems.length === 0;
  const latest = isSound ? await ledger.latestCosigned() : null;
  const more = isSound
    ? [
        ...witnessProblems(latest, log, trust),
        ...(await logFileProblems(ledger, folder)),
        // what entries say is in an archive that cannot be read: the answer is not complete
        ...(report.unseen === null ? [...(await rootProblems(context)), ...(await quotedProblems(context))] : []),
        ...(await seenElsewhere(context, seen)),
      ]
    : [];
  const problems = [...report.problems, ...more, ...(lane === undefined ? [] : laneFileProblems(context, lane))];
  const { unseen } = report;
  const ok = problems.length === 0 && unseen === null;
  const answer = { ok, problems, ...(unseen === null ? {} : { unseen }) };
  return { question: 'verify', answer, statements: [], checkpoint: latest, complete: unseen === null };
}

function witnessProblems(latest: string | null, log: TrustedLog, trust: VerifyTrust): LedgerReport['problems'] {
  const problem = (actual: string): LedgerReport['problems'] => [
    { where: 'cosigned', key: 'latest', expected: 'a checkpoint under the witness quorum', actual },
  ];
  if (latest === null) return problem('none');
  try {
    quorumOf(latest, log, trust);
    return [];
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    return problem(`${error.message} (size ${parseCheckpoint(latest).size})`);
  }
}
