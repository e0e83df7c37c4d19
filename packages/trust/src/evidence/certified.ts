/**
 * Keyless signatures: a certificate of some minutes binds an identity to a key, a timestamp proves that the key signed within them.
 *
 * The log's own time is no such proof: an entry may be logged long after it was signed, by whoever then has the key. So a timestamp by an authority
 * of policy is asked for, over this very signature, from within the certificate's life.
 */
import { X509Certificate } from 'node:crypto';
import {
  type Certified,
  CoreError,
  type Digest,
  equalBytes,
  identityIdOf,
  readCertificate,
  type Signed,
  timestampTimeMs,
  TrustError,
} from '@sealane/core';
import { signsCode, unjudgedExtension } from '../sigstore/certificate-use.js';
import { encodeBundle } from './bundle.js';
import { loadSigstore } from './sigstore.js';
import { allowedSigner, type VerifyOptions } from './statement-checks.js';
import type { TrustedWindow, VerifyTrust } from './verify-trust.js';

/** Who signed a statement: the id of the key or identity, the key that verifies the signature, and where it counts. */
export interface StatementSigner {
  readonly id: string;
  readonly spki: Uint8Array;
  readonly window: TrustedWindow;
}

/**
 * The allowed signer whom a certificate names, letter for letter. Whether the certificate is to be believed is for `checkCertified`.
 *
 * @throws TrustError `EVIDENCE_SIGNER` (or `signerCode`); `TRUST_MALFORMED`
 */
export function certifiedSigner(digest: Digest, { certificate }: Certified, options: VerifyOptions): StatementSigner {
  try {
    const { identity, issuer, spki } = readCertificate(certificate);
    const id = identityIdOf({ identity, issuer });
    const window = allowedSigner(digest, { id, known: options.trust.identities.get(id), said: `${identity} of ${issuer}` }, options);
    return { id, spki, window };
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    throw new TrustError('TRUST_MALFORMED', `verify statement ${digest}: ${error.message}`, {}, { cause: error });
  }
}

/**
 * Checks that authorities of policy vouch for the certificate and for the time of the signature.
 *
 * @throws TrustError `SIGNER_CERTIFICATE` another authority's, for other uses, of another key, or not logged where policy asks for that; `SIGNER_TIME`
 * no timestamp by policy's authority over this signature from within the certificate's life
 */
export function checkCertified(digest: Digest, signed: Signed & { readonly certified: Certified }, trust: VerifyTrust): void {
  const { certificate, timestamp } = signed.certified;
  const { notBeforeMs, notAfterMs, spki } = readCertificate(certificate);
  const timeMs = timestampTimeMs(timestamp);
  if (timeMs === undefined) throw untimed(digest, 'a timestamp', 'none that can be read');
  if (timeMs < notBeforeMs || timeMs > notAfterMs) {
    const life = `${timeOf(notBeforeMs)} to ${timeOf(notAfterMs)}`;
    throw untimed(digest, `a timestamp from within the life of its certificate, ${life}`, timeOf(timeMs));
  }
  if (!equalBytes(spki, signed.spki)) throw uncertified(digest, 'the key of its certificate', 'another');
  const leaf = new X509Certificate(certificate);
  if (!signsCode(leaf)) throw uncertified(digest, 'a certificate that signs code', 'one for other uses');
  const oid = unjudgedExtension(leaf);
  if (oid !== undefined) throw uncertified(digest, 'a certificate whose critical extensions are known', `extension ${oid}`);
  checkAuthorities(digest, signed, trust);
}

function checkAuthorities(
  digest: Digest,
  { envelope, spki, certified }: Signed & { readonly certified: Certified },
  trust: VerifyTrust,
): void {
  const sigstore = loadSigstore();
  try {
    const material = sigstore.toTrustMaterial(sigstore.TrustedRoot.fromJSON(trust.trustedRoot));
    const wanted = { tlogThreshold: 0, ctlogThreshold: trust.needsCtLog ? 1 : 0, timestampThreshold: 1 };
    new sigstore.Verifier(material, wanted).verify(
      sigstore.toSignedEntity(sigstore.bundleFromJSON(encodeBundle({ envelope, spki, certified }))),
    );
  } catch (cause) {
    // not all its refusals are of one class: any throw is one
    const why = cause instanceof Error ? cause.message : String(cause);
    const isTime = cause instanceof Error && 'code' in cause && cause.code === 'TIMESTAMP_ERROR';
    if (isTime) throw untimed(digest, "a timestamp over this signature by policy's authority", `another: ${why}`, cause);
    throw uncertified(digest, "a certificate that policy's authority issued", `another: ${why}`, cause);
  }
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

function untimed(digest: Digest, expected: string, got: string, cause?: unknown): TrustError {
  return new TrustError('SIGNER_TIME', `verify statement ${digest}: expected ${expected}, got ${got}`, {}, { cause });
}

function uncertified(digest: Digest, expected: string, got: string, cause?: unknown): TrustError {
  return new TrustError('SIGNER_CERTIFICATE', `verify statement ${digest}: expected ${expected}, got ${got}`, {}, { cause });
}
