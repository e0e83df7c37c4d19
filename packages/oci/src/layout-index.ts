/** `index.json` of an image layout: which manifests it offers, and under which names. Pure. */
import { canonicalJson, type JsonObject, type JsonValue } from '@sealane/core';
import { arrayOf, type Descriptor, descriptorJson, malformed, objectOf, parseDescriptor } from './descriptor.js';
import { MAX_LAYOUT_INDEX_BYTES } from './limits.js';
import { parseOciJson } from './manifest.js';
import { OCI_INDEX } from './media-types.js';

/** The name of an entry (image-spec 1.1, annotations.md); skopeo looks it up, oras refuses a colon in it. */
export const REF_NAME = 'org.opencontainers.image.ref.name';

/** More than a lane lists in its life; the byte limit bounds it as well. */
const MAX_ENTRIES = 100_000;

/** An index as read: the entries understood, and the document as it was, so that nothing of it is lost in a rewrite. */
export interface LayoutIndex {
  readonly entries: readonly Descriptor[];
  readonly document: JsonObject;
}

/** The index of a layout that offers nothing yet. */
export const EMPTY_INDEX: LayoutIndex = { entries: [], document: { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] } };

/**
 * Parses `index.json`.
 *
 * @throws OciError `CONTENT_MALFORMED`
 */
export function parseLayoutIndex(bytes: Uint8Array): LayoutIndex {
  const document = objectOf(parseOciJson(bytes, MAX_LAYOUT_INDEX_BYTES, 'index.json'), 'index.json');
  if (document['schemaVersion'] !== 2) throw malformed('read index.json', 'schemaVersion 2', document['schemaVersion']);
  const entries = manifestsOf(document).map((item, at) => parseDescriptor(item, `entry ${at} of index.json`));
  return { entries, document };
}

/** The bytes to write for an index. */
export function encodeLayoutIndex(index: LayoutIndex): Uint8Array {
  return canonicalJson(index.document);
}

/**
 * The index with `descriptor` in it. It takes the place of the entry with the same digest and name; another digest under the
 * same name gives the name up, as a tag moves.
 */
export function withEntry(index: LayoutIndex, descriptor: Descriptor): LayoutIndex {
  const name = descriptor.annotations?.[REF_NAME];
  const stays = (entry: Descriptor): boolean => {
    const sameName = entry.annotations?.[REF_NAME] === name;
    return !sameName || (name === undefined && entry.digest !== descriptor.digest);
  };
  const kept = index.entries.map(stays);
  const items = manifestsOf(index.document).filter((_, at) => kept[at]);
  return {
    entries: [...index.entries.filter((_, at) => kept[at]), descriptor],
    document: { ...index.document, manifests: [...items, descriptorJson(descriptor)] },
  };
}

const manifestsOf = (document: JsonObject): readonly JsonValue[] => arrayOf(document['manifests'], 'manifests of index.json', MAX_ENTRIES);
