/** JSON that a lab wrote. */
import { type JsonObject, LIMITS, parseStrictJson } from '@sealane/core';

/** The object that bytes are, or an empty one for other JSON. @throws CoreError as `parseStrictJson` */
export function readObject(bytes: Uint8Array): JsonObject {
  const value = parseStrictJson(bytes, { maxBytes: LIMITS.evidenceBlobBytes, maxDepth: LIMITS.jsonDepth });
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
