/** Step 5: the waybill. Its bytes are those that the channel names; every statement in it is verified with its place in the log. */
import { type Digest, type ErrorCode, LIMITS, PREDICATE, type Statement, TrustError } from '@sealane/core';
import { type ParsedBundle, parseBundle } from '../evidence/bundle.js';
import { type CheckpointSeen, readApproval } from '../evidence/predicates/approval.js';
import type { VerifiedStatement, VerifyOptions } from '../evidence/statement-checks.js';
import type { VerifyTrust } from '../evidence/verify-trust.js';
import { isEnrolment, trustWithEnrolled } from '../evidence/enrolled-trust.js';
import { verifyStatement } from '../evidence/verify-statement.js';
import type { RefusedStatement } from '../gates/gate.js';
import type { ChannelGroup } from '../policy/channel.js';
import { parseWaybill, type Waybill } from '../waybill/waybill.js';
import { blobPath, type LaneReader } from './lane-reader.js';
import type { LogView } from './log-step.js';

/** The statements of a waybill: those that count, and those whose signer does not (any more): they hurt only where a gate needs them. */
export interface WaybillStatements {
  readonly statements: readonly VerifiedStatement[];
  readonly refused: readonly RefusedStatement[];
}

/**
 * Reads the waybill that the channel points at.
 *
 * @throws TrustError `CONTENT_MISSING`, `CONTENT_DIGEST`, `CONTENT_LENGTH`, `TRUST_MALFORMED`; `WAYBILL_SUBJECT` of another release;
 * `WAYBILL_STAGE_ORDER` of another stage
 */
export function openWaybill(reader: LaneReader, choice: ChannelGroup, stage: string): Waybill {
  const bytes = reader.blob(choice.waybill, LIMITS.waybillBytes);
  if (bytes.length !== choice.length) {
    throw new TrustError('CONTENT_LENGTH', `read waybill ${choice.waybill}: expected ${choice.length} bytes, got ${bytes.length}`);
  }
  const waybill = parseWaybill(bytes);
  if (waybill.release !== choice.release)
    throw new TrustError('WAYBILL_SUBJECT', `read waybill ${choice.waybill}: expected release ${choice.release}, got ${waybill.release}`);
  if (waybill.stage !== stage)
    throw new TrustError('WAYBILL_STAGE_ORDER', `read waybill ${choice.waybill}: expected stage ${stage}, got ${waybill.stage}`);
  return waybill;
}

/**
 * Reads the reports and inventories that travel with the waybill, so that a wrong one is named by its path and not as missing evidence.
 *
 * @throws TrustError `CONTENT_MISSING`, `CONTENT_DIGEST`, `CONTENT_LENGTH`
 */
export function checkEvidenceBlobs(reader: LaneReader, { blobs }: Waybill): void {
  for (const { digest, size } of blobs) {
    const bytes = reader.blob(digest, LIMITS.evidenceBlobBytes);
    if (bytes.length !== size)
      throw new TrustError('CONTENT_LENGTH', `read ${blobPath(digest)}: expected ${size} bytes, got ${bytes.length}`, {
        path: blobPath(digest),
      });
  }
}

/** Codes of a signer who does not count: those statements are left out, and a gate that misses them says why. */
const SIGNER_CODES: readonly ErrorCode[] = ['EVIDENCE_SIGNER', 'SIGNER_CERTIFICATE', 'SIGNER_TIME', 'WAYBILL_APPROVALS', 'KEY_REVOKED'];

/**
 * Verifies every bundle of a waybill, and that every checkpoint in it is a prefix of the lane's log: those of proofs, and those that approvers saw.
 *
 * @throws TrustError `TRUST_MALFORMED`, `WAYBILL_SIGNATURE`, `LOG_NOT_INCLUDED`, `LOG_WITNESS`, `LOG_FORK`
 */
