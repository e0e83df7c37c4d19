/** What a Kubernetes manifest makes `podman kube play` run: its images, each a part of the release that carries it, and the names of its pods. */
import path from 'node:path';
import { type Digest, fromUtf8, isDigest, SiteError } from '@sealane/core';
import {
  annotationImages,
  excessIn,
  isOddMerge,
  isPlainTag,
  isQuadletName,
  misspeltField,
  oddMergeIn,
  strangeCharacter,
} from '@sealane/trust';
import { type Document, isNode, isScalar, parseAllDocuments, type ScalarTag, visit } from 'yaml';
import { fieldOf } from '../../tool-json.js';

/** An image as the manifest names it: `NAME@DIGEST`. */
export interface ManifestImage {
  readonly name: string;
  readonly digest: Digest;
}

const MAX_ALIASES = 32;
/** Where pods list what they run (Kubernetes API, PodSpec). */
export const LISTS = ['initContainers', 'containers', 'ephemeralContainers'];
const IMAGE = /^([a-z0-9][a-z0-9._:/-]{0,254})@(sha256:[0-9a-f]{64})$/;

/**
 * The images of all documents of a manifest, each once.
 *
 * @throws SiteError `DRIVER_REFUSED` not YAML, an image that is not named by digest, or one that is no part of the release
 */
export function manifestImages(file: string, bytes: Uint8Array, parts: ReadonlySet<Digest>): readonly ManifestImage[] {
  const images = imagesOf(file, manifestDocuments(file, bytes), parts);
  if (images.length === 0) throw refused(file, 'a manifest that runs an image', 'none in it');
  return images;
}

/** The images of documents that were read, each once. @throws SiteError `DRIVER_REFUSED` as `manifestImages`, but documents may run none */
export function imagesOf(file: string, documents: readonly unknown[], parts: ReadonlySet<Digest>): readonly ManifestImage[] {
  return [...new Set(documents.flatMap(imagesIn))].map((text) => {
    const [, name, digest] = IMAGE.exec(text) ?? [];
    if (name === undefined || !isDigest(digest)) throw refused(file, 'images by digest, NAME@sha256:…', text);
    if (!parts.has(digest)) throw refused(file, 'images that are parts of the release', `${text}, which is none`);
    return { name, digest };
  });
}

/** Pods of one manifest that an engine is given to run at once: Podman 4.3 makes as many as `replicas` says. */
const MAX_PODS = 250;

/** What an object has that brings pods. */
const PODS = ['containers', 'initContainers', 'template', 'replicas'] as const;

/** @throws SiteError `DRIVER_REFUSED` documents that ask for more of anything than a host has room for */
export function expectRoom(file: string, documents: readonly unknown[]): void {
  const [excess] = documents.flatMap((document) => excessIn(document));
  if (excess !== undefined) throw refused(file, 'amounts that a host has room for', `${excess.place.join('.')}: ${excess.what}`);
}

/** The same for an engine of one host. @throws SiteError `DRIVER_REFUSED` */
export function expectRoomForPods(file: string, documents: readonly unknown[]): void {
  expectRoom(file, documents);
  const pods = documents.flatMap(objectsIn).reduce<number>((sum, object) => {
    const spec = fieldOf(object, 'spec');
    if (PODS.every((field) => fieldOf(spec, field) === undefined)) return sum;
    const replicas = fieldOf(spec, 'replicas') ?? 1;
    // what is no count makes no room for others
    return sum + (typeof replicas === 'number' && replicas >= 0 ? replicas : MAX_PODS + 1);
  }, 0);
  if (pods > MAX_PODS) throw refused(file, `at most ${MAX_PODS} pods`, String(pods));
}

/**
 * Whether a pod of that name is one that this manifest makes: a Pod's own name, or, of what has a template, its name with `-pod` and a number after it.
 *
 * @throws SiteError `DRIVER_REFUSED` not YAML
 */
export function podNames(file: string, bytes: Uint8Array): (pod: string) => boolean {
  const claims = podClaims(manifestDocuments(file, bytes));
  return (name) => claims({ id: '', name });
}

/** The same of documents, and whether the engine would take the name of a Pod for the beginning of that id. */
export function podClaims(documents: readonly unknown[]): (pod: { readonly id: string; readonly name: string }) => boolean {
  const owners = documents.flatMap(objectsIn).map((document) => ({
    kind: textIn(document, 'kind'),
    name: textIn(fieldOf(document, 'metadata'), 'name'),
  }));
  const isOf = (name: string, id: string, pod: string): boolean => pod === name || (/^[0-9a-f]+$/.test(name) && id.startsWith(name));
  return (pod) =>
    owners.some(
      ({ kind, name }) =>
        name !== '' &&
        (kind === 'Pod'
          ? isOf(name, pod.id, pod.name)
          : pod.name.startsWith(`${name}-pod`) && /^(?:-\d+)?$/.test(pod.name.slice(name.length + 4))),
    );
}

