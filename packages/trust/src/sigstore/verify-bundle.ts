/**
 * Verification of any Sigstore bundle, of the public instance or of a private one, offline: `sealane bundle verify`.
 *
 * `@sigstore/verify` checks signature, certificate chain, timestamps and log entries; around it stands what it leaves to its caller: the
 * trusted root's own validity, exact identity, what the statement is about, and that the log entry is of this signer.
 */
import type { Bundle } from '@sigstore/bundle';
import type { TrustedRoot } from '@sigstore/protobuf-specs';
import type { SignedEntity } from '@sigstore/verify';
import { type Digest, equalBytes, keyIdOf } from '@sealane/core';
import { loadSigstore } from '../evidence/sigstore.js';
import { asRefusal, refused } from './bundle-error.js';
import { readBundle } from './bundle-file.js';
import { type BundleKey, checkIdentity, type ExpectedSigner, signerOf } from './bundle-signer.js';
import { type SignedArtifact, statementAbout } from './bundle-subject.js';
import { logBodySigner } from './log-body-signer.js';
import { messageSignatureOf } from './message-signature.js';
import { readTrustedRoot } from './trusted-root-file.js';

/** What a bundle showed. `predicateType` is null for a bare signature. */
export interface VerifiedBundle {
  readonly artifact: Digest;
  readonly predicateType: string | null;
  readonly signer: { readonly identity: string; readonly issuer: string } | { readonly keyId: string };
  readonly logIndexes: readonly string[];
  /** Times that a timestamp authority or a log has signed, RFC 3339. */
  readonly timestamps: readonly string[];
}

/** All that a verdict depends on. */
export interface BundleQuestion {
  readonly bundle: Uint8Array;
  readonly trustedRoot: Uint8Array;
  readonly artifact: SignedArtifact;
  readonly signer: ExpectedSigner;
}

/**
 * Verifies one bundle about one artifact.
 *
 * @throws TrustError `BUNDLE_MALFORMED`, `BUNDLE_SIGNER`, `BUNDLE_SUBJECT`, `BUNDLE_UNVERIFIED`; `TRUST_MALFORMED`, `TRUST_TOO_LARGE`
 */
export function verifySigstoreBundle({ bundle: file, trustedRoot, artifact, signer }: BundleQuestion): VerifiedBundle {
  const root = readTrustedRoot(trustedRoot);
  const bundle = readBundle(file);
  const key = signerOf(bundle, signer);
  const predicateType = predicateAbout(bundle, artifact);
  const entity = entityOf(bundle, artifact);
  verifyEntity(entity, root, key);
  checkIdentity(key, signer);
  checkLogEntries(bundle, key);
  const times = entity.timestamps.filter(isSigned).map(timeOf);
  checkLogWindows(bundle, root, times);
  return {
    artifact: artifact.digest,
    predicateType,
    signer: signer.kind === 'key' ? { keyId: keyIdOf(key.der) } : { identity: signer.identity, issuer: signer.issuer },
    logIndexes: bundle.verificationMaterial.tlogEntries.map(({ inclusionProof, logIndex }) => inclusionProof?.logIndex ?? logIndex),
    timestamps: times.map((time) => time.toISOString()),
  };
}

function predicateAbout(bundle: Bundle, artifact: SignedArtifact): string | null {
  if (bundle.content.$case === 'messageSignature') return null;
  const { payload, payloadType } = bundle.content.dsseEnvelope;
  return statementAbout(artifact.digest, payloadType, payload);
}

function entityOf(bundle: Bundle, artifact: SignedArtifact): SignedEntity {
  const entity = asRefusal('BUNDLE_MALFORMED', 'read its parts', () => loadSigstore().toSignedEntity(bundle));
  if (bundle.content.$case === 'dsseEnvelope') return entity;
  return { ...entity, signature: messageSignatureOf(bundle.content.messageSignature, artifact) };
}

function verifyEntity(entity: SignedEntity, root: TrustedRoot, { key }: BundleKey): void {
  const { toTrustMaterial, Verifier } = loadSigstore();
  asRefusal('BUNDLE_UNVERIFIED', 'check signature, certificate, timestamps and log', () => {
    const material = toTrustMaterial(root, () => ({ publicKey: key, validFor: () => true }));
    // a certificate lives for minutes: without a time that somebody signed it says nothing. A key has no such end
    const timestampThreshold = entity.key.$case === 'certificate' ? 1 : 0;
    new Verifier(material, { tlogThreshold: 1, ctlogThreshold: 1, timestampThreshold }).verify(entity);
  });
}

function checkLogEntries(bundle: Bundle, { der }: BundleKey): void {
  for (const { kindVersion, canonicalizedBody } of bundle.verificationMaterial.tlogEntries) {
    const named = asRefusal('BUNDLE_UNVERIFIED', 'read its log entry', () =>
      logBodySigner(kindVersion.kind, kindVersion.version, canonicalizedBody),
    );
    if (!equalBytes(named, der)) throw refused('BUNDLE_UNVERIFIED', 'a log entry of this signer', 'one of another');
  }
}

/** A log key ends too: `@sigstore/verify` asks that of entries with a promise only, not of those with just a proof. */
function checkLogWindows(bundle: Bundle, root: TrustedRoot, times: readonly Date[]): void {
  for (const { logId } of bundle.verificationMaterial.tlogEntries) {
    const windows = root.tlogs
      .filter((log) => equalBytes((log.checkpointKeyId ?? log.logId)?.keyId ?? new Uint8Array(), logId.keyId))
      .map((log) => log.publicKey?.validFor);
    const holds = (time: Date): boolean =>
      windows.some((window) => window?.start !== undefined && window.start <= time && time <= (window.end ?? time));
    if (times.length > 0 && !times.some(holds))
      throw refused('BUNDLE_UNVERIFIED', 'a log whose key was valid at the signed time', 'one outside its time');
  }
}

/** A log signs the time of an entry with its promise; beside a proof alone it is a number that anybody may write there. */
function isSigned(timestamp: SignedEntity['timestamps'][number]): boolean {
  return timestamp.$case === 'timestamp-authority' || timestamp.tlogEntry.inclusionPromise !== undefined;
}

function timeOf(timestamp: SignedEntity['timestamps'][number]): Date {
  if (timestamp.$case === 'timestamp-authority') return timestamp.timestamp.signingTime;
  return new Date(Number(timestamp.tlogEntry.integratedTime) * 1000);
}
