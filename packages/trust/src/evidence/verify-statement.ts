/**
 * Verification of one signed, logged statement: by which key, at which place of which log, witnessed when.
 *
 * `@sigstore/verify` checks envelope and log entry against the lane's trusted root; it lacks what our trust rests on, so these are checked
 * here as well: that the entry is of this very signature and key, that the key's window holds the proof's index, that a witness quorum
 * cosigned, and that the signer is one whom the caller allows.
 */
import {
  type Checkpoint,
  CoreError,
  type Digest,
  equalBytes,
  keyIdOf,
  leafHash,
  type LogLeaf,
  logLeaf,
  p256PublicKey,
  TrustError,
  verifyInclusion,
} from '@sealane/core';
import { certifiedSigner, checkCertified, type StatementSigner } from './certified.js';
import { hintOf, type LogProof, type ParsedBundle } from './bundle.js';
import { loadSigstore } from './sigstore.js';
import {
  allowedKey,
  checkSignature,
  checkWindow,
  notIncluded,
  quorumOnce,
  verified,
  type VerifiedStatement,
  type VerifyOptions,
} from './statement-checks.js';
import type { TrustedLog, VerifyTrust } from './verify-trust.js';

/**
 * Verifies a bundle that carries its log proof.
 *
 * @throws TrustError `EVIDENCE_SIGNER` (or `signerCode`) a signer who is not allowed; `WAYBILL_SIGNATURE` the signature is wrong;
 * `SIGNER_CERTIFICATE`, `SIGNER_TIME` a keyless one that authorities of policy do not vouch for;
 * `KEY_REVOKED` logged outside the key's window; `LOG_NOT_INCLUDED` no proof, of another signature, or wrong; `LOG_WITNESS` no quorum
 */
export function verifyStatement(bundle: ParsedBundle, options: VerifyOptions): VerifiedStatement {
  const { trust } = options;
  if (bundle.logged === null) throw notIncluded(bundle.statementDigest, 'a log proof', 'none');
  const { proof, leafBytes } = bundle.logged;
  const signer = signerOf(bundle, bundle.logged.leaf, options);
  checkSignature(bundle.statementDigest, bundle.envelope, signer);
  // The proof is of a leaf: unless the leaf is made of this signature and signer, it proves another statement (cosign 3.1.3 let that pass).
  if (!equalBytes(leafBytes, logLeaf(bundle.envelope, signer.spki, bundle.certified?.certificate)))
    throw notIncluded(bundle.statementDigest, 'a log entry of this signature', 'one of another');
  const log = logOf(bundle.statementDigest, proof, trust);
  const quorum = quorumOnce(proof.checkpoint, log, options);
  checkInclusion(bundle.statementDigest, proof, leafBytes, quorum.checkpoint);
  checkWindow(bundle.statementDigest, signer.id, signer.window, log.origin, proof.logIndex);
  if (bundle.certified !== undefined) checkCertified(bundle.statementDigest, { ...bundle, certified: bundle.certified, ...signer }, trust);
  checkWithSigstore(bundle, signer, trust);
  return verified(bundle.statementDigest, signer.id, proof.logIndex, bundle.statement, quorum);
}

/** The signer that the bundle itself names. */
function signerOf(bundle: ParsedBundle, leaf: LogLeaf, options: VerifyOptions): StatementSigner {
  if (bundle.certified !== undefined) return certifiedSigner(bundle.statementDigest, bundle.certified, options);
  // where policy has no key of that name, the message says whose the entry is
  const id = [...options.trust.keys].find(([, { spki }]) => hintOf(spki) === bundle.hint)?.[0] ?? keyIdOf(leaf.spki);
  const key = allowedKey(bundle.statementDigest, id, options);
  if (bundle.hint !== hintOf(key.spki)) throw notIncluded(bundle.statementDigest, `a hint to key ${id}, whose entry it carries`, 'another');
  return { id, spki: key.spki, window: key };
}

function logOf(digest: Digest, proof: LogProof, trust: VerifyTrust): TrustedLog {
  const log = trust.logs.find((candidate) => [candidate, ...candidate.past].some(({ logId }) => equalBytes(logId, proof.logId)));
  if (log === undefined) throw notIncluded(digest, 'an entry of a log that policy names', 'one of another log');
  return log;
}

function checkInclusion(digest: Digest, proof: LogProof, leafBytes: Uint8Array, checkpoint: Checkpoint): void {
  if (proof.treeSize !== checkpoint.size || !equalBytes(proof.rootHash, checkpoint.root)) {
    throw notIncluded(digest, `a proof for the tree of ${checkpoint.size} that its checkpoint commits to`, `one for ${proof.treeSize}`);
  }
  try {
    verifyInclusion({
      leafHash: leafHash(leafBytes),
      index: proof.logIndex,
      size: checkpoint.size,
      proof: proof.hashes,
      root: checkpoint.root,
    });
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    throw new TrustError('LOG_NOT_INCLUDED', `verify statement ${digest}: ${error.message}`, {}, { cause: error });
  }
}

/** The same bundle through the verifier that others use: what it refuses, nobody else could check either. */
function checkWithSigstore(bundle: ParsedBundle, { spki }: StatementSigner, trust: VerifyTrust): void {
  const sigstore = loadSigstore();
  try {
    const material = sigstore.toTrustMaterial(sigstore.TrustedRoot.fromJSON(trust.trustedRoot), () => ({
      publicKey: p256PublicKey(spki),
      validFor: () => true,
    }));
    const verifier = new sigstore.Verifier(material, { tlogThreshold: 1, ctlogThreshold: 0, timestampThreshold: 0 });
    verifier.verify(sigstore.toSignedEntity(sigstore.bundleFromJSON(bundle.json)));
  } catch (cause) {
    // not all its refusals are of one class: any throw is one (research/trust.md, 1)
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TrustError('WAYBILL_SIGNATURE', `verify statement ${bundle.statementDigest} with @sigstore/verify: ${why}`, {}, { cause });
  }
}
