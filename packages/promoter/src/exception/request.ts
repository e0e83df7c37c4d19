/** A site's request for an exception: read, and held to what the ledger knows of the site. */
import {
  type Digest,
  fromBase64,
  type JsonObject,
  keyIdOf,
  LIMITS,
  parseStrictJson,
  PREDICATE,
  PromoterError,
  verifyEnvelope,
} from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import {
  countsAt,
  type ExceptionRequestPredicate,
  exceptionSigners,
  exceptionTerms,
  parseBundle,
  readExceptionRequest,
  readSiteRecord,
} from '@sealane/trust';
import { bundleOf, firstCheckpoint, statementOf } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';
import { siteRecords } from '../site/records.js';
import { exceptionIn } from './exceptions.js';
import { exceptionAt } from './sign.js';

/**
 * Reads a request and verifies that the site signed it with the key of its record.
 *
 * @throws PromoterError `EVIDENCE_SIGNER` no such site, or another key; `EVIDENCE_SUBJECT` no request; TrustError, CoreError for malformed ones
 */
export async function readRequest(promoter: Promoter, bytes: Uint8Array, source: string): Promise<ExceptionRequestPredicate> {
  const { envelope, statement } = parseBundle(parseStrictJson(bytes, { maxBytes: LIMITS.bundleBytes, maxDepth: LIMITS.jsonDepth }));
  if (statement.predicateType !== PREDICATE.exceptionRequest)
    throw new PromoterError('EVIDENCE_SUBJECT', `read ${source}: expected a request for an exception, got ${statement.predicateType}`);
  const request = readExceptionRequest(statement);
  const last = (await siteRecords(promoter, request.site)).at(-1);
  const record = last === undefined ? undefined : readSiteRecord(statementOf(await promoter.ledger.entry(last.index)));
  const spki = record === undefined ? undefined : fromBase64(record.key.spki);
  const isBySite =
    spki !== undefined && record?.stage === request.stage && keyIdOf(spki) === request.keyId && verifyEnvelope(envelope, spki);
  if (!isBySite)
    throw new PromoterError(
      'EVIDENCE_SIGNER',
      `read ${source}: expected a request by a site of ${request.stage} with the key of its record, got one of ${request.site}`,
    );
  return request;
}

/** Everybody's signature on the same exception, as bundles with their proofs: what is carried to a site. @throws PromoterError `STATEMENT_UNKNOWN`, `LOG_WITNESS` */
export async function exceptionBundles(promoter: Promoter, digest: Digest): Promise<readonly JsonObject[]> {
  const terms = await exceptionAt(promoter, digest);
  const { policy } = stageOf(promoter, terms.stage);
  const rule = policy.exceptions?.find(({ kind }) => kind === terms.kind);
  const signers = rule === undefined ? [] : exceptionSigners(policy, rule);
  const entries = await promoter.ledger.statementsAbout(terms.release, PREDICATE.exception);
  // a site takes all of them or none: one under the same nonce that does not count must not spoil those that do
  const isOfThese = (entry: LedgerEntry): boolean => {
    const found = exceptionIn(entry);
    const counts = signers.includes(entry.keyId) && countsAt(policy, entry);
    return found !== undefined && counts && exceptionTerms(found.predicate) === exceptionTerms(terms);
  };
  const bundles: JsonObject[] = [];
  for (const entry of entries.filter(isOfThese))
    bundles.push(await bundleOf(promoter.ledger, entry, await firstCheckpoint(promoter.ledger, entry.index)));
  return bundles;
}
