/** What every answer is made from: a ledger copy, the policies that name keys and people, and a way to read blobs. */
import { type Digest, type ErrorCode, parseCheckpoint, SealaneError, verifyInclusion, leafHash, logLeaf, AuditorError } from '@sealane/core';
import type { Entry, Ledger } from '@sealane/ledger';
import { type Policy, quorumOf, verifyLedgerRow, type VerifiedStatement, type VerifyTrust, verifyTrustOf } from '@sealane/trust';

/** A policy by its stage, with the digest of its file. */
export interface StagePolicy {
  readonly policy: Policy;
  readonly digest: Digest;
}

export interface AuditContext {
  readonly ledger: Ledger;
  /** One for each stage. */
  readonly policies: readonly StagePolicy[];
  /** A blob of `content/`, verified by its digest; undefined when it is not there. */
  readonly readBlob: (digest: Digest) => Promise<Uint8Array | undefined>;
}

/** A statement that an answer rests on, by digest and place in the log. */
export interface Citation {
  readonly digest: Digest;
  readonly logIndex: number;
}

/** An answer to a question: the checkpoint (signed note) under which every citation's inclusion was verified. */
export interface Answer<T extends object = object> {
  readonly question: string;
  readonly answer: T;
  readonly statements: readonly Citation[];
  readonly checkpoint: string | null;
  /** False when something the answer should rest on could not be verified; `answer` says what. */
  readonly complete: boolean;
}

/** Collects what an answer cites and whether all of it verified. */
export class Evidence {
  readonly citations: Citation[] = [];
  readonly doubts: { readonly statement: Digest; readonly logIndex: number; readonly code: ErrorCode; readonly message: string }[] = [];
  readonly #context: AuditContext;

  constructor(context: AuditContext) {
    this.#context = context;
  }

  /**
   * Verifies an entry against the trust of a policy and cites it. An entry that does not verify becomes a doubt and is not returned.
   */
  verify(entry: Entry, policy: Policy, signers?: readonly string[]): VerifiedStatement | undefined {
    const { ledger } = this.#context;
    try {
      const row = { ...entry, logIndex: entry.index, origin: ledger.origin, cosigned: ledger.firstCosignedCovering(entry.index) ?? null };
      const verified = verifyLedgerRow(row, { trust: verifyTrustOf(policy), ...(signers === undefined ? {} : { signers }) });
      this.citations.push({ digest: entry.statementDigest, logIndex: entry.index });
      return verified;
    } catch (error) {
      if (!(error instanceof SealaneError)) throw error;
      this.doubts.push({ statement: entry.statementDigest, logIndex: entry.index, code: error.code, message: error.message });
      return undefined;
    }
  }

  /**
   * Closes an answer: proves every citation under the latest cosigned checkpoint.
   *
   * @throws AuditorError `LOG_NOT_INCLUDED`, `LOG_WITNESS` no cosigned checkpoint covers what is cited
   */
  close<T extends object>(question: string, answer: T): Answer<T & { readonly doubts: Evidence['doubts'] }> {
    const statements = [...new Map(this.citations.map((citation) => [citation.logIndex, citation])).values()].sort((a, b) => a.logIndex - b.logIndex);
    const checkpoint = statements.length === 0 ? null : proveAll(this.#context, statements);
    return { question, answer: { ...answer, doubts: this.doubts }, statements, checkpoint, complete: this.doubts.length === 0 };
  }
}

/** Verifies inclusion of every citation under the latest cosigned checkpoint, and that checkpoint's quorum; returns the checkpoint. */
function proveAll(context: AuditContext, citations: readonly Citation[]): string {
  const note = context.ledger.latestCosigned();
  const trust = anyTrust(context);
  const log = trust.logs.find(({ origin }) => origin === context.ledger.origin);
  if (note === undefined || log === undefined) {
    throw new AuditorError('LOG_WITNESS', `prove ${citations.length} statements: expected a cosigned checkpoint of ${context.ledger.origin}, got none`);
  }
  const { checkpoint } = quorumOf(note, log, trust);
  for (const { logIndex } of citations) proveOne(context.ledger, logIndex, checkpoint);
  return note;
}

function proveOne(ledger: Ledger, index: number, checkpoint: ReturnType<typeof parseCheckpoint>): void {
  if (index >= checkpoint.size) {
    throw new AuditorError('LOG_NOT_INCLUDED', `prove entry ${index}: expected a cosigned checkpoint above it, the latest has ${checkpoint.size} entries`);
  }
  const { envelope, spki } = ledger.entry(index);
  const proof = ledger.inclusionProof(index, checkpoint.size);
  verifyInclusion({ leafHash: leafHash(logLeaf(envelope, spki)), index, size: checkpoint.size, proof, root: checkpoint.root });
}

function anyTrust({ policies }: AuditContext): VerifyTrust {
  const [first] = policies;
  if (first === undefined) throw new AuditorError('CONFIG_INVALID', 'read the policies of the lane: expected at least one stage, got none');
  return verifyTrustOf(first.policy);
}

/** The policy of a stage. @throws AuditorError `CONFIG_INVALID` no such stage */
export function policyOf({ policies }: AuditContext, stage: string): Policy {
  const found = policies.find(({ policy }) => policy.stage === stage);
  if (found === undefined) {
    const known = policies.map(({ policy }) => policy.stage).join(', ');
    throw new AuditorError('CONFIG_INVALID', `read the policy of ${stage}: expected one of the stages ${known}`);
  }
  return found.policy;
}

/** Who holds a key: a person of the policies, or undefined. */
export function personOf({ policies }: AuditContext, keyId: string): string | undefined {
  return policies.flatMap(({ policy }) => policy.people).find(({ keys }) => keys.includes(keyId))?.id;
}

