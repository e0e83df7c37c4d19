/** Loading a role's file that another role lists: the steps that snapshot, targets and delegated roles share (TUF 5.5.1 to 5.5.4, 5.6.1 to 5.6.4). */
import { TrustError } from '@sealane/core';
import { requireListedBytes } from './file-hash.js';
import { metadataFileName } from './file-names.js';
import type { TufFlow } from './flow.js';
import type { ListedFile, RoleMetadata } from './metadata.js';
import type { TufRules, TufRun } from './rules.js';
import { type Authority, parseSignedDocument, requireThreshold, type SignedDocument } from './signed-document.js';

/** A role to be loaded: who lists it, who may sign it, how it is read, and the checks of its own (rollback, expiry) that end the step. */
export interface WantedRole<T extends RoleMetadata> {
  readonly role: string;
  readonly listed: ListedFile;
  readonly authority: Authority;
  readonly consistentSnapshot: boolean;
  readonly maxBytes: number;
  readonly parse: (fileName: string, document: SignedDocument, rules: TufRules) => T;
  readonly check: (fileName: string, metadata: T) => void;
}

/** A verified role, and who signed it (ids of keys). `kept` says that it is the copy which was kept before: nothing has to be kept again. */
export interface LoadedRole<T> {
  readonly metadata: T;
  readonly signedBy: readonly string[];
  readonly bytes: Uint8Array;
  readonly kept: boolean;
}

/**
 * Loads one role: the kept copy when it is still the listed one, else the file.
 *
 * @throws TrustError `TRUST_MISMATCH` absent though listed, other bytes or version than listed; `TRUST_TOO_LARGE`, `TRUST_THRESHOLD`, `TRUST_MALFORMED`, and
 *   what `check` throws
 */
export function* loadListedRole<T extends RoleMetadata>(run: TufRun, wanted: WantedRole<T>): TufFlow<LoadedRole<T>> {
  const cached = yield { ask: 'cached', role: wanted.role };
  const kept = cached === undefined ? undefined : verifyKept(run, wanted, cached);
  if (cached !== undefined && kept !== undefined) return { ...kept, bytes: cached, kept: true };
  const fileName = metadataFileName(wanted.role, wanted.consistentSnapshot ? wanted.listed.version : undefined);
  // bounded by what the role may be: a file of another length than listed is a mismatch, and named as one
  const bytes = yield { ask: 'fetch', name: `metadata/${fileName}`, maxBytes: wanted.maxBytes };
  if (bytes === undefined) {
    throw new TrustError(
      'TRUST_MISMATCH',
      `load ${fileName}: expected the file that is listed at version ${wanted.listed.version}, got nothing`,
      { fileName },
    );
  }
  return { ...verifyListed(run, fileName, wanted, bytes), bytes, kept: false };
}

type Verified<T> = Pick<LoadedRole<T>, 'metadata' | 'signedBy'>;

function verifyListed<T extends RoleMetadata>(run: TufRun, fileName: string, wanted: WantedRole<T>, bytes: Uint8Array): Verified<T> {
  // before the signatures: the hashes come from a role that is already verified
  requireListedBytes(fileName, bytes, wanted.listed);
  const document = parseSignedDocument(fileName, bytes, wanted.maxBytes);
  const signedBy = requireThreshold(fileName, document, wanted.authority);
  const metadata = wanted.parse(fileName, document, run.rules);
  if (metadata.version !== wanted.listed.version) {
    throw new TrustError(
      'TRUST_MISMATCH',
      `check ${fileName}: expected version ${wanted.listed.version} as listed, got ${metadata.version}`,
      { fileName },
    );
  }
  wanted.check(fileName, metadata);
  return { metadata, signedBy };
}

function verifyKept<T extends RoleMetadata>(run: TufRun, wanted: WantedRole<T>, bytes: Uint8Array): Verified<T> | undefined {
  try {
    return verifyListed(run, `kept ${wanted.role}`, wanted, bytes);
  } catch (error) {
    // a kept copy that is older, expired, damaged or signed by replaced keys is of no use: the file is fetched and judged instead
    if (error instanceof TrustError) return undefined;
    throw error;
  }
}
