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
import { type ExceptionRequestPredicate, parseBundle, readExceptionRequest, readSiteRecord } from '@sealane/trust';
import { bundleOf, firstCheckpoint, statementOf } from '../log/log-statements.js';
import type { Promoter } from '../promoter.js';
import { exceptionAt } from './sign.js';

/**
 * Reads a request and verifies that the site signed it with the key of its record.
 *
 * @throws PromoterError `EVIDENCE_SIGNER` no such site, or another key; `EVIDENCE_SUBJECT` no request; TrustError, CoreError for malformed ones
 */
export async function readRequest({ ledger }: Promoter, bytes: Uint8Array, source: string): Promise<ExceptionRequestPredicate> {
  const { envelope, statement } = parseBundle(parseStrictJson(bytes, { maxBytes: LIMITS.bundleBytes, maxDepth: LIMITS.jsonDepth }));
  if (statement.predicateType !== PREDICATE.exceptionRequest)
    throw new PromoterError('EVIDENCE_SUBJECT', `read ${source}: expected a request for an exception, got ${statement.predicateType}`);
  const request = readExceptionRequest(statement);
  const [last] = [...(await ledger.sites(request.site))].slice(-1);
  const record = last === undefined ? undefined : readSiteRecord(statementOf(await ledger.entry(last.index)));
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
  const { release, nonce } = await exceptionAt(promoter, digest);
  const entries = await promoter.ledger.statementsAbout(release, PREDICATE.exception);
  const bundles: JsonObject[] = [];
  for (const entry of entries.filter((each) => statementOf(each).predicate.nonce === nonce))
    bundles.push(await bundleOf(promoter.ledger, entry, await firstCheckpoint(promoter.ledger, entry.index)));
  return bundles;
}