/** The objects of a document: itself, or the items of a List. */
function objectsIn(document: unknown): readonly unknown[] {
  const items = fieldOf(document, 'items');
  return fieldOf(document, 'kind') === 'List' && Array.isArray(items) ? items.flatMap(objectsIn) : [document];
}

/** A whole number with a 0 before it is octal, as Kubernetes and Podman read it: `defaultMode: 0400`. */
const OCTAL: ScalarTag = { tag: 'tag:yaml.org,2002:int', default: true, test: /^0[0-7]+$/, resolve: (text) => Number.parseInt(text, 8) };

/** The documents of a manifest. @throws SiteError `DRIVER_REFUSED` not YAML, or with a field that only Podman reads */
export function manifestDocuments(file: string, bytes: Uint8Array): readonly unknown[] {
  // what was judged as a unit is not run as a pod, though one file can be both
  if (isQuadletName(path.basename(file))) throw refused(file, 'a Kubernetes manifest', 'a name of a quadlet unit');
  const documents = yamlDocuments(file, textOf(file, bytes));
  // `Containers` is run by Podman, and would be seen by none of those who look for `containers`
  const place = documents.map(misspeltField).find((each) => each !== undefined);
  if (place !== undefined) throw refused(file, 'fields as Kubernetes spells them', place.join('.'));
  return documents;
}

function textOf(file: string, bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch (cause) {
    throw refused(file, 'YAML', 'bytes that are no UTF-8', cause);
  }
}

/** What Podman could read otherwise is not read: it is handed the same bytes. */
function yamlDocuments(file: string, text: string): readonly unknown[] {
  const strange = strangeCharacter(text);
  if (strange !== undefined) throw refused(file, 'YAML that every parser reads alike', `${strange.what} in line ${strange.line}`);
  try {
    return parseAllDocuments(text, {
      strict: true,
      uniqueKeys: true,
      merge: true,
      logLevel: 'silent',
      customTags: (tags) => [OCTAL, ...tags],
    }).map((document) => {
      const [fault] = [...document.errors, ...document.warnings];
      if (fault !== undefined) throw fault;
      expectOneReading(document);
      return isNode(document.contents) ? (document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown) : null;
    });
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw refused(file, 'YAML', why, cause);
  }
}

/** `!!binary` spells a key that Podman reads, and a quoted `<<` merges in what it has. */
function expectOneReading(document: Document): void {
  visit(document, {
    Map: (_, map) => {
      if (oddMergeIn(map, document) !== undefined)
        throw new Error('a << that parsers read differently: a second one, or one behind what it has too');
    },
    Pair: (_, { key }) => {
      if (isScalar(key) && isOddMerge(key)) throw new Error('a quoted <<, which parsers read differently');
    },
    Value: (_, { tag }) => {
      if (!isPlainTag(tag)) throw new Error(`a tag that parsers read differently, ${(tag ?? '').slice(0, 100)}`);
    },
  });
}

function imagesIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(imagesIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]: [string, unknown]) =>
    LISTS.includes(key) && Array.isArray(child)
      ? child.map(imageOf)
      : key === 'volumes' && Array.isArray(child)
        ? child.flatMap(volumeImage)
        : [...annotationImages(key, child), ...imageNamed(key, child), ...imagesIn(child)],
  );
}

/** A custom kind may have its own lists of what it runs: what names an image by digest is one. */
function imageNamed(key: string, value: unknown): readonly string[] {
  return key === 'image' && typeof value === 'string' && value.includes('@sha256:') ? [value] : [];
}

/** A volume may be an image too. */
function volumeImage(volume: unknown): readonly string[] {
  const image = fieldOf(volume, 'image');
  return image === undefined ? imagesIn(volume) : [textIn(image, 'reference') || 'a volume without an image'];
}

/** A container without an image runs nothing that was approved: it is named as such, and refused. */
function imageOf(container: unknown): string {
  return textIn(container, 'image') || 'a container without an image';
}

function textIn(value: unknown, name: string): string {
  const text = fieldOf(value, name);
  return typeof text === 'string' ? text : '';
}

/** A manifest that cannot be run here. */
export function refused(file: string, expected: string, got: string, cause?: unknown): SiteError {
  return new SiteError(
    'DRIVER_REFUSED',
    `read ${file}: expected ${expected}, got ${got}`,
    { path: file },
    cause === undefined ? {} : { cause },
  );
}
