/** The signatures that are attached to an image in a registry: Sigstore bundles as OCI 1.1 referrers, verified one by one. */
import { type Digest, LIMITS, OciError, PromoterError, SealaneError } from '@sealane/core';
import { type Descriptor, parseManifest, type RegistryClient, type ServedManifest } from '@sealane/oci';
import { type ExpectedSigner, verifyKeyBundle, verifySigstoreBundle, type VerifiedBundle } from '@sealane/trust';

/** Whose signature is asked for, and the instance whose log and authorities count; none is only possible for a key. */
export type SignatureWish =
  | { readonly signer: ExpectedSigner; readonly trustedRoot: Uint8Array }
  | { readonly signer: Extract<ExpectedSigner, { kind: 'key' }>; readonly trustedRoot?: undefined };

/** A signature that counts: the bundle's bytes, and what they showed. */
export interface ImageSignature {
  readonly bundle: Uint8Array;
  readonly verified: VerifiedBundle;
}

/** What `cosign sign` says of an image. Any other statement by the same signer is no consent: a scan full of holes is signed too. */
const SIGNED_IMAGE = 'https://sigstore.dev/cosign/sign/v1';
const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle';
/** Referrers that are looked at: as many as others who verify images look at. */
const MAX_REFERRERS = 50;

/**
 * The first signature over the image that counts.
 *
 * @throws PromoterError `IMAGE_UNSIGNED`; TrustError `BUNDLE_*` the reason why the one that is there does not count; OciError `REGISTRY_*`, `CONTENT_*`
 */
export async function imageSignature(
  client: RegistryClient,
  repository: string,
  image: Digest,
  wish: SignatureWish,
): Promise<ImageSignature> {
  const { referrers } = await client.referrers(repository, image);
  const refusals: SealaneError[] = [];
  for (const referrer of bundlesFirst(referrers).slice(0, MAX_REFERRERS)) {
    const bundle = await tryRead(client, repository, referrer);
    if (bundle === undefined) continue;
    if (bundle instanceof SealaneError) {
      refusals.push(bundle);
      continue;
    }
    const verified = tryVerify(bundle, image, wish);
    if (verified instanceof SealaneError) refusals.push(verified);
    else if (verified.predicateType === SIGNED_IMAGE) return { bundle, verified };
  }
  const [refusal] = refusals;
  if (refusal !== undefined) throw refusal;
  throw new PromoterError(
    'IMAGE_UNSIGNED',
    `import ${client.registry}/${repository}@${image}: expected a signature attached to it, got none among ${referrers.length} referrers`,
  );
}

/** What is attached beside signatures, scans above all, is looked at last; not left out, since some registries tell another type than was written. */
function bundlesFirst(referrers: readonly Descriptor[]): readonly Descriptor[] {
  const isBundle = ({ artifactType }: Descriptor): boolean => artifactType?.startsWith(BUNDLE_TYPE) === true;
  return [...referrers.filter(isBundle), ...referrers.filter((each) => !isBundle(each))];
}

/** As `bundleAt`. One referrer that is listed and not there, or other bytes than it is listed with, is no reason to refuse a good one. */
async function tryRead(client: RegistryClient, repository: string, referrer: Descriptor): Promise<Uint8Array | OciError | undefined> {
  try {
    return await bundleAt(client, repository, referrer);
  } catch (error) {
    if (error instanceof OciError && error.code.startsWith('CONTENT_')) return error;
    throw error;
  }
}

/** The bundle that a referrer carries; undefined where it is something else: anybody may attach anything. */
async function bundleAt(client: RegistryClient, repository: string, { digest }: Descriptor): Promise<Uint8Array | undefined> {
  const layer = onlyLayer(await client.manifest(repository, digest));
  if (layer?.mediaType.startsWith(BUNDLE_TYPE) !== true || layer.size > LIMITS.bundleBytes) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of client.blob(repository, layer)) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

function onlyLayer({ bytes, mediaType = '' }: ServedManifest): Descriptor | undefined {
  try {
    const manifest = parseManifest(bytes, mediaType);
    return manifest.kind === 'manifest' && manifest.layers.length === 1 ? manifest.layers[0] : undefined;
  } catch (error) {
    if (error instanceof OciError) return undefined;
    throw error;
  }
}

function tryVerify(bundle: Uint8Array, digest: Digest, wish: SignatureWish): VerifiedBundle | SealaneError {
  const artifact = { digest };
  try {
    return wish.trustedRoot === undefined
      ? verifyKeyBundle(bundle, artifact, wish.signer.pem)
      : verifySigstoreBundle({ bundle, trustedRoot: wish.trustedRoot, artifact, signer: wish.signer });
  } catch (error) {
    // one bad bundle beside a good one is no reason to refuse
    if (error instanceof SealaneError && error.code.startsWith('BUNDLE_')) return error;
    throw error;
  }
}
