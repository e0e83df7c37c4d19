/** The packages that an SBOM lists, CycloneDX or SPDX, by name and version. Foreign documents: what has no such list has no packages. */
import type { JsonObject, JsonValue } from '@sealane/core';
import { asList, textAt } from './json-at.js';

/** A package as an SBOM names it; `version` is empty where it names none. */
export interface ListedPackage {
  readonly name: string;
  readonly version: string;
}

/** Components may hold components; a real document is far flatter. */
const MAX_DEPTH = 16;

/** Every package of a document. */
export function packagesIn(document: JsonObject): readonly ListedPackage[] {
  const spdx = asList(document['packages']).map((one) => ({ name: textAt(one, 'name'), version: textAt(one, 'versionInfo') }));
  return [...spdx, ...componentsIn(document['components'], 0)].filter(({ name }) => name !== '');
}

function componentsIn(value: JsonValue | undefined, depth: number): readonly ListedPackage[] {
  if (depth > MAX_DEPTH) return [];
  return asList(value).flatMap((one) => [
    { name: textAt(one, 'name'), version: textAt(one, 'version') },
    ...componentsIn(typeof one === 'object' && one !== null && 'components' in one ? one.components : undefined, depth + 1),
  ]);
}

/** Whether a document lists NAME, or NAME@VERSION; a scoped name begins with `@`. */
export function listsPackage(document: JsonObject, wanted: string): boolean {
  const at = wanted.lastIndexOf('@');
  const [name, version] = at > 0 ? [wanted.slice(0, at), wanted.slice(at + 1)] : [wanted, undefined];
  return packagesIn(document).some((one) => one.name === name && (version === undefined || one.version === version));
}
