/** The parts of a release, as its manifest and those of its images name them by digest. What is said of a part alone names no release, and is said of the release too. */
import { type Digest, PREDICATE, SealaneError, type Statement } from '@sealane/core';
import { parseReleaseManifest, type ReleaseComponent } from '@sealane/oci';
import { imagePartsOf, isAbout } from '@sealane/trust';

/** One part; `platforms`: of an image, the manifests that its index names. */
export interface ReleasePart {
  readonly name: string;
  readonly digest: Digest;
  readonly platforms: readonly Digest[];
}

/** What the parts of a release follow from: `manifests` are blobs that each hash to what the one before them names, from the release on. */
export interface ReleaseParts {
  readonly parts: readonly ReleasePart[];
  readonly manifests: readonly Digest[];
}

/** Reads a blob; undefined where it is not there. */
type ReadBlob = (digest: Digest) => Uint8Array | undefined;

/** The parts of a release; none where its manifest is not there, or is none. No statement is asked: whoever signs one could name the parts of others. */
export function releaseParts(release: Digest, blob: ReadBlob): ReleaseParts {
  const bytes = blob(release);
  if (bytes === undefined) return { parts: [], manifests: [release] };
  const components = componentsIn(bytes);
  const images = components.filter(({ kind }) => kind === 'image').map(({ digest }) => digest);
  return {
    parts: components.map((component) => ({ ...component, platforms: platformsOf(component, blob) })),
    manifests: [...new Set([release, ...images])],
  };
}

function componentsIn(bytes: Uint8Array): readonly ReleaseComponent[] {
  try {
    return parseReleaseManifest(bytes).components;
  } catch (error) {
    // anybody may log a statement about anything: what is no release has no parts
    if (error instanceof SealaneError) return [];
    throw error;
  }
}

/** By the rule of the gates; none of an image that is not there or cannot be read. */
function platformsOf(component: ReleaseComponent, blob: ReadBlob): readonly Digest[] {
  const images = imagePartsOf({ releaseDoc: { name: '', version: '', components: [component] }, blob });
  return images.ok ? images.value.flatMap(({ platforms }) => platforms) : [];
}

/** The name of a part that a statement is about; undefined when it is about none. */
export function partNamed(statement: Statement, parts: readonly ReleasePart[]): string | undefined {
  // a decision names the parts of its own release, for verifiers that know no releases
  if (statement.predicateType === PREDICATE.decision && 'sealane_promotion' in statement.predicate) return undefined;
  return parts.find(({ digest, platforms }) => [digest, ...platforms].some((one) => isAbout(statement, one)))?.name;
}
