/** OCI content descriptors (image-spec 1.1, descriptor.md): what a blob is, its digest and its length. */
import { type Digest, isDigest, type JsonObject, type JsonValue, OciError } from '@sealane/core';
import { MAX_BLOB_BYTES } from './limits.js';

/** Where an image runs. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** A blob as others refer to it. Fields of the format that we have no use for are not kept. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Length in bytes. */
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
  readonly platform?: Platform;
}

/** `type/subtype` of RFC 6838, section 4.2. */
const MEDIA_TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;

/**
 * Reads a descriptor out of a parsed document; `where` names it in messages. Unknown fields are passed over, as the format asks.
 *
 * @throws OciError `CONTENT_MALFORMED`
 */
export function parseDescriptor(value: JsonValue | undefined, where: string): Descriptor {
  const fields = objectOf(value, where);
  const { digest, size } = fields;
  if (!isDigest(digest)) throw malformed(`read the digest of ${where}`, 'sha256:hex', digest);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || size > MAX_BLOB_BYTES) {
    throw malformed(`read the size of ${where}`, `0 to ${MAX_BLOB_BYTES} bytes`, size);
  }
  return {
    mediaType: parseMediaType(fields['mediaType'], where),
    digest,
    size,
    ...(fields['annotations'] !== undefined && { annotations: parseAnnotations(fields['annotations'], where) }),
    ...(fields['artifactType'] !== undefined && { artifactType: parseMediaType(fields['artifactType'], where) }),
    ...(fields['platform'] !== undefined && { platform: parsePlatform(fields['platform'], where) }),
  };
}

/** The document form of a descriptor; `parseDescriptor` of it is equal. */
export function descriptorJson(descriptor: Descriptor): JsonObject {
  const { mediaType, digest, size, annotations, artifactType, platform } = descriptor;
  return { mediaType, digest, size, annotations, artifactType, platform: platform && { ...platform } };
}

/** The type, digest and size alone: what identifies a blob, without what one place says about it. */
export function bareDescriptor({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

/** @throws OciError `CONTENT_MALFORMED` not an object whose values are all text */
export function parseAnnotations(value: JsonValue | undefined, where: string): Readonly<Record<string, string>> {
  const texts = Object.entries(objectOf(value, `annotations of ${where}`)).map(([key, text]) => {
    if (typeof text !== 'string') throw malformed(`read annotation ${JSON.stringify(key)} of ${where}`, 'text', text);
    return [key, text] as const;
  });
  return Object.fromEntries(texts);
}

/** @throws OciError `CONTENT_MALFORMED` not `type/subtype` */
export function parseMediaType(value: JsonValue | undefined, where: string): string {
  if (typeof value !== 'string' || !MEDIA_TYPE.test(value)) throw malformed(`read a media type of ${where}`, 'type/subtype', value);
  return value;
}

/** @throws OciError `CONTENT_MALFORMED` not an object */
export function objectOf(value: JsonValue | undefined, where: string): JsonObject {
  if (!isObject(value)) throw malformed(`read ${where}`, 'an object', value);
  return value;
}

/** @throws OciError `CONTENT_MALFORMED` not an array of at most `maxItems` */
export function arrayOf(value: JsonValue | undefined, where: string, maxItems: number): readonly JsonValue[] {
  if (!isArray(value)) throw malformed(`read ${where}`, 'an array', value);
  if (value.length > maxItems) throw malformed(`read ${where}`, `at most ${maxItems} items`, value.length);
  return value;
}

/** A document that contradicts the format: always `CONTENT_MALFORMED`, with no more of the value than a message bears. */
export function malformed(doing: string, expected: string, got: JsonValue | undefined): OciError {
  const shown = got === undefined ? 'nothing' : JSON.stringify(got).slice(0, 80);
  return new OciError('CONTENT_MALFORMED', `${doing}: expected ${expected}, got ${shown}`);
}

function parsePlatform(value: JsonValue, where: string): Platform {
  const { os, architecture, variant } = objectOf(value, `platform of ${where}`);
  if (typeof os !== 'string' || typeof architecture !== 'string')
    throw malformed(`read the platform of ${where}`, 'os and architecture', value);
  if (variant === undefined) return { os, architecture };
  if (typeof variant !== 'string') throw malformed(`read the platform of ${where}`, 'a variant as text', variant);
  return { os, architecture, variant };
}

const isArray = (value: JsonValue | undefined): value is readonly JsonValue[] => Array.isArray(value);
const isObject = (value: JsonValue | undefined): value is JsonObject => typeof value === 'object' && value !== null && !isArray(value);
