/** Signatures over statements: ECDSA P-256 with SHA-256, the one kind that every Sigstore verifier takes. */
import { envelopePayload, envelopeSignature, type Envelope, INTOTO_PAYLOAD_TYPE, makeEnvelope, pae } from './dsse.js';
import { hex } from './bytes.js';
import { type Identity, identityIdOf, readCertificate } from './certificate.js';
import { sha256Raw } from './digest.js';
import { verifyP256 } from './p256.js';

/** What a keyless signature comes with, in DER: the certificate that binds its key to an identity, and the RFC 3161 token of when it was made. */
export interface Certified {
  readonly certificate: Uint8Array;
  readonly timestamp: Uint8Array;
}

/**
 * Somebody's key, wherever it is kept. `sign` returns a DER signature; `spki` is the public key as SubjectPublicKeyInfo DER. `keyId` names the signer: a
 * key, or for a keyless signer its `identity` (`identityIdOf`), and then `certify` has a signature timestamped.
 */
export interface Signer {
  readonly keyId: string;
  readonly spki: Uint8Array;
  sign(data: Uint8Array): Promise<Uint8Array>;
  certify?(signature: Uint8Array): Promise<Certified>;
  readonly identity?: Identity;
}

/** An envelope with what verifies it: the signer's public key and, for a keyless signature, what binds that key to an identity and a time. */
export interface Signed {
  readonly envelope: Envelope;
  readonly spki: Uint8Array;
  readonly certified?: Certified;
}

/** A key's id: hex SHA-256 of its SubjectPublicKeyInfo DER. */
export function keyIdOf(spki: Uint8Array): string {
  return hex(sha256Raw(spki));
}

/** Who signed, as policy names signers: the key's id, or the identity's. @throws CoreError `CERTIFICATE_MALFORMED` */
export function signerIdOf({ spki, certified }: Pick<Signed, 'spki' | 'certified'>): string {
  return certified === undefined ? keyIdOf(spki) : identityIdOf(readCertificate(certified.certificate));
}

/** How messages name a signer. */
export function describeSigner({ keyId, identity }: Pick<Signer, 'keyId' | 'identity'>): string {
  return identity === undefined ? `key ${keyId}` : `${identity.identity} of ${identity.issuer}`;
}

/** Signs a statement's payload bytes into an envelope. */
export async function signStatement(payload: Uint8Array, signer: Signer): Promise<Signed> {
  const signature = await signer.sign(pae(INTOTO_PAYLOAD_TYPE, payload));
  const certified = await signer.certify?.(signature);
  const envelope = makeEnvelope(INTOTO_PAYLOAD_TYPE, payload, signature);
  return { envelope, spki: signer.spki, ...(certified === undefined ? {} : { certified }) };
}

/** Whether the envelope's one signature is by `spki` over its type and payload. */
export function verifyEnvelope(envelope: Envelope, spki: Uint8Array): boolean {
  return verifyP256(spki, pae(envelope.payloadType, envelopePayload(envelope)), envelopeSignature(envelope));
}
