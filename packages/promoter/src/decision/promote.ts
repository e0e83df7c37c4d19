/**
 * Promotion: gates → signed decision in the log → witness quorum → waybill → channel → published trust.
 *
 * Each step is durable before the next and skips itself when it is done already: killed anywhere and run again, nothing is lost and nothing doubled.
 *
 * Questions that come together are decided together: judged one by one on the same state of the log, logged in one commit, witnessed and published
 * once. That is as if each had come alone, one after another, because no question of a batch may depend on another one's decision: the gates read what is
 * said about one release, so a batch has one question about a release (a stage cannot be skipped in it, and an exception that may be used once is not used
 * twice); and where a stage asks for ways back from each release to the one before it, a batch has one question of that stage. Of two decisions for
 * one group the one with the higher counter stays.
 */
import { type Digest, isDigest } from '@sealane/core';
import type { Ledger, LedgerEntry } from '@sealane/ledger';
import { reached } from '../crash-point.js';
import { durableWriteAll, PUBLIC_FILE } from '../disk-shell.js';
import { tryWitness } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';
import { releaseOf } from '../release/records.js';
import { payloadFiles } from '../trust/publish-payloads.js';
import { asError, type ByQuestion, eachAlone, type Failures, filterQuestions } from './each-alone.js';
import type { Question } from './gate-source.js';
import { judge, judgeAgain, type Judgement } from './judge.js';
import { logDecisions } from './log-decisions.js';
import { type Outcome, outcomeOf } from './plan.js';
import { publishDecisions, standingOf } from './publish-decisions.js';
import { rolloutOf } from './rollout.js';
import { stillLedger } from './still-ledger.js';
import { checkSignatures } from './verify-entry.js';
import { asksForWaysBack } from './ways-back.js';

/** What a caller wants: a release (digest or NAME@VERSION) in a stage, for one group or for all. */
export interface Wish {
  readonly release: string;
  readonly stage: string;
  readonly group: string | undefined;
}

/** What came of a wish: an outcome, or why there is none. */
export type Answer = { readonly outcome: Outcome } | { readonly error: Error };

/**
 * Promotes, or says why not. Refusals are decisions too, logged once for the same reasons; pending ones are not logged.
 *
 * Without a witness quorum a passed decision stays logged and unpublished; the same command resumes it.
 *
 * @throws PromoterError `RELEASE_UNKNOWN`, `STAGE_UNKNOWN`, `USAGE` no such group; and faults of log, witnesses and disk
 */
export async function promote(promoter: Promoter, wish: Wish): Promise<Outcome> {
  const [answer = { error: new Error('expected an answer, got none') }] = await promoteTogether(promoter, [wish], () => true);
  if ('error' in answer) throw answer.error;
  return answer.outcome;
}

/**
 * Promotes several in one batch. Answers are in the order of the wishes; what fails for one fails for no other.
 *
 * The first wish is always taken. One that has no answer is to be asked again: it depends on another one here, or `goOn` said that it is enough.
 *
 * @throws LedgerError `LOG_FORK`, `LOG_RESTORED` before anything is decided
 */
export async function promoteTogether(
  opened: Promoter,
  wishes: readonly Wish[],
  goOn: () => boolean,
): Promise<readonly (Answer | undefined)[]> {
  const promoter = { ...opened, blobs: new Map() };
  // evidence and approvals logged since the last checkpoint count at the time that witnesses saw them
  const witnessed = await tryWitness(promoter);
  const taken = await takeQuestions(promoter, wishes);
  const failures: Failures = new Map();
  const questions = new Set(taken.flatMap((each) => (each !== undefined && 'question' in each ? [each.question] : [])));
  const releases = [...questions].map(({ release }) => release);
  const still = stillLedger(promoter.ledger, releases);
  const judged = await judgeWitnessed(promoter, still, { releases, questions: whileGoingOn(questions, goOn), failures });
  const outcomes = await decide(promoter, still, { judged, witnessed, failures });
  return taken.map((each) => {
    if (each === undefined || 'error' in each) return each;
    const [error, outcome] = [failures.get(each.question), outcomes.get(each.question)];
    return error !== undefined ? { error } : outcome !== undefined ? { outcome } : undefined;
  });
}

type Taken = { readonly question: Question } | { readonly error: Error } | undefined;

/** The questions of a batch, one and the same for wishes that ask the same; undefined for those that have to wait. */
async function takeQuestions(promoter: Promoter, wishes: readonly Wish[]): Promise<readonly Taken[]> {
  const batch = new Map<string, Question>();
  const digests = [...new Set(wishes.map(({ release }) => release))].filter(isDigest);
  const known = new Set((await promoter.ledger.releases(digests)).map(({ release }) => release));
  const take = async (wish: Wish): Promise<Taken> => {
    const question = await questionOf(promoter, wish, known);
    const key = JSON.stringify([question.release, question.stage, question.rollout]);
    const same = batch.get(key);
    if (same !== undefined) return { question: same };
    if (![...batch.values()].every((other) => isIndependent(promoter, question, other))) return undefined;
    batch.set(key, question);
    return { question };
  };
  const taken: Taken[] = [];
  for (const wish of wishes) taken.push(await take(wish).catch((error: unknown) => ({ error: asError(error) })));
  return taken;
}

