/** What a release is said to be: by its author's statement, and by the manifest whose digest is its name. */
import { canonicalJson, fromUtf8, SealaneError, type Statement } from '@sealane/core';
import type { ReleaseDoc } from '@sealane/oci';
import { readRelease, type ReleasePredicate } from '@sealane/trust';

/** A statement or a manifest in one spelling: manifests sort their components. The digest covers the manifest alone, so what is said beside it must be the same. */
export function stated(document: ReleasePredicate | ReleaseDoc): string {
  const text = texts.get(document) ?? statedText(document);
  texts.set(document, text);
  return text;
}

/** By the very document, which nobody changes in place. */
const texts = new WeakMap<ReleasePredicate | ReleaseDoc, string>();

function statedText({ name, version, components, declares }: ReleasePredicate | ReleaseDoc): string {
  const parts = components.map((part) => [part.name, part.kind, part.digest, part.size, part.oneWay ?? false]);
  parts.sort(([left], [right]) => (String(left) < String(right) ? -1 : 1));
  return fromUtf8(canonicalJson({ name, version, parts, declares: declares ?? null }));
}

/** What a statement says of a release; undefined where it cannot be read: one that is malformed must not hide those beside it. */
export function statedIn(statement: Statement): ReleasePredicate | undefined {
  try {
    return readRelease(statement);
  } catch (error) {
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}
