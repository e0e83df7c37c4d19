/**
 * Signatures on a lane's TUF metadata: made here with a signer at hand, or added one by one in an owners' ceremony, where each owner signs on another
 * machine: propose → sign → publish.
 */
import { canonicalJson, equalBytes, hex, type JsonObject, LIMITS, type Signer, TrustError, verifyP256 } from '@sealane/core';
import { parseRoot, type RootMetadata } from './metadata.js';
import type { RoleKeys } from './publisher.js';
import { type Authority, parseSignedDocument, type SignedDocument, validSigners } from './signed-document.js';
import type { TopRole } from './rules.js';
import { parseTufKey, tufKeyOfSpki } from './tuf-key.js';

/** One signature: the key's TUF id, and the signature in hex. */
export interface TufSignature {
  readonly keyId: string;
  readonly signature: string;
}

/** How far a ceremony has come. `signedBy` holds key ids as used everywhere else (hex SHA-256 of SPKI DER). */
export interface SignatureCount {
  readonly signedBy: readonly string[];
  readonly missing: number;
}

/**
 * Signs metadata with each signer and returns the file with these signatures added; a signature of the same key is replaced.
 *
 * @throws TrustError `TRUST_THRESHOLD` a signer returned a signature that does not verify; `TRUST_MALFORMED` not a metadata file
 */
export async function signMetadata(bytes: Uint8Array, signers: readonly Signer[]): Promise<Uint8Array> {
  let signed = bytes;
  for (const signer of signers) signed = addSignature(signed, await signatureOf(signed, signer));
  return signed;
}

/**
 * One owner's signature over a proposal, to be carried back to the promoter.
 *
 * @throws TrustError as `signMetadata`
 */
export async function signatureOf(bytes: Uint8Array, signer: Signer): Promise<TufSignature> {
  const { signedBytes } = readDocument(bytes);
  const signature = await signer.sign(signedBytes);
  // a token or agent that answers rubbish must not get as far as a published file
  if (!verifyP256(signer.spki, signedBytes, signature)) {
    throw new TrustError(
      'TRUST_THRESHOLD',
      `sign metadata with key ${signer.keyId.slice(0, 16)}: expected a signature that verifies, got another`,
    );
  }
  return { keyId: tufKeyOfSpki(signer.spki).id, signature: hex(signature) };
}

/** The file with a signature added; one of the same key is replaced. Whether it counts is told by `countSignatures`. @throws TrustError `TRUST_MALFORMED` */
export function addSignature(bytes: Uint8Array, added: TufSignature): Uint8Array {
  const document = readDocument(bytes);
  return writeDocument(document.signed, new Map([...document.signatures, [added.keyId, added.signature]]));
}

/**
 * Joins two copies of one proposal that owners signed apart.
 *
 * @throws TrustError `TRUST_MISMATCH` they are not the same proposal; `TRUST_MALFORMED`
 */
export function mergeSignatures(bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const [ours, theirs] = [readDocument(bytes), readDocument(other)];
  if (!equalBytes(ours.signedBytes, theirs.signedBytes)) {
    throw new TrustError('TRUST_MISMATCH', 'join signatures: expected two copies of one proposal, got two proposals');
  }
  return writeDocument(ours.signed, new Map([...ours.signatures, ...theirs.signatures]));
}

/** Which keys of the authority validly signed, and how many are missing to its threshold. @throws TrustError `TRUST_MALFORMED` */
export function countSignatures(bytes: Uint8Array, authority: Authority): SignatureCount {
  const valid = validSigners(readDocument(bytes), authority);
  const signedBy = valid.flatMap((keyId) => authority.keys.get(keyId)?.spkiId ?? []);
  return { signedBy, missing: Math.max(0, authority.threshold - signedBy.length) };
}

/** Whether every authority's threshold is met: for root N+1 those of root N and of itself (TUF 5.3.4). @throws TrustError `TRUST_MALFORMED` */
export function meetsThreshold(bytes: Uint8Array, authorities: readonly Authority[]): boolean {
  return authorities.every((authority) => countSignatures(bytes, authority).missing === 0);
}

/** Who may sign a role according to a root file. The root itself is not verified. @throws TrustError `TRUST_MALFORMED`, `TRUST_TOO_LARGE` */
export function rootAuthority(root: Uint8Array, role: TopRole): Authority {
  return proposedRoot(root).roles[role];
}

/** Who may sign, from the keys themselves. */
export function authorityOf(role: RoleKeys): Authority {
  const keys = new Map(role.keys.map((spki) => tufKeyOfSpki(spki)).map(({ id, json }) => [id, parseTufKey(id, json, 'lane')]));
  return { keys, keyIds: [...keys.keys()], threshold: role.threshold };
}

function proposedRoot(root: Uint8Array): RootMetadata {
  return parseRoot('root.json', parseSignedDocument('root.json', root, LIMITS.rootBytes), 'lane');
}

function readDocument(bytes: Uint8Array): SignedDocument {
  return parseSignedDocument('metadata', bytes, LIMITS.snapshotBytes);
}

function writeDocument(signed: JsonObject, signatures: ReadonlyMap<string, string>): Uint8Array {
  return canonicalJson({ signatures: [...signatures].map(([keyid, sig]) => ({ keyid, sig })), signed });
}