async function questionOf(promoter: Promoter, { release, stage, group }: Wish, known: ReadonlySet<Digest>): Promise<Question> {
  const digest = isDigest(release) && known.has(release) ? release : (await releaseOf(promoter, release)).digest;
  return { release: digest, stage, rollout: rolloutOf(promoter, stage, group) };
}

/** Whether the gates of neither question read what the other one decides. */
function isIndependent(promoter: Promoter, one: Question, other: Question): boolean {
  return one.release !== other.release && (one.stage !== other.stage || !asksForWaysBack(stageOf(promoter, one.stage).policy));
}

function* whileGoingOn(questions: Iterable<Question>, goOn: () => boolean): Generator<readonly [Question, undefined]> {
  let count = 0;
  for (const question of questions) {
    if (count > 0 && !goOn()) return;
    count += 1;
    yield [question, undefined];
  }
}

/**
 * What the gates say at witnessed time. Time passes in a log that does not grow too: where the time that witnesses would give now changes a
 * verdict (a soak or freeze is over, a window has closed), all is judged under a fresh checkpoint.
 */
async function judgeWitnessed(
  promoter: Promoter,
  still: Ledger,
  {
    releases,
    questions,
    failures,
  }: {
    readonly releases: readonly Digest[];
    readonly questions: Iterable<readonly [Question, undefined]>;
    readonly failures: Failures;
  },
): Promise<ByQuestion<Judgement>> {
  const source = { ...promoter, ledger: still };
  // what cannot be read fails again where its question is judged, alone
  const said = await Promise.allSettled(releases.map((release) => still.evidenceAbout(release)));
  await checkSignatures(said.flatMap((each) => (each.status === 'fulfilled' ? each.value : [])));
  const judged = await eachAlone(questions, failures, (_, question) => judge(source, question, 'witnessed'));
  const expected = await eachAlone(judged, failures, (judgement) => judgeAgain(source, judgement, 'expected'));
  const isOld = [...expected].some(([question, { verdict }]) => judged.get(question)?.verdict !== verdict);
  if (!isOld) return waitingAsPlanned(judged, expected);
  if (!(await tryWitness(promoter, 'always'))) return judged;
  return await eachAlone(judged, failures, (_, question) => judge(promoter, question, 'witnessed'));
}

/** What waits either way is not logged: it is told as a plan would tell it, and names no time to wait for that has passed. */
function waitingAsPlanned(judged: ByQuestion<Judgement>, expected: ByQuestion<Judgement>): ByQuestion<Judgement> {
  return new Map(
    [...judged].map(([question, judgement]) => [
      question,
      judgement.verdict === 'pending' ? (expected.get(question) ?? judgement) : judgement,
    ]),
  );
}

/** Logs, has witnessed and publishes what was judged. */
async function decide(
  promoter: Promoter,
  still: Ledger,
  { judged, witnessed, failures }: { readonly judged: ByQuestion<Judgement>; readonly witnessed: boolean; readonly failures: Failures },
): Promise<ByQuestion<Outcome>> {
  const outcomes = await eachAlone(judged, failures, (judgement, question) => outcomeOf(promoter, question, judgement));
  const verdicts = filterQuestions(judged, ({ verdict }) => verdict !== 'pending');
  try {
    const entries = await logDecisions(promoter, still, { verdicts, failures });
    const published = await publish(promoter, still, { entries, verdicts, witnessed, failures });
    return new Map(
      [...outcomes].map(([question, outcome]) => [question, decidedOutcome(outcome, entries.get(question), published.has(question))]),
    );
  } catch (error) {
    for (const question of verdicts.keys()) failures.set(question, asError(error));
    return outcomes;
  }
}

function decidedOutcome(outcome: Outcome, entry: LedgerEntry | undefined, published: boolean): Outcome {
  return entry === undefined ? outcome : { ...outcome, statement: entry.statementDigest, logIndex: entry.index, published };
}

/** Has decisions witnessed, and publishes those that passed; returns the ones that are published now, or that a later one had overtaken. */
async function publish(
  promoter: Promoter,
  still: Ledger,
  {
    entries,
    verdicts,
    witnessed,
    failures,
  }: {
    readonly entries: ByQuestion<LedgerEntry>;
    readonly verdicts: ByQuestion<Judgement>;
    readonly witnessed: boolean;
    readonly failures: Failures;
  },
): Promise<ByQuestion<unknown>> {
  if (entries.size === 0) return entries;
  const passed = filterQuestions(entries, (_, question) => verdicts.get(question)?.verdict === 'passed');
  const payloads = payloadFiles(promoter, [...passed.values()]);
  // what was signed is brought to the disk while witnesses are asked: it is there before any checkpoint that names it
  const [isQuorum] = await Promise.all([tryWitness(promoter), durableWriteAll(payloads, PUBLIC_FILE)]);
  const isWitnessed = isQuorum && witnessed;
  const standing = await standingOf({ ...promoter, ledger: still }, passed, failures);
  const open = filterQuestions(standing, ({ groups }) => groups.length > 0);
  if (open.size === 0) return standing;
  if (!isWitnessed) return filterQuestions(standing, (_, question) => !open.has(question));
  reached('promote:decision-witnessed');
  await publishDecisions(promoter, still, { decisions: open, written: new Set(payloads.keys()), failures });
  return standing;
}
