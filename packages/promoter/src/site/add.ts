/** Enrols a site: the registrar signs a record for the key in its request, and the record is logged. */
import { base64, type Digest, type JsonObject, PromoterError, readSiteRequest, type Signer } from '@sealane/core';
import { siteRecordStatement, type Topology } from '@sealane/trust';
import { bundleOf, firstCheckpoint, signAndLog, witnessedHead } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';

export interface SiteWish {
  /** The bytes of the request that the site made. */
  readonly request: Uint8Array;
  readonly stage: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What stands at the site, where it is known. */
  readonly topology?: Topology;
  readonly registrar: Signer;
}

export interface AddedSite {
  readonly site: string;
  readonly keyId: string;
  readonly statement: Digest;
  readonly logIndex: number;
  /** The record for the site: a bundle with its proof. */
  readonly record: JsonObject;
}

/**
 * Enrols a site. A request that was answered before gets the same record again.
 *
 * @throws CoreError `REQUEST_MALFORMED`; PromoterError `EVIDENCE_SIGNER` the key is no registrar's; `LOG_WITNESS`
 */
export async function addSite(promoter: Promoter, wish: SiteWish): Promise<AddedSite> {
  const { policy } = stageOf(promoter, wish.stage);
  if (!policy.registrar.includes(wish.registrar.keyId)) {
    throw new PromoterError(
      'EVIDENCE_SIGNER',
      `add a site to ${wish.stage}: expected the registrar's key, got key ${wish.registrar.keyId}`,
    );
  }
  const { name, spki, keyId, recipient } = readSiteRequest(wish.request);
  const payload = siteRecordStatement({
    site: name,
    key: { id: keyId, spki: base64(spki) },
    ...(recipient === null ? {} : { recipient }),
    stage: wish.stage,
    labels: wish.labels,
    ...(wish.topology === undefined ? {} : { topology: wish.topology }),
    nonce: promoter.randomHex(),
    issuedAt: promoter.now(),
  });
  const { index, statementDigest } = await signAndLog(promoter.ledger, payload, wish.registrar);
  await witnessedHead(promoter);
  const entry = await promoter.ledger.entry(index);
  const record = await bundleOf(promoter.ledger, entry, await firstCheckpoint(promoter.ledger, index));
  return { site: name, keyId, statement: statementDigest, logIndex: index, record };
}

/** `K=V` pairs of `--label`. @throws PromoterError `USAGE` */
export function parseLabels(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, key, value] = /^([A-Za-z0-9][A-Za-z0-9._/-]*)=(.+)$/.exec(pair) ?? [];
      if (key === undefined || value === undefined)
        throw new PromoterError('USAGE', `read --label: expected KEY=VALUE, got ${JSON.stringify(pair)}`);
      return [key, value];
    }),
  );
}
