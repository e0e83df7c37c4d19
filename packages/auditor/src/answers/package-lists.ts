/** The packages that an SBOM lists, CycloneDX or SPDX, by name, version and package URL. Foreign documents: what has no such list has no packages. */
import { AuditorError, type JsonObject, type JsonValue } from '@sealane/core';
import { listAt, textAt } from './json-at.js';

/** A package as an SBOM names it; what it does not say is empty. `group` is what CycloneDX has before a name: `@babel`, `org.apache.logging.log4j`. */
export interface ListedPackage {
  readonly group: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
}

/** Components may hold components; a real document is far flatter. */
const MAX_DEPTH = 16;

/** Every package of a document. */
export function packagesIn(document: JsonObject): readonly ListedPackage[] {
  const spdx = listAt(document, 'packages').map((one) => ({
    group: '',
    name: textAt(one, 'name'),
    version: textAt(one, 'versionInfo'),
    purl: spdxPurl(one),
  }));
  return [...spdx, ...componentsIn(listAt(document, 'components'), 0)].filter(({ name }) => name !== '');
}

function componentsIn(components: readonly JsonValue[], depth: number): readonly ListedPackage[] {
  if (depth > MAX_DEPTH) return [];
  return components.flatMap((one) => [
    { group: textAt(one, 'group'), name: textAt(one, 'name'), version: textAt(one, 'version'), purl: textAt(one, 'purl') },
    ...componentsIn(listAt(one, 'components'), depth + 1),
  ]);
}

/** Among the references of a package to elsewhere. */
function spdxPurl(one: JsonValue): string {
  const purl = listAt(one, 'externalRefs').find((reference) => textAt(reference, 'referenceType') === 'purl');
  return purl === undefined ? '' : textAt(purl, 'referenceLocator');
}

/** A package that is asked for. */
export interface WantedPackage {
  readonly isListed: (document: JsonObject) => boolean;
  /** Is in the text of every document that lists it, unless letters are written as numbers there: the longest run that no notation writes otherwise. */
  readonly word: string;
}

/**
 * NAME, NAME@VERSION, the same with a group before the name (`@babel/core`, `org.apache.logging.log4j:log4j-core`), or a package URL with or without
 * its version.
 *
 * @throws AuditorError `USAGE` no name, or no version after `@`: an empty variable would else be answered by "nobody"
 */
export function wantedPackage(wanted: string): WantedPackage {
  const isPurl = wanted.startsWith('pkg:');
  const [name, version] = isPurl ? purlParts(wanted) : splitVersion(wanted);
  const isNamed = isPurl ? /\/[^/]+$/.test(name) : name !== '';
  if (!isNamed || version === '')
    throw new AuditorError(
      'USAGE',
      `read --package: expected NAME, NAME@VERSION or a package URL, got ${JSON.stringify(wanted.slice(0, 80))}`,
    );
  const isMeant = isPurl ? hasPurl(name, version) : hasName(name, version);
  const words = (isPurl ? name.slice(name.lastIndexOf('/') + 1) : name).split(/[^\w.-]/);
  const [word = ''] = words.sort((left, right) => right.length - left.length);
  return { isListed: (document) => packagesIn(document).some(isMeant), word };
}

function hasName(name: string, version: string | undefined): (one: ListedPackage) => boolean {
  return (one) => {
    const names = one.group === '' ? [one.name] : [one.name, `${one.group}/${one.name}`, `${one.group}:${one.name}`];
    return names.includes(name) && (version === undefined || one.version === version);
  };
}

function hasPurl(name: string, version: string | undefined): (one: ListedPackage) => boolean {
  return ({ purl }) => {
    const [listed, listedVersion] = purlParts(purl);
    return listed === name && (version === undefined || listedVersion === version);
  };
}

/** A package URL as name and version, without what distinguishes builds of one package; `@` may be written `%40` in it, and is not always. */
function purlParts(purl: string): readonly [string, string | undefined] {
  const [name, version] = splitVersion(purl.replace(/[?#].*$/s, ''));
  return [decoded(name), version === undefined ? undefined : decoded(version)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What comes after the last `@`; one before a name is the beginning of its scope. */
function splitVersion(wanted: string): readonly [string, string | undefined] {
  const at = wanted.lastIndexOf('@');
  return at > 0 && at > wanted.lastIndexOf('/') ? [wanted.slice(0, at), wanted.slice(at + 1)] : [wanted, undefined];
}
