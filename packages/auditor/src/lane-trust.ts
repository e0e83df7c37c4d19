/** What a lane's TUF repository says of whom to trust, as an auditor reads it: verified from a root, whatever has expired since. */
import { parsePolicy, type Policy, readTarget, refreshTrust, trustFromRoot, type TufRead } from '@sealane/trust';

/** An auditor judges the past: metadata that has expired since still says who was trusted. */
export const BEFORE_ALL_EXPIRY = '1970-01-01T00:00:00Z';
/** Where a lane keeps the root that it began with. */
export const FIRST_ROOT = 'metadata/1.root.json';

const IS_ROOT = /^metadata\/[1-9]\d*\.root\.json$/;

export interface AuditedTrust {
  /** The policies in force, one a stage. */
  readonly policies: readonly Policy[];
  /** The bytes of `trusted_root.json`, for tools of Sigstore. */
  readonly trustedRoot: Uint8Array;
  /** Every root from the one that was given on, ascending. */
  readonly roots: readonly Uint8Array[];
}

/** Reads policies and trusted root from `root` on. @throws TrustError `TRUST_*` */
export function readLaneTrust(root: Uint8Array, read: TufRead): AuditedTrust {
  const roots = [root];
  const noting: TufRead = (name, maxBytes) => {
    const bytes = read(name, maxBytes);
    if (bytes !== undefined && IS_ROOT.test(name)) roots.push(bytes);
    return bytes;
  };
  // takes no root that does not follow from the one before
  const trusted = refreshTrust({ state: trustFromRoot(root), read: noting, now: BEFORE_ALL_EXPIRY, expiry: 'network' });
  const stages = [...trusted.snapshot.roles.keys()].filter((role) => role !== 'targets');
  const target = (path: string): Uint8Array => readTarget({ trusted, read, path }).bytes;
  return { policies: stages.map((stage) => parsePolicy(target(`policy/${stage}.json`))), trustedRoot: target('trusted_root.json'), roots };
}
