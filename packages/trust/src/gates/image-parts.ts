/** The images of a release, and which evidence is about each: scans and SBOMs name the image, or each platform of it, not the release. */
import { type Digest, isDigest, LIMITS, parseStrictJson, PREDICATE, SealaneError, type Statement } from '@sealane/core';
import { z } from 'zod';
import { isAbout } from '../evidence/predicates/statement.js';
import type { Selected } from './evidence-selection.js';
import type { GateContext, GateInput, Read } from './gate.js';

/** Kinds of evidence that are made for an image and not for a release: scanners and builders know no releases. */
export const IMAGE_EVIDENCE: readonly string[] = [PREDICATE.vulnerabilities, PREDICATE.cyclonedx, PREDICATE.spdx];

/** Whether a statement may be one of a release: it names it, or is of a kind that names images alone. */
export function isOfRelease(statement: Statement, release: Digest): boolean {
  return isAbout(statement, release) || IMAGE_EVIDENCE.includes(statement.predicateType);
}

/** One image: its digest, and where it is an index the manifests of its platforms. */
export interface ImagePart {
  readonly name: string;
  readonly digest: Digest;
  readonly platforms: readonly Digest[];
}

const indexShape = z.looseObject({
  manifests: z
    .array(
      z.looseObject({
        digest: z.string(),
        platform: z.looseObject({ os: z.string(), architecture: z.string() }).optional(),
        annotations: z.record(z.string(), z.string()).optional(),
      }),
    )
    .max(1000)
    .optional(),
});

/** The images of a release. Problems: `CONTENT_MISSING`, `CONTENT_MALFORMED` the manifest of one. */
export function imagePartsOf({ releaseDoc, blob }: Pick<GateInput, 'releaseDoc' | 'blob'>): Read<readonly ImagePart[]> {
  const parts: ImagePart[] = [];
  for (const { name, digest, kind } of releaseDoc.components) {
    if (kind !== 'image') continue;
    const bytes = blob(digest);
    if (bytes === undefined) return { ok: false, problem: { code: 'CONTENT_MISSING', why: `image ${name} (${digest}) is not there` } };
    const platforms = platformsOf(bytes);
    if (platforms === undefined)
      return { ok: false, problem: { code: 'CONTENT_MALFORMED', why: `image ${name} (${digest}) cannot be read` } };
    parts.push({ name, digest, platforms });
  }
  return { ok: true, value: parts };
}

/** Whether a statement is about any image of the release, or about the release as a whole. */
export function isAboutPart({ release }: GateContext, parts: readonly ImagePart[]): (statement: Statement) => boolean {
  const digests = [release, ...parts.flatMap(({ digest, platforms }) => [digest, ...platforms])];
  return (statement) => digests.some((digest) => isAbout(statement, digest));
}

/**
 * The statements about an image, by what they are about: the image itself when one is, and each of its platforms that has any. Undefined
 * when neither the image nor every platform has one.
 */
export function coverageOfImage<T>(image: ImagePart, selected: readonly Selected<T>[]): readonly (readonly Selected<T>[])[] | undefined {
  const about = (digest: Digest): readonly Selected<T>[] => selected.filter(({ from }) => isAbout(from.statement, digest));
  const own = about(image.digest);
  const platforms = image.platforms.map(about);
  const isCovered = own.length > 0 || (platforms.length > 0 && platforms.every((each) => each.length > 0));
  return isCovered ? [own, ...platforms].filter((each) => each.length > 0) : undefined;
}

/**
 * Manifests of attestations ride in an index and run nowhere: they are for a platform that no site has. What only calls itself one, sites would pick and run,
 * and nobody would have looked at it.
 */
function isAttestation({ platform, annotations }: NonNullable<z.output<typeof indexShape>['manifests']>[number]): boolean {
  const isNowhere = platform?.os === 'unknown' && platform.architecture === 'unknown';
  return isNowhere && annotations?.['vnd.docker.reference.type'] !== undefined;
}

function platformsOf(bytes: Uint8Array): readonly Digest[] | undefined {
  try {
    const parsed = indexShape.safeParse(parseStrictJson(bytes, { maxBytes: LIMITS.releaseManifestBytes * 4, maxDepth: LIMITS.jsonDepth }));
    if (!parsed.success) return undefined;
    const images = (parsed.data.manifests ?? []).filter((manifest) => !isAttestation(manifest));
    const digests = images.map(({ digest }) => digest);
    return digests.every(isDigest) ? digests : undefined;
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    return undefined;
  }
}
