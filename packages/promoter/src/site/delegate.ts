/** Delegates: the registrar names who may give replaced nodes of some sites their record; and the record that such a delegate gives, without lane or network. */
import {
  base64,
  type Digest,
  type JsonObject,
  keyIdOf,
  PromoterError,
  readSiteRequest,
  SealaneError,
  type Signer,
  signStatement,
} from '@sealane/core';
import {
  type DelegationPredicate,
  delegationStatement,
  encodeBundle,
  parseBundle,
  readDelegation,
  siteRecordStatement,
} from '@sealane/trust';
import { bundleOf, firstCheckpoint, signAndLog, witnessedHead } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';
import { standingOf } from './in-force.js';

export interface DelegationWish {
  readonly sites: readonly string[];
  /** Public half of the delegate's key, SPKI DER. */
  readonly delegate: Uint8Array;
  readonly days: number;
  readonly reason: string;
  readonly registrar: Signer;
}

/** What was logged, and the bundle for the delegate. */
export interface Delegated {
  readonly delegate: string;
  readonly stage: string;
  readonly sites: readonly string[];
  readonly expiresAt: string;
  readonly statement: Digest;
  readonly logIndex: number;
  readonly delegation: JsonObject;
}

const DAY_MS = 86_400_000;

/**
 * Delegates sites of one stage, each as its record has it now.
 *
 * @throws PromoterError `SITE_UNKNOWN`; `USAGE` no site, sites of two stages, or one that is retired or fenced; `EVIDENCE_SIGNER` the key is no registrar's; `LOG_WITNESS`
 */
export async function delegateSites(promoter: Promoter, { sites, delegate, days, reason, registrar }: DelegationWish): Promise<Delegated> {
  const standing = await Promise.all([...new Set(sites)].map((site) => standingOf(promoter, site)));
  const [first] = standing;
  if (first === undefined) throw new PromoterError('USAGE', 'delegate sites: expected the name of a site, got none');
  const { stage } = first.record;
  for (const { record, objection } of standing) {
    const wrong = record.stage === stage ? objection : `it is of stage ${record.stage}`;
    if (wrong !== null)
      throw new PromoterError('USAGE', `delegate site ${record.site}: expected a site in force of stage ${stage}: ${wrong}`);
  }
  if (!stageOf(promoter, stage).policy.registrar.includes(registrar.keyId))
    throw new PromoterError('EVIDENCE_SIGNER', `delegate sites of ${stage}: expected the registrar's key, got key ${registrar.keyId}`);
  const issuedAt = promoter.now();
  const expiresAt = `${new Date(Date.parse(issuedAt) + days * DAY_MS).toISOString().slice(0, 19)}Z`;
  const predicate: DelegationPredicate = {
    delegate: { id: keyIdOf(delegate), spki: base64(delegate) },
    stage,
    sites: standing.map(({ record: { site, labels, topology } }) => ({ site, labels, ...(topology === undefined ? {} : { topology }) })),
    reason,
    issuedAt,
    expiresAt,
    salt: promoter.randomHex(),
  };
  const { index, statementDigest } = await signAndLog(promoter.ledger, delegationStatement(predicate), registrar);
  await witnessedHead(promoter);
  const delegation = await bundleOf(promoter.ledger, await promoter.ledger.entry(index), await firstCheckpoint(promoter.ledger, index));
  const names = predicate.sites.map(({ site }) => site);
  return { delegate: predicate.delegate.id, stage, sites: names, expiresAt, statement: statementDigest, logIndex: index, delegation };
}

export interface ReplacementWish {
  /** The bytes of the request that the new node made. */
  readonly request: Uint8Array;
  /** The bytes of the registrar's delegation. Whose it is, the site will say: a delegate's machine knows no policy. */
  readonly delegation: Uint8Array;
  readonly delegate: Signer;
  readonly now: string;
  readonly nonce: string;
}

/** The record of a replaced node, and the delegation that it rests on: what the site takes in. */
export interface Replacement {
  readonly site: string;
  readonly stage: string;
  readonly keyId: string;
  readonly expiresAt: string;
  readonly record: readonly [JsonObject, JsonObject];
}

/**
 * Gives a replaced node its record.
 *
 * @throws CoreError `REQUEST_MALFORMED`; PromoterError `CONFIG_INVALID` no delegation, `SITE_MISMATCH` it is for another key or other sites, or has ended
 */
export async function replaceSite({ request, delegation: bytes, delegate: signer, now, nonce }: ReplacementWish): Promise<Replacement> {
  const { json, delegate, stage, sites, expiresAt } = openDelegation(bytes);
  const { name, spki, keyId, recipient } = readSiteRequest(request);
  const refuse = (expected: string, got: string): PromoterError =>
    new PromoterError('SITE_MISMATCH', `replace the node of ${name}: expected ${expected}, got ${got}`);
  if (signer.keyId !== delegate.id) throw refuse(`the key that the registrar delegated to, ${delegate.id}`, `key ${signer.keyId}`);
  const site = sites.find((each) => each.site === name);
  if (site === undefined) throw refuse(`one of ${sites.map((each) => each.site).join(', ')}`, 'another site: it needs the registrar');
  if (now >= expiresAt) throw refuse(`a delegation that holds at ${now}`, `one until ${expiresAt}`);
  const payload = siteRecordStatement({
    ...site,
    key: { id: keyId, spki: base64(spki) },
    ...(recipient === null ? {} : { recipient }),
    stage,
    nonce,
    issuedAt: now,
  });
  return { site: name, stage, keyId, expiresAt, record: [encodeBundle(await signStatement(payload, signer)), json] };
}

function openDelegation(bytes: Uint8Array): DelegationPredicate & { readonly json: JsonObject } {
  try {
    const bundle = parseBundle(bytes);
    return { ...readDelegation(bundle.statement), json: bundle.json };
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    const hint = 'take the file that sealane site delegate wrote';
    throw new PromoterError('CONFIG_INVALID', `read the delegation: ${cause.message}`, {}, { cause, hint });
  }
}
