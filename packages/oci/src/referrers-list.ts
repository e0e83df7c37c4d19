/** The list of what refers to a manifest, as a document (distribution-spec 1.1, "Listing Referrers"): an image index. Pure. */
import { type Digest, digestHex, isDigest, type JsonObject, type JsonValue } from '@sealane/core';
import { arrayOf, type Descriptor, descriptorJson, malformed, objectOf, parseDescriptor } from './descriptor.js';
import { MAX_CHILDREN, MAX_MANIFEST_BYTES } from './limits.js';
import { parseOciJson } from './manifest.js';
import { OCI_INDEX } from './media-types.js';

/** A list taken apart, with the document as it is: nothing that others wrote there may be lost. */
export interface ReferrersList {
  readonly referrers: readonly Descriptor[];
  readonly document: JsonObject;
}

/** The tag of the list that writers keep where the registry has no referrers API ("Referrers Tag Schema"). */
export function referrersTag(subject: Digest): string {
  return `sha256-${digestHex(subject)}`;
}

/** The list of a manifest that nothing refers to yet. */
export function emptyReferrers(): ReferrersList {
  return { referrers: [], document: { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] } };
}

/** Reads the list of what refers to `subject`, as messages name it. @throws OciError `CONTENT_MALFORMED` */
export function parseReferrers(bytes: Uint8Array, subject: string): ReferrersList {
  const name = `the list of what refers to ${subject}`;
  const document = objectOf(parseOciJson(bytes, MAX_MANIFEST_BYTES, name), name);
  if (document['mediaType'] !== OCI_INDEX) throw malformed(`read ${name}`, `mediaType ${OCI_INDEX}`, document['mediaType']);
  const items = itemsOf(document, name).filter((item) => isDigest(objectOf(item, `an entry of ${name}`)['digest']));
  // others may refer by other digests than SHA-256: those are not ours to read
  return { document, referrers: items.map((item) => parseDescriptor(item, `an entry of ${name}`)) };
}

/** The document with more entries; those that are there stay as they are. @throws OciError `CONTENT_MALFORMED` the list is full */
export function withReferrers({ document }: ReferrersList, more: readonly Descriptor[], subject: string): JsonObject {
  const name = `the list of what refers to ${subject}`;
  const manifests = [...itemsOf(document, name), ...more.map(descriptorJson)];
  if (manifests.length > MAX_CHILDREN) throw malformed(`add to ${name}`, `at most ${MAX_CHILDREN} entries`, manifests.length);
  return { ...document, manifests };
}

const itemsOf = (document: JsonObject, name: string): readonly JsonValue[] => arrayOf(document['manifests'], name, MAX_CHILDREN);
