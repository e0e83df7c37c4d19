/** Verification of a row of the promoter's own ledger: the same rules as for a bundle, but for inclusion, which the ledger answers for. */
import {
  CoreError,
  type Digest,
  envelopePayload,
  equalBytes,
  keyIdOf,
  parseStatement,
  type Signed,
  type Statement,
  statementDigestOf,
  TrustError,
} from '@sealane/core';
import { certifiedSigner, checkCertified, type StatementSigner } from './certified.js';
import {
  allowedKey,
  checkSignature,
  checkWindow,
  notIncluded,
  quorumOnce,
  verified,
  type VerifiedStatement,
  type VerifyOptions,
} from './statement-checks.js';

/**
 * A row of our own ledger: its place is known, so no proof is needed; `cosigned` is the first quorum checkpoint that covers it. `statement` is what the
 * ledger read in the payload of this very envelope, where it did.
 */
export interface LedgerRow extends Signed {
  readonly statement?: Statement;
  readonly logIndex: number;
  readonly origin: string;
  readonly cosigned: string | null;
}

/**
 * Verifies a row of the promoter's own ledger by the same rules, but for inclusion, which the ledger itself answers for.
 *
 * @throws TrustError as `verifyStatement`; `TRUST_MALFORMED` the payload is no statement
 */
export function verifyLedgerRow(row: LedgerRow, options: VerifyOptions): VerifiedStatement {
  const digest = (options.digestOf ?? statementDigestOf)(row.envelope);
  const { id, spki, window } = signerOf(digest, row, options);
  // only what was verified by this very key
  if (options.signatures?.has(row.envelope) !== true || !equalBytes(spki, row.spki)) checkSignature(digest, row.envelope, { spki });
  checkWindow(digest, id, window, row.origin, row.logIndex);
  if (row.certified !== undefined) checkCertified(digest, { ...row, certified: row.certified }, options.trust);
  const statement = row.statement ?? statementOf(digest, row.envelope);
  const log = options.trust.logs.find((candidate) => candidate.origin === row.origin);
  if (row.cosigned === null || log === undefined) return verified(digest, id, row.logIndex, statement, null);
  const quorum = quorumOnce(row.cosigned, log, options);
  if (quorum.checkpoint.size <= row.logIndex)
    throw notIncluded(digest, `a checkpoint of more than ${row.logIndex} entries`, `${quorum.checkpoint.size}`);
  return verified(digest, id, row.logIndex, statement, quorum);
}

function signerOf(digest: Digest, { spki, certified }: LedgerRow, options: VerifyOptions): StatementSigner {
  if (certified !== undefined) return certifiedSigner(digest, certified, options);
  const id = keyIdOf(spki);
  const key = allowedKey(digest, id, options);
  return { id, spki: key.spki, window: key };
}

function statementOf(digest: Digest, envelope: Signed['envelope']): Statement {
  try {
    return parseStatement(envelopePayload(envelope));
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    throw new TrustError('TRUST_MALFORMED', `read statement ${digest}: ${error.message}`, {}, { cause: error });
  }
}
