/** What every answer is made from: a ledger copy, the policies that name keys and people, and a way to read blobs. */
import { AuditorError, type Digest, type ErrorCode, SealaneError } from '@sealane/core';
import type { Ledger, LedgerEntry } from '@sealane/ledger';
import { type Policy, verifyLedgerRow, verifyTrustOf } from '@sealane/trust';
import type { LogFolder } from './log-files.js';
import { type CitedEntry, proveAll } from './proofs.js';

export interface AuditContext {
  readonly ledger: Ledger;
  /** One for each stage, in the order of the lane. */
  readonly policies: readonly Policy[];
  /** A blob of `content/`, checked against its digest; undefined when it is not there. */
  readonly readBlob: (digest: Digest) => Uint8Array | undefined;
  /** The published log. */
  readonly log: LogFolder;
}

/** A statement that an answer rests on, by digest and place in the log. */
export interface Citation {
  readonly digest: Digest;
  readonly logIndex: number;
}

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

/** Takes note of an entry that an answer cannot rest on. */
export function doubt(evidence: Evidence, entry: Pick<LedgerEntry, 'index' | 'statementDigest'>, code: ErrorCode, message: string): void {
  evidence.doubts.push({ statement: entry.statementDigest, logIndex: entry.index, code, message });
}

/** Takes note of an entry that an answer rests on, as it was read: `closeAnswer` proves that the log has it. */
export function citeEntry({ citations }: Evidence, entry: LedgerEntry): void {
  citations.push({ digest: entry.statementDigest, logIndex: entry.index, entry });
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

/** The policy of a stage. @throws AuditorError `STAGE_UNKNOWN` */
export function policyOf({ policies }: AuditContext, stage: string): Policy {
  const found = policies.find((policy) => policy.stage === stage);
  if (found !== undefined) return found;
  throw new AuditorError(
    'STAGE_UNKNOWN',
    `read the policy of ${stage}: expected one of the stages ${policies.map((policy) => policy.stage).join(', ')}`,
  );
}

/** Who holds a key: a person of the policies, or undefined. */
export function personOf({ policies }: AuditContext, keyId: string): string | undefined {
  return policies.flatMap(({ people }) => people).find(({ keys }) => keys.includes(keyId))?.id;
}
