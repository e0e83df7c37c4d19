/** Reading one's own repository: what a metadata file says of itself, for the next version, the listing above it, and for people. */
import { createHash } from 'node:crypto';
import { LIMITS, TrustError } from '@sealane/core';
import { earliestExpiry } from './expiry.js';
import { metadataFileName } from './file-names.js';
import { parseRoot, parseSnapshot, parseTargets, parseTimestamp, type RoleMetadata } from './metadata.js';
import { TOP_ROLES, type TopRole, type TufRules } from './rules.js';
import { parseSignedDocument, type SignedDocument } from './signed-document.js';

/** A role's file as snapshot or timestamp lists it. */
export interface ListedRole {
  readonly role: string;
  readonly version: number;
  readonly lengthBytes: number;
  readonly sha256Hex: string;
}

/** A metadata file in short. `signedBy` are the TUF key ids of its signatures, unverified. */
export interface MetadataSummary {
  readonly type: TopRole;
  readonly version: number;
  readonly expiresAt: string;
  readonly signedBy: readonly string[];
}

/**
 * What a metadata file says of itself. Nothing is verified: for files that this host wrote itself, or to show what is to be signed.
 *
 * @throws TrustError `TRUST_MALFORMED`, `TRUST_TOO_LARGE`
 */
export function summarizeMetadata(bytes: Uint8Array, rules: TufRules = 'lane'): MetadataSummary {
  const document = parseSignedDocument('metadata', bytes, LIMITS.snapshotBytes);
  const type = TOP_ROLES.find((role) => role === document.signed._type);
  if (type === undefined) throw new TrustError('TRUST_MALFORMED', 'read metadata: expected _type root, timestamp, snapshot or targets');
  const { version, expiresMs } = parseAs(type, document, rules);
  return { type, version, expiresAt: earliestExpiry([expiresMs]), signedBy: [...document.signatures.keys()] };
}

/** Describes a signed file for the role that lists it. @throws TrustError as `summarizeMetadata` */
export function describeRole(role: string, bytes: Uint8Array): ListedRole {
  const sha256Hex = createHash('sha256').update(bytes).digest('hex');
  return { role, version: summarizeMetadata(bytes).version, lengthBytes: bytes.length, sha256Hex };
}

/** Where a role's file lies in `trust/`: `metadata/3.root.json`, `metadata/timestamp.json` (TUF 6.2.1). */
export function publishedMetadataPath(role: string, version: number): string {
  return `metadata/${metadataFileName(role, role === 'timestamp' ? undefined : version)}`;
}

/** The roles that a snapshot of ours lists. @throws TrustError `TRUST_MALFORMED`, also where a length or hash is missing */
export function readListedRoles(snapshot: Uint8Array): readonly ListedRole[] {
  const { roles } = parseSnapshot('snapshot', parseSignedDocument('snapshot', snapshot, LIMITS.snapshotBytes), 'lane');
  return [...roles].map(([role, { version, lengthBytes, hashes }]) => {
    const sha256Hex = hashes?.get('sha256');
    if (lengthBytes === undefined || sha256Hex === undefined) {
      throw new TrustError('TRUST_MALFORMED', `read snapshot: expected length and sha256 of ${role}.json`, { role });
    }
    return { role, version, lengthBytes, sha256Hex };
  });
}

function parseAs(type: TopRole, document: SignedDocument, rules: TufRules): RoleMetadata {
  const parse = { root: parseRoot, timestamp: parseTimestamp, snapshot: parseSnapshot, targets: parseTargets }[type];
  return parse(`${type}.json`, document, rules);
}
