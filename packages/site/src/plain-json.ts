/** From typed values to JSON values: what a file of the state holds is data and nothing else. */
import { type JsonObject, LIMITS, parseStrictJson, SiteError, utf8 } from '@sealane/core';

/** The state of a site with full lists stays far below. */
const MAX_BYTES = 64 * 1024 * 1024;

/** A plain copy of a value that consists of JSON types; fields that are undefined are left out. */
export function plainJson(value: object): JsonObject {
  const plain = parseStrictJson(utf8(JSON.stringify(value)), { maxBytes: MAX_BYTES, maxDepth: LIMITS.jsonDepth });
  if (typeof plain === 'object' && plain !== null && !Array.isArray(plain)) return plain as JsonObject;
  throw new SiteError('INTERNAL', 'write state: expected an object');
}
