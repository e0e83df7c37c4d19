/** A root as the log names it: which bytes, which version, what its owners signed and which of them did. */
import { type Digest, LIMITS, sha256 } from '@sealane/core';
import { earliestExpiry } from './expiry.js';
import { parseRoot, type RootMetadata } from './metadata.js';
import { ROOTS_LOGGED_MARK } from './publisher.js';
import { type Authority, parseSignedDocument, type SignedDocument, validSigners } from './signed-document.js';

/** One root. Two files are one root where `signed` is the same: who adds or drops a signature makes no other. */
export interface DescribedRoot {
  readonly version: number;
  /** Of the file. */
  readonly digest: Digest;
  readonly lengthBytes: number;
  /** SHA-256 of what the owners signed. */
  readonly signed: Digest;
  /** Ids (hex SHA-256 of SPKI) of the owners whose signatures hold: those of the root before and of this one, sorted. */
  readonly signedBy: readonly string[];
  readonly expiresAt: string;
  /** Whether the owners said in it that every root after it is in the log. */
  readonly saysLogged: boolean;
}

/**
 * Describes a root file; `before` is the root that it follows, undefined for the first of a lane. Whether enough owners signed is told by `followsRoot`.
 *
 * @throws TrustError `TRUST_MALFORMED`, `TRUST_TOO_LARGE`
 */
export function describeRoot(bytes: Uint8Array, before?: Uint8Array): DescribedRoot {
  const { document, root } = readRoot(bytes);
  const authorities = [root.roles.root, ...(before === undefined ? [] : [readRoot(before).root.roles.root])];
  return {
    version: root.version,
    digest: sha256(bytes),
    lengthBytes: bytes.length,
    signed: sha256(document.signedBytes),
    signedBy: [...new Set(authorities.flatMap((authority) => signersOf(document, authority)))].sort(),
    expiresAt: earliestExpiry([root.expiresMs]),
    saysLogged: root.extra[ROOTS_LOGGED_MARK] === true,
  };
}

/**
 * Whether clients that trust `before` take these bytes as its successor: the next version, signed by the thresholds of both (TUF 5.3.4, 5.3.5).
 *
 * @throws TrustError `TRUST_MALFORMED`, `TRUST_TOO_LARGE`
 */
export function followsRoot(bytes: Uint8Array, before: Uint8Array): boolean {
  const [{ document, root }, { root: trusted }] = [readRoot(bytes), readRoot(before)];
  const isSigned = [trusted.roles.root, root.roles.root].every(
    (authority) => validSigners(document, authority).length >= authority.threshold,
  );
  return isSigned && root.version === trusted.version + 1;
}

function readRoot(bytes: Uint8Array): { readonly document: SignedDocument; readonly root: RootMetadata } {
  const document = parseSignedDocument('root.json', bytes, LIMITS.rootBytes);
  return { document, root: parseRoot('root.json', document, 'lane') };
}

function signersOf(document: SignedDocument, authority: Authority): readonly string[] {
  return validSigners(document, authority).flatMap((keyId) => authority.keys.get(keyId)?.spkiId ?? []);
}
