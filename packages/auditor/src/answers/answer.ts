/** What an answer rests on, and how it is closed: each statement verified by policy as it is cited, all of them proved under one checkpoint. */
import { type Digest, type ErrorCode, SealaneError } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { type Policy, verifyLedgerRow, verifyTrustOf } from '@sealane/trust';
import type { AuditContext } from './context.js';
import { type Citation, type CitedEntry, proveAll } from './proofs.js';
import { bytesOf } from './signatures.js';

/** A statement about the question that did not verify, and why. */
export interface Doubt {
  readonly statement: Digest;
  readonly logIndex: number;
  readonly code: ErrorCode;
  readonly message: string;
}

/** An answer to a question: the checkpoint (signed note) under which every citation's inclusion was verified. */
export interface Answer<T extends object = object> {
  readonly question: string;
  readonly answer: T;
  readonly statements: readonly Citation[];
  readonly checkpoint: string | null;
  /** False when something the answer should rest on could not be verified; `doubts` in the answer says what. */
  readonly complete: boolean;
}

/** Collects what an answer cites and what did not verify. */
export interface Evidence {
  readonly citations: CitedEntry[];
  readonly doubts: Doubt[];
  /** Documents that the answer should rest on and that are not there. */
  readonly gone: GoneDocument[];
}

/** A document that an entry names and that is not there; `what` it is, in words. */
export interface GoneDocument {
  readonly entry: Pick<LedgerEntry, 'index' | 'statementDigest'>;
  readonly digest: Digest;
  readonly what: string;
}

/** Nothing cited yet. */
export function startEvidence(): Evidence {
  return { citations: [], doubts: [], gone: [] };
}

/** Adds what a part of a question brought to light. */
export function addEvidence(evidence: Evidence, { citations, doubts, gone }: Evidence): void {
  evidence.citations.push(...citations);
  evidence.doubts.push(...doubts);
  evidence.gone.push(...gone);
}

/** Takes note of an entry that an answer cannot rest on. */
export function doubt(evidence: Evidence, entry: Pick<LedgerEntry, 'index' | 'statementDigest'>, code: ErrorCode, message: string): void {
  evidence.doubts.push({ statement: entry.statementDigest, logIndex: entry.index, code, message });
}

/** Takes note of an entry that an answer rests on, as it was read: `closeAnswer` proves that the log has it. */
export function citeEntry({ citations }: Evidence, entry: LedgerEntry): void {
  citations.push({ digest: entry.statementDigest, logIndex: entry.index, bytes: bytesOf(entry) });
}

/** Verifies an entry by a policy and cites it; an entry that does not verify becomes a doubt and is false. */
export async function cite(
  { ledger }: AuditContext,
  evidence: Evidence,
  entry: LedgerEntry,
  policy: Policy,
  signers?: readonly string[],
): Promise<boolean> {
  const cosigned = await ledger.firstCosignedCovering(entry.index);
  try {
    const row = { ...entry, logIndex: entry.index, origin: ledger.origin, cosigned };
    verifyLedgerRow(row, { trust: verifyTrustOf(policy), ...(signers === undefined ? {} : { signers }) });
    citeEntry(evidence, entry);
    return true;
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    doubt(evidence, entry, error.code, error.message);
    return false;
  }
}

/**
 * Closes an answer: proves every citation under the latest cosigned checkpoint. What was logged since is not proved yet: it becomes a doubt, and the
 * answer is not complete.
 *
 * @throws as `proveAll`
 */
export async function closeAnswer<T extends object>(
  context: AuditContext,
  evidence: Evidence,
  question: string,
  answer: T,
): Promise<Answer<T & { readonly doubts: readonly Doubt[] }>> {
  const unique = new Map(evidence.citations.map((citation) => [citation.logIndex, citation]));
  const cited = [...unique.values()].sort((a, b) => a.logIndex - b.logIndex);
  // "none" is an answer too: what it was read from is the log of that checkpoint
  const isEmpty = cited.length === 0 && (await context.ledger.latestCosigned()) === null;
  const proved = isEmpty ? { note: null, statements: [], unproved: [] } : await proveAll(context, cited);
  const all = [...evidence.doubts, ...proved.unproved.map(unprovedDoubt)];
  const doubts = [...new Map(all.map((one) => [`${one.logIndex} ${one.code} ${one.message}`, one])).values()];
  return { question, answer: { ...answer, doubts }, statements: proved.statements, checkpoint: proved.note, complete: doubts.length === 0 };
}

function unprovedDoubt({ digest, logIndex }: Citation): Doubt {
  return { statement: digest, logIndex, code: 'LOG_WITNESS', message: `entry ${logIndex} is logged, and no witness has seen it yet` };
}
