/** Takes in a release that was made elsewhere: its content is here, its author signed what it is. */
import { LIMITS, parseDigest, parseStrictJson, PREDICATE, PromoterError, type Signed, signerIdOf } from '@sealane/core';
import { OCI_INDEX, openLayout, walkRelease } from '@sealane/oci';
import { parseBundle, type ParsedBundle, readRelease } from '@sealane/trust';
import { reached } from '../crash-point.js';
import { signedBy } from '../evidence/bundle-signer.js';
import { logEnvelope } from '../log/log-statements.js';
import type { Promoter } from '../promoter.js';
import { policiesOf } from '../rig/statements.js';
import { expectSameBytes, type MadeRelease, offerImage } from './create.js';
import { expectPinnedParts } from './manifest-images.js';
import { refName } from './ref-name.js';
import { stated } from './stated.js';

/**
 * Logs the release that a bundle states, once all of its content is in the lane. Done again, it changes nothing.
 *
 * @throws PromoterError `EVIDENCE_SIGNER` no author of the lane; `EVIDENCE_SUBJECT` the statement is not what its manifest says; `RELEASE_EXISTS`;
 * `MANIFEST_UNPINNED`; OciError `CONTENT_MISSING` a blob was not uploaded; LedgerError `STATEMENT_SIGNATURE`; TrustError for a malformed bundle
 */
export async function acceptRelease(promoter: Promoter, bytes: Uint8Array): Promise<MadeRelease> {
  const bundle = parseBundle(parseStrictJson(bytes, { maxBytes: LIMITS.bundleBytes, maxDepth: LIMITS.jsonDepth }));
  const { statement } = bundle;
  if (statement.predicateType !== PREDICATE.release)
    throw new PromoterError('EVIDENCE_SUBJECT', `take in a release: expected the statement of a release, got ${statement.predicateType}`);
  const stating = readRelease(statement);
  const { name, version, components } = stating;
  const signed = await byAuthor(promoter, bundle);
  const release = parseDigest(`sha256:${statement.subject[0]?.digest.sha256 ?? ''}`);
  const layout = await openLayout(promoter.home.content, { create: 'if-missing' });
  const { doc, release: root, blobs } = walkRelease((digest, maxBytes) => layout.readBlobSync(digest, maxBytes), release);
  if (stated(doc) !== stated(stating))
    throw new PromoterError(
      'EVIDENCE_SUBJECT',
      `take in ${name}@${version}: expected what the manifest ${release} says, got another statement`,
    );
  for (const { digest } of blobs) {
    if (!(await layout.hasBlob(digest)))
      throw new PromoterError('CONTENT_MISSING', `take in ${name}@${version}: expected blob ${digest} to be uploaded before, got none`, {
        digest,
      });
  }
  expectPinnedParts(promoter, components);
  await expectSameBytes(promoter, { name, version }, release);
  for (const component of components) if (component.kind === 'image') await offerImage(layout, component, { name, version });
  const { digest, size } = root;
  await layout.addToIndex({
    mediaType: OCI_INDEX,
    digest,
    size,
    annotations: refName(name, version),
  });
  reached('release:content-written');
  await logEnvelope(promoter.ledger, signed);
  reached('release:logged');
  return { release, name, version, components };
}

/** The signature of somebody whom a policy lists as an author. */
async function byAuthor(promoter: Promoter, bundle: ParsedBundle): Promise<Signed> {
  const signed = await signedBy(promoter, bundle);
  if (signed !== undefined && policiesOf(promoter).some(({ signers }) => signers.release.includes(signerIdOf(signed)))) return signed;
  throw new PromoterError('EVIDENCE_SIGNER', 'take in a release: expected the signature of one listed under signers.release, got another');
}
