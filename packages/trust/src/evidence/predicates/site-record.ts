/** `urn:sealane:site:v1`: the registrar gives a site its name, key, stage, labels and, where it is known, its topology. */
import { digestHex, fromBase64, parseDigest, PREDICATE, sha256, type Statement, TrustError } from '@sealane/core';
import { z } from 'zod';
import { base64Shape, keyIdShape, labelsShape, nameShape, saltShape, timeShape } from '../../policy/shapes.js';
import { checkTopology, type Topology, topologyShape } from '../../reports/topology.js';
import { recipientShape } from './secret.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

/** The predicate. `key.id` = hex SHA-256 of the SPKI DER in `key.spki` (base64). */
export type SiteRecordPredicate = {
  readonly site: string;
  readonly key: { readonly id: string; readonly spki: string };
  /** To whom secrets of the site are sealed; absent: it gets none. */
  readonly recipient?: string;
  readonly stage: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly topology?: Topology;
  readonly nonce: string;
  readonly issuedAt: string;
  readonly salt?: string;
};

/** Zod's shape of the predicate. */
export const siteRecordShape = z.strictObject({
  site: nameShape,
  key: z.strictObject({ id: keyIdShape, spki: base64Shape }),
  recipient: recipientShape.exactOptional(),
  stage: nameShape,
  labels: labelsShape,
  topology: topologyShape.exactOptional(),
  nonce: saltShape,
  issuedAt: timeShape,
  salt: saltShape.exactOptional(),
});

const format: PredicateFormat<SiteRecordPredicate> = { what: 'site record', predicateType: PREDICATE.siteRecord, shape: siteRecordShape };

/**
 * Reads a site record.
 *
 * @throws TrustError `TRUST_MALFORMED` another shape, the key's id is not the hash of the key, or a topology that contradicts itself
 */
export function readSiteRecord(statement: Statement): SiteRecordPredicate {
  const record = readPredicate(format, statement);
  const actual = digestHex(sha256(fromBase64(record.key.spki)));
  if (actual !== record.key.id) {
    throw new TrustError(
      'TRUST_MALFORMED',
      `read site record: expected key.id ${record.key.id} to be the SHA-256 of key.spki, got ${actual}`,
    );
  }
  if (record.topology !== undefined) checkTopology(record.topology);
  return record;
}

/** The payload of a site record; its subject is the site's key. @throws TrustError `TRUST_MALFORMED` */
export function siteRecordStatement(predicate: SiteRecordPredicate): Uint8Array {
  return writePredicate(format, [{ name: predicate.site, digest: parseDigest(`sha256:${predicate.key.id}`) }], predicate);
}
