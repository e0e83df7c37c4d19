/**
 * `urn:sealane:delegation:v1`: the registrar lets somebody nearer to some sites give a replaced node its record, for a while and without a network.
 *
 * It names each site with all that its record says of it: a delegate ties a new key to a site that is there, and changes nothing else.
 */
import { digestHex, fromBase64, PREDICATE, sha256, type Statement, TrustError } from '@sealane/core';
import { z } from 'zod';
import { base64Shape, keyIdShape, labelsShape, nameShape, saltShape, textShape, timeShape } from '../../policy/shapes.js';
import { checkTopology, type Topology, topologyShape } from '../../reports/topology.js';
import { keySubject } from './rig.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

/** A site as its record has it. */
export type DelegatedSite = {
  readonly site: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly topology?: Topology;
};

/** The predicate. `delegate.id` = hex SHA-256 of the SPKI DER in `delegate.spki` (base64); each site once. */
export type DelegationPredicate = {
  readonly delegate: { readonly id: string; readonly spki: string };
  readonly stage: string;
  readonly sites: readonly DelegatedSite[];
  readonly reason: string;
  readonly issuedAt: string;
  readonly expiresAt: string;
  readonly salt: string;
};

/** Most sites of one delegation: who looks after a region, not after the fleet. */
const MAX_SITES = 64;

/** Zod's shape of the predicate. */
export const delegationShape = z.strictObject({
  delegate: z.strictObject({ id: keyIdShape, spki: base64Shape }),
  stage: nameShape,
  sites: z
    .array(z.strictObject({ site: nameShape, labels: labelsShape, topology: topologyShape.exactOptional() }))
    .min(1)
    .max(MAX_SITES),
  reason: textShape.min(1),
  issuedAt: timeShape,
  expiresAt: timeShape,
  salt: saltShape,
});

const format: PredicateFormat<DelegationPredicate> = { what: 'delegation', predicateType: PREDICATE.delegation, shape: delegationShape };

/**
 * Reads a delegation.
 *
 * @throws TrustError `TRUST_MALFORMED` another shape, the key's id is not the hash of the key, a site twice, or a topology that contradicts itself
 */
export function readDelegation(statement: Statement): DelegationPredicate {
  const delegation = readPredicate(format, statement);
  const { delegate, sites } = delegation;
  const actual = digestHex(sha256(fromBase64(delegate.spki)));
  if (actual !== delegate.id) throw malformed(`delegate.id ${delegate.id} to be the SHA-256 of delegate.spki, got ${actual}`);
  const names = sites.map(({ site }) => site);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw malformed(`each site once, got ${twice} again`);
  for (const { topology } of sites) if (topology !== undefined) checkTopology(topology);
  return delegation;
}

function malformed(expected: string): TrustError {
  return new TrustError('TRUST_MALFORMED', `read delegation: expected ${expected}`);
}

/** The payload of a delegation; its subject is the delegate's key. @throws TrustError `TRUST_MALFORMED` */
export function delegationStatement(predicate: DelegationPredicate): Uint8Array {
  return writePredicate(format, [{ name: 'delegate', digest: keySubject(predicate.delegate.id) }], predicate);
}
