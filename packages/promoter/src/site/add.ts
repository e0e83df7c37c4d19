/** Enrols a site: the registrar signs a record for the key in its request, and the record is logged. */
import { base64, type Digest, type JsonObject, parseStatement, PromoterError, readSiteRequest, type Signer } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { siteRecordStatement, type Topology } from '@sealane/trust';
import { bundleOf, firstCheckpoint, signAndLog, statementOf, witnessedHead } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';
import { changesBetween, type SiteChange } from './changes.js';
import { isInForce, retirementOf } from './in-force.js';
import { lastRecords, siteRecords } from './records.js';

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
  /** The record of the same name before this one, and what it said otherwise; null when there was none, or it says the same. */
  readonly replaces: ReplacedRecord | null;
  /** Other names that the same key has, by the records that count: one host that was renamed, or several that were copied from one disk. */
  readonly otherNames: readonly OtherName[];
}

export interface OtherName {
  readonly site: string;
  readonly logIndex: number;
}

export interface ReplacedRecord {
  readonly statement: Digest;
  readonly logIndex: number;
  readonly changes: readonly SiteChange[];
}

/**
 * Enrols a site. A request that was answered before, with the same stage, labels and topology, gets the same record again while that is in force.
 * The last record of a name is the one that counts: what it replaces is told, and so is every other name of its key.
 *
 * @throws CoreError `REQUEST_MALFORMED`; PromoterError `EVIDENCE_SIGNER` the key is no registrar's; `SITE_RETIRED` its key was retired; `LOG_WITNESS`
 */
export async function addSite(promoter: Promoter, wish: SiteWish): Promise<AddedSite> {
  const { policy } = stageOf(promoter, wish.stage);
  if (!policy.registrar.includes(wish.registrar.keyId)) {
    throw new PromoterError(
      'EVIDENCE_SIGNER',
      `add a site to ${wish.stage}: expected the registrar's key, got key ${wish.registrar.keyId}`,
      {},
      { hint: 'sign with a key that pipeline.yaml names as registrar: --key registrar, if it has that name' },
    );
  }
  const { name, spki, keyId, recipient } = readSiteRequest(wish.request);
  // its record would not count, and would still take the place of the one of the node that stands there now
  if ((await retirementOf(promoter, policy, keyId)) !== undefined)
    throw new PromoterError('SITE_RETIRED', `add site ${name}: expected a key that is in use, got key ${keyId}, which was retired`);
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
  const before = await lastRecord(promoter, name);
  const changes = before === undefined ? [] : changesBetween(statementOf(before), parseStatement(payload));
  const isSaid =
    before !== undefined && changes.length === 0 && before.keyId === wish.registrar.keyId && (await isInForce(promoter, before));
  const index = isSaid ? before.index : (await signAndLog(promoter.ledger, payload, wish.registrar)).index;
  await witnessedHead(promoter);
  const entry = await promoter.ledger.entry(index);
  const record = await bundleOf(promoter.ledger, entry, await firstCheckpoint(promoter.ledger, index));
  const replaces = before === undefined || isSaid ? null : { statement: before.statementDigest, logIndex: before.index, changes };
  const otherNames = (await lastRecords(promoter)).flatMap(({ site, siteKeyId, index: logIndex }) =>
    siteKeyId === keyId && site !== name ? [{ site, logIndex }] : [],
  );
  return { site: name, keyId, statement: entry.statementDigest, logIndex: index, record, replaces, otherNames };
}

async function lastRecord(promoter: Promoter, name: string): Promise<LedgerEntry | undefined> {
  const row = (await siteRecords(promoter, name)).at(-1);
  return row === undefined ? undefined : await promoter.ledger.entry(row.index);
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
