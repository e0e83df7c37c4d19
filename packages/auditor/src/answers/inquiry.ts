/**
 * A question as it is asked of two times: what was so by then (`asOf`, valid time), and what the log held by then (`asKnown`, recorded time).
 *
 * Recorded time is witnessed time: the log of a day is what a quorum had cosigned by that day, so that no clock of the promoter decides what was known.
 */
import { AuditorError, type Digest, isDigest } from '@sealane/core';
import { type ErasedEntry, type Ledger, pastLedger } from '@sealane/ledger';
import { isAuthorsWord, isTime, secondsToTime, verifyTrustOf, type WitnessedTime } from '@sealane/trust';
import { type Answer, closeAnswer, type Doubt, type Evidence, startEvidence } from './answer.js';
import type { AuditContext } from './context.js';
import { withArchived } from './archived.js';
import { doubtErased, doubtGone } from './erased.js';
import { quorumKnown } from './quorums.js';

/** The two times; absent: now. */
export interface Asked {
  readonly asOf?: string | undefined;
  readonly asKnown?: string | undefined;
}

/** A question while it is answered: `context.ledger` holds what was known, `asOf` is the last moment that counts. */
export interface Inquiry {
  readonly context: AuditContext;
  readonly evidence: Evidence;
  readonly asOf: string | undefined;
}

/** An answer with what could not be seen. */
export type Answered<T extends object> = Answer<T & { readonly doubts: readonly Doubt[] }>;

/**
 * Answers a question by `work`, and proves what it cited.
 *
 * @throws AuditorError `USAGE` a malformed time; `LOG_WITNESS` nothing was witnessed by then; and as `work`
 */
export async function inquire<T extends object>(
  context: AuditContext,
  words: string,
  { asOf, asKnown }: Asked,
  work: (inquiry: Inquiry) => Promise<T>,
): Promise<Answered<T>> {
  expectTime('--as-of', asOf);
  expectTime('--as-known', asKnown);
  const known = asKnown === undefined ? context : { ...context, ledger: await ledgerAsKnown(context, asKnown), present: context.ledger };
  const { noting, evidence, gone, answer } = await withArchived(known, async (reading) => {
    const found = startEvidence();
    const erased = new Map<number, ErasedEntry>();
    const inner = { ...reading, ledger: reading.ledger.noting((entry) => void erased.set(entry.index, entry)) };
    return { noting: inner, evidence: found, gone: erased, answer: await work({ context: inner, evidence: found, asOf }) };
  });
  await doubtGone(noting, evidence);
  await doubtErased(noting, evidence, [...gone.values()]);
  const question = [words, asOf === undefined ? '' : ` as of ${asOf}`, asKnown === undefined ? '' : ` as known at ${asKnown}`].join('');
  return await closeAnswer(known, evidence, question, answer);
}

/** @throws AuditorError `USAGE` it is no time */
export function expectTime(name: string, text: string | undefined): void {
  if (text !== undefined && !isTime(text))
    throw new AuditorError('USAGE', `read ${name}: expected a time such as 2026-11-24T10:00:00Z, got ${text.slice(0, 80)}`);
}

/** Whether something of this time had happened by the time that is asked about. */
export function isBy({ asOf }: Pick<Inquiry, 'asOf'>, at: string): boolean {
  return asOf === undefined || at <= asOf;
}

/** The ledger of the entries that a quorum had seen by `time`. */
async function ledgerAsKnown(context: AuditContext, time: string): Promise<Ledger> {
  const { ledger } = context;
  const size = await sizeKnownAt(context, time);
  if (size === 0)
    throw new AuditorError(
      'LOG_WITNESS',
      `read the log as it was known at ${time}: expected entries that witnesses had seen by then, got none`,
    );
  return ledgerOf(ledger, size);
}

/** The ledger of the first `size` entries. */
function ledgerOf(ledger: Ledger, size: number): Ledger {
  const past = pastLedger(ledger, size);
  const isKnown = ({ index }: { readonly index: number }): boolean => index < size;
  return {
    ...ledger,
    ...past,
    entriesAt: async (indexes) => (await ledger.entriesAt(indexes)).filter(isKnown),
    noting: (note) => ledgerOf(ledger.noting(note), size),
  };
}

/** How many entries a quorum had cosigned by `time`: the first entry that it had not is found by halves, since checkpoints only grow. */
export async function sizeKnownAt(context: AuditContext, time: string): Promise<number> {
  let [known, unknown] = [0, await context.ledger.size()];
  while (known < unknown) {
    const middle = Math.floor((known + unknown) / 2);
    const at = await witnessedAt(context, middle);
    if (at !== null && at <= time) known = middle + 1;
    else unknown = middle;
  }
  return known;
}

/** By when a quorum had seen an entry: the latest time of the first checkpoint under the quorum that holds it; null while none does. */
export async function witnessedAt({ ledger, policies }: AuditContext, index: number): Promise<string | null> {
  const trust = policies[0] === undefined ? undefined : verifyTrustOf(policies[0]);
  const log = trust?.logs.find(({ origin }) => origin === ledger.origin);
  if (trust === undefined || log === undefined) return null;
  const note = await ledger.firstCosignedCovering(index);
  return note === null ? null : secondsToTime(quorumKnown(note, log, trust).highestSeconds);
}

/**
 * The digest of a release that is given by digest or as NAME@VERSION; a name is what an author gave whom a policy names.
 *
 * @throws AuditorError `RELEASE_UNKNOWN`
 */
export async function releaseNamed({ ledger, policies }: Pick<AuditContext, 'ledger' | 'policies'>, text: string): Promise<Digest> {
  const [, name = '', version = ''] = /^([^@]*)@(.*)$/s.exec(text) ?? [];
  const [found] = isDigest(text)
    ? await ledger.releases(text)
    : (await ledger.releaseByName(name, version)).filter((row) => isAuthorsWord(policies, row));
  if (found !== undefined) return found.release;
  throw new AuditorError('RELEASE_UNKNOWN', `look up release ${JSON.stringify(text.slice(0, 80))}: there is no such release in the ledger`);
}

/** The moment that a question is about: the one asked for, else the latest that witnesses have seen. No clock is read. @throws AuditorError `LOG_WITNESS` */
export async function timeOf(inquiry: Inquiry): Promise<string> {
  return (await spanOf(inquiry)).highest;
}

/** That moment as gates take it: of the latest checkpoint, the span in which a quorum saw it. @throws AuditorError `LOG_WITNESS` */
export async function spanOf({ context, asOf }: Inquiry): Promise<WitnessedTime> {
  if (asOf !== undefined) return { lowest: asOf, highest: asOf };
  const { ledger, policies } = context;
  const trust = policies[0] === undefined ? undefined : verifyTrustOf(policies[0]);
  const log = trust?.logs.find(({ origin }) => origin === ledger.origin);
  const note = await ledger.latestCosigned();
  if (note === null || trust === undefined || log === undefined)
    throw new AuditorError('LOG_WITNESS', 'tell the time of the log: expected a checkpoint that witnesses had seen, got none');
  const { lowestSeconds, highestSeconds } = quorumKnown(note, log, trust);
  return { lowest: secondsToTime(lowestSeconds), highest: secondsToTime(highestSeconds) };
}
