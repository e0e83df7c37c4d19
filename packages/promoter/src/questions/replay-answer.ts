/** "Which policy decided? Make the decision again": a replay with what it rests on, proved, and what it could not see. */
import { type Digest, type ErrorCode, ERRORS, PREDICATE, PromoterError, SealaneError } from '@sealane/core';
import { type Answered, type Asked, type AuditContext, doubt, FACT, factsIn, inquire, type Inquiry } from '@sealane/auditor';
import type { LedgerEntry } from '@sealane/ledger';
import { type GateInput, namedBlobs, type RefusedStatement } from '@sealane/trust';
import { decisionIn, entryNamed, type LaneCopy, type Replay, replay, unreplayed } from '../decision/replay.js';
import { citeJudgement } from './cite-judgement.js';

/** The answer. `replayed` is null where what was known then cannot be read any more. */
export interface ReplayAnswer extends Replay {
  /** How the policy of then counts in the copy: it is the published one, the published one accepts it for this entry, or neither. */
  readonly policyIs: 'published' | 'accepted' | 'not accepted';
  /** What was said of the release before and counted for nothing, and why. */
  readonly leftOut: readonly {
    readonly statement: Digest;
    readonly predicateType: string;
    readonly code: ErrorCode;
    readonly why: string;
  }[];
  readonly notSeen: readonly string[];
}

/** The lane that the question is asked of. */
type Place = Pick<LaneCopy, 'home' | 'lane'>;

/**
 * Answers for a decision that is named by digest or log index.
 *
 * @throws PromoterError `USAGE`, `STATEMENT_UNKNOWN`, and as `replay`, but for what was erased: that is a doubt
 */
export async function replayAnswer(context: AuditContext, place: Place, named: string, asked: Asked = {}): Promise<Answered<ReplayAnswer>> {
  return await inquire(context, `replay ${named}`, asked, async (inquiry) => {
    const entry = await entryNamed(inquiry.context.ledger, named);
    await expectDecided(inquiry, entry);
    // what was erased must not be read as if it had never been there: gates are asked of the ledger itself
    const { result, input } = await madeAgain(inquiry, { ...place, ledger: context.ledger }, entry);
    const policyIs = standingOf(place, result);
    if (policyIs === 'not accepted')
      doubt(
        inquiry.evidence,
        entry,
        'WAYBILL_STAGE_ORDER',
        `decided under policy ${result.policy}, which the policy of ${result.to} in this copy does not accept`,
      );
    if (input !== undefined) {
      await citeJudgement(inquiry, { input, checks: result.checks.flatMap(({ replayed }) => replayed ?? []) });
      if (!result.sameVerdict) doubtOutcome(inquiry, entry, result, input);
    }
    return { ...result, policyIs, leftOut: (input?.refused ?? []).map(leftOut), notSeen: notSeenIn(result) };
  });
}

/** A decision, and one of the time that is asked about. One that no policy of the copy vouches for is a doubt: its own policy judges it further below. */
async function expectDecided(inquiry: Inquiry, entry: LedgerEntry): Promise<void> {
  decisionIn(entry);
  const { doubts } = inquiry.evidence;
  const before = doubts.length;
  const [fact] = await factsIn(inquiry, FACT.decision, [entry]);
  if (fact !== undefined || doubts.length > before) return;
  throw new PromoterError(
    'STATEMENT_UNKNOWN',
    `look up decision ${entry.statementDigest}: expected one that was made by ${inquiry.asOf ?? 'now'}, got a later one`,
  );
}

async function madeAgain(
  inquiry: Inquiry,
  copy: LaneCopy,
  entry: LedgerEntry,
): Promise<{ readonly result: Replay; readonly input?: GateInput }> {
  try {
    const { replay: result, input } = await replay(copy, entry);
    return { result, input };
  } catch (error) {
    if (!(error instanceof SealaneError) || error.code !== 'STATEMENT_ERASED') throw error;
    doubt(inquiry.evidence, entry, error.code, `it cannot be made again: ${error.message}`);
    const result = unreplayed(entry);
    // passed over by this ledger, which notes what was erased, by whom and why
    await inquiry.context.ledger.evidenceAbout(result.release);
    return { result };
  }
}

function standingOf({ lane }: Place, { to, policy, logIndex }: Replay): ReplayAnswer['policyIs'] {
  const published = lane.stages.get(to);
  if (published?.digest === policy) return 'published';
  const accepts = published?.policy.accepts ?? [];
  return accepts.some(({ digest, belowIndex }) => digest === policy && logIndex < belowIndex) ? 'accepted' : 'not accepted';
}

/** It did not come out as it is recorded: which check, and which documents are not there that it may have read. */
function doubtOutcome(inquiry: Inquiry, entry: LedgerEntry, { checks, recorded, replayed }: Replay, { statements }: GateInput): void {
  const other = checks.find((check) => check.recorded?.verdict !== check.replayed?.verdict);
  const found = other === undefined ? '' : `: ${other.id}: ${other.replayed?.actual ?? 'no such check'}`;
  const code = [other?.replayed?.code, other?.recorded?.code].find(isErrorCode) ?? 'GATE_ERROR';
  doubt(inquiry.evidence, entry, code, `recorded as ${recorded}, it comes out ${replayed ?? 'not at all'}${found}`);
  for (const { statement, digest, logIndex } of statements.filter((each) => each.statement.predicateType === PREDICATE.testResult))
    for (const named of namedBlobs(statement))
      if (inquiry.context.readBlob(named) === undefined)
        inquiry.evidence.gone.push({ entry: { index: logIndex, statementDigest: digest }, digest: named, what: 'document' });
}

/** A program of another version may have recorded a code that this one has not. */
function isErrorCode(code: string | undefined): code is ErrorCode {
  return code !== undefined && Object.hasOwn(ERRORS, code);
}

function leftOut({ digest, predicateType, code, why }: RefusedStatement): ReplayAnswer['leftOut'][number] {
  return { statement: digest, predicateType, code, why };
}

function notSeenIn({ version: { recorded, replayed }, judgedAt }: Replay): readonly string[] {
  return [
    ...(recorded === replayed ? [] : [`how the program of then judged: it was sealane ${recorded ?? 'of a version that it did not say'}`]),
    ...(judgedAt.recorded === null
      ? ['which checkpoint it was judged at: it does not say, so that of its place in the log was taken']
      : []),
    'whether the index of this copy names all that was logged before it: sealane audit verify says so',
  ];
}
