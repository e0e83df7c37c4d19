/**
 * The release manifest: an OCI image index in canonical JSON that names each component by digest. Its own digest is the
 * release. Writer and reader stand together: what the reader takes, the writer gives back byte for byte.
 */
import { canonicalJson, type Digest, equalBytes, fromUtf8, type JsonObject, LIMITS, OciError, utf8 } from '@sealane/core';
import { type Descriptor, malformed, objectOf } from './descriptor.js';
import { parseManifest, parseOciJson } from './manifest.js';
import { manifestKind, OCI_INDEX, OCI_MANIFEST } from './media-types.js';

/** What a component is, and so how a site lays it down. */
export type ComponentKind = 'image' | 'files' | 'manifest' | 'firmware';

/** One part of a release: an image (index or manifest), or an artifact manifest with one layer. */
export interface ReleaseComponent {
  readonly name: string;
  readonly kind: ComponentKind;
  readonly digest: Digest;
  /** Length of the component's manifest in bytes, not of what lies below it. */
  readonly size: number;
  readonly mediaType: string;
  /** There is no way back from it. */
  readonly oneWay?: true;
}

/** A release: immutable, named, versioned. `declares` is what it says of dependencies and variables; this package does not judge it. */
export interface ReleaseDoc {
  readonly name: string;
  readonly version: string;
  readonly components: readonly ReleaseComponent[];
  readonly declares?: JsonObject;
}

export const RELEASE_ARTIFACT_TYPE = 'application/vnd.sealane.release.v1+json';
/** The `artifactType` of a component's manifest; images keep their own. */
export const COMPONENT_ARTIFACT_TYPES: Readonly<Record<Exclude<ComponentKind, 'image'>, string>> = {
  files: 'application/vnd.sealane.files.v1',
  manifest: 'application/vnd.sealane.manifest.v1',
  firmware: 'application/vnd.sealane.firmware.v1',
};

const COMPONENT_NAME = 'dev.sealane.component.name';
const COMPONENT_KIND = 'dev.sealane.component.kind';
const COMPONENT_ONE_WAY = 'dev.sealane.component.one-way';
/** Canonical JSON as text: annotations are texts, and the digest must cover what a release declares. */
const DECLARES = 'dev.sealane.release.declares';
const TITLE = 'org.opencontainers.image.title';
const VERSION = 'org.opencontainers.image.version';
/** Names become folders, tags and annotation values: lower case, and a plain name everywhere. */
const NAME = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
const MAX_NAME_LENGTH = 64;
/** Semantic versions, dates, commit ids; no @, / or colon, which separate in references. */
const VERSION_TEXT = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/;
/** Far above any release seen; keeps the manifest below its byte limit. */
const MAX_COMPONENTS = 1000;

/**
 * The bytes of a release manifest: canonical JSON, components sorted by name.
 *
 * @throws OciError `CONTENT_MALFORMED` a name, version, kind or media type outside the format, no component, a name twice
 */
export function encodeReleaseManifest(doc: ReleaseDoc): Uint8Array {
  checkDoc(doc);
  const components = doc.components.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return canonicalJson({
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    artifactType: RELEASE_ARTIFACT_TYPE,
    manifests: components.map(({ name, kind, digest, size, mediaType, oneWay }) => ({
      mediaType,
      digest,
      size,
      annotations: { [COMPONENT_NAME]: name, [COMPONENT_KIND]: kind, ...(oneWay === true ? { [COMPONENT_ONE_WAY]: 'true' } : {}) },
    })),
    annotations: {
      [TITLE]: doc.name,
      [VERSION]: doc.version,
      ...(doc.declares === undefined ? {} : { [DECLARES]: fromUtf8(canonicalJson(doc.declares)) }),
    },
  });
}

/**
 * Reads a release manifest whose bytes were checked against their digest before.
 *
 * @throws OciError `CONTENT_MALFORMED` not a release, or not the bytes that `encodeReleaseManifest` writes for it; `CONTENT_LENGTH`
 */
export function parseReleaseManifest(bytes: Uint8Array): ReleaseDoc {
  if (bytes.length > LIMITS.releaseManifestBytes) {
    throw new OciError(
      'CONTENT_LENGTH',
      `read a release manifest: expected at most ${LIMITS.releaseManifestBytes} bytes, got ${bytes.length}`,
    );
  }
  const index = parseManifest(bytes, OCI_INDEX);
  if (index.kind !== 'index' || index.artifactType !== RELEASE_ARTIFACT_TYPE) {
    throw malformed('read a release manifest', `artifactType ${RELEASE_ARTIFACT_TYPE}`, index.artifactType);
  }
  const declares = index.annotations[DECLARES];
  const doc: ReleaseDoc = {
    name: index.annotations[TITLE] ?? '',
    version: index.annotations[VERSION] ?? '',
    components: index.manifests.map(parseComponent),
    ...(declares === undefined
      ? {}
      : { declares: objectOf(parseOciJson(utf8(declares), LIMITS.releaseManifestBytes, DECLARES), DECLARES) }),
  };
  // One release, one form: unknown fields, another order or other white space would be a second digest for the same thing.
  if (!equalBytes(encodeReleaseManifest(doc), bytes)) throw malformed('read a release manifest', 'its canonical form', 'other bytes');
  return doc;
}

function parseComponent(descriptor: Descriptor): ReleaseComponent {
  const { digest, size, mediaType, annotations } = descriptor;
  const kind = annotations?.[COMPONENT_KIND];
  if (!isKind(kind)) throw malformed(`read component ${digest}`, `annotation ${COMPONENT_KIND} of a known kind`, kind);
  // another value than this one is not what the encoder writes, and is refused with the whole
  const oneWay = annotations?.[COMPONENT_ONE_WAY] === 'true' ? { oneWay: true as const } : {};
  return { name: annotations?.[COMPONENT_NAME] ?? '', kind, digest, size, mediaType, ...oneWay };
}

function checkDoc(doc: ReleaseDoc): void {
  checkName('the release', doc.name);
  if (!VERSION_TEXT.test(doc.version))
    throw malformed('name the version of a release', '1 to 64 letters, digits, dots, pluses, dashes', doc.version);
  if (doc.components.length === 0 || doc.components.length > MAX_COMPONENTS) {
    throw malformed('list the components of a release', `1 to ${MAX_COMPONENTS}`, doc.components.length);
  }
  for (const component of doc.components) checkComponent(component);
  const names = new Set(doc.components.map(({ name }) => name));
  if (names.size !== doc.components.length)
    throw malformed(
      'list the components of a release',
      'each name once',
      doc.components.map(({ name }) => name),
    );
}

function checkComponent({ name, kind, mediaType }: ReleaseComponent): void {
  checkName('a component', name);
  const fits = kind === 'image' ? manifestKind(mediaType) !== undefined : mediaType === OCI_MANIFEST;
  if (!fits) throw malformed(`describe component ${name}`, `the media type of a manifest for kind ${kind}`, mediaType);
}

function checkName(what: string, name: string): void {
  if (name.length > MAX_NAME_LENGTH || !NAME.test(name)) {
    throw malformed(`name ${what}`, `1 to ${MAX_NAME_LENGTH} lower-case letters and digits, joined by dots, dashes, underscores`, name);
  }
}

const isKind = (value: string | undefined): value is ComponentKind =>
  value === 'image' || (value !== undefined && Object.hasOwn(COMPONENT_ARTIFACT_TYPES, value));