export function verifyWaybill(waybill: Waybill, trust: VerifyTrust, log: LogView): WaybillStatements {
  const statements: VerifiedStatement[] = [];
  const refused: RefusedStatement[] = [];
  const prefixes = new Set<string>();
  const quorums: VerifyOptions['quorums'] = new Map();
  const bundles = waybill.bundles.map(parseBundle);
  const options = { trust: trustWithEnrolled(trust, enrolments(bundles, { trust, quorums })), quorums };
  for (const bundle of bundles) {
    const result = verifyBundle(bundle, options);
    if ('code' in result) {
      refused.push(result);
      continue;
    }
    statements.push(result);
    expectPrefixes(result, log, prefixes);
  }
  return { statements, refused };
}

/** The records of rigs and sites that count: the registrar enrols them, and only then may they sign. */
function enrolments(bundles: readonly ParsedBundle[], options: VerifyOptions): readonly VerifiedStatement[] {
  const records = bundles.filter(({ statement }) => isEnrolment(statement));
  return records.flatMap((bundle) => {
    const result = verifyBundle(bundle, options);
    return 'code' in result ? [] : [result];
  });
}

function verifyBundle(bundle: ParsedBundle, options: VerifyOptions): VerifiedStatement | RefusedStatement {
  const { statement } = bundle;
  const { predicateType } = statement;
  try {
    return verifyStatement(bundle, { ...options, signerCode: signerCodeOf(predicateType) });
  } catch (error) {
    if (!(error instanceof TrustError) || !SIGNER_CODES.includes(error.code)) throw error;
    return { digest: bundle.statementDigest, predicateType, code: error.code, why: error.message, statement };
  }
}

/** A decision by a stranger is a forged one; an approval by a stranger is none. */
function signerCodeOf(predicateType: string): ErrorCode {
  if (predicateType === PREDICATE.decision) return 'WAYBILL_SIGNATURE';
  return predicateType === PREDICATE.approval ? 'WAYBILL_APPROVALS' : 'EVIDENCE_SIGNER';
}

/** Most proofs share a checkpoint: each is compared once. */
function expectPrefixes({ checkpoint, statement }: VerifiedStatement, log: LogView, done: Set<string>): void {
  if (checkpoint !== null && !done.has(checkpoint.text)) {
    done.add(checkpoint.text);
    log.expectPrefix(checkpoint);
  }
  // THREATS T8: a log that shows one history to approvers and another to sites is caught by what the approvers signed
  const seen = checkpointSeenBy(statement);
  const key = `${seen?.origin ?? ''} ${seen?.size ?? ''} ${seen?.root ?? ''}`;
  if (seen === undefined || done.has(key)) return;
  done.add(key);
  log.expectPrefix({ origin: seen.origin, size: seen.size, root: new Uint8Array(Buffer.from(seen.root, 'base64')) });
}

/** What an approver saw of the log. An approval that cannot be read is no vote, and must not stop the votes of others: the gate leaves it out. */
function checkpointSeenBy(statement: Statement): CheckpointSeen | undefined {
  if (statement.predicateType !== PREDICATE.approval) return undefined;
  try {
    return readApproval(statement).checkpoint;
  } catch (error) {
    if (error instanceof TrustError) return undefined;
    throw error;
  }
}

/**
 * The tree sizes whose consistency with the lane's checkpoint admission of this waybill will want to see: a mirror must bring the tiles for them.
 * Unverified: malformed bundles count for nothing here, admission refuses them.
 */
export function checkpointSizesOf(waybill: Waybill): readonly number[] {
  const sizes = waybill.bundles.flatMap((json) => sizesOf(json));
  return [...new Set(sizes)].sort((left, right) => left - right);
}

function sizesOf(json: Waybill['bundles'][number]): readonly number[] {
  try {
    const { logged, statement } = parseBundle(json);
    const seen = checkpointSeenBy(statement);
    return [...(logged === null ? [] : [logged.proof.treeSize]), ...(seen === undefined ? [] : [seen.size])];
  } catch (error) {
    if (error instanceof TrustError) return [];
    throw error;
  }
}

/** The one verified statement of a digest. */
export function statementOf({ statements }: WaybillStatements, digest: Digest): VerifiedStatement | undefined {
  return statements.find((each) => each.digest === digest);
}
