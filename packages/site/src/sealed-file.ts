/**
 * Small state files that say by themselves whether they are whole: `{"body": …, "sum": …}`, the sum over the body's canonical bytes.
 * It shows damage, not an attacker: who can write here is root at this site.
 */
import { canonicalJson, digestHex, type JsonObject, type JsonValue, parseStrictJson, SealaneError, sha256, SiteError } from '@sealane/core';
import type { Disk } from './disk.js';

/** Trust state with every cached document and a long denylist stays far below. */
const MAX_SEALED_BYTES = 16 * 1024 * 1024;

/** Deepest body: trust state with parsed roles. */
const MAX_SEALED_DEPTH = 32;

/** The bytes of a sealed file. */
export function sealed(body: JsonObject): Uint8Array {
  return canonicalJson({ body, sum: checksum(body) });
}

/**
 * The body of a sealed file, or undefined when there is none.
 *
 * @throws SiteError `STATE_CORRUPT` damaged
 */
export function readSealed(disk: Disk, file: string, maxBytes = MAX_SEALED_BYTES): JsonObject | undefined {
  const bytes = disk.read(file, maxBytes);
  if (bytes === undefined) return undefined;
  const value = parse(bytes, file);
  const body = isObject(value) ? value['body'] : undefined;
  if (!isObject(value) || !isObject(body) || value['sum'] !== checksum(body)) {
    throw new SiteError('STATE_CORRUPT', `read ${file}: expected bytes that match their checksum, got others`, { path: file });
  }
  return body;
}

function parse(bytes: Uint8Array, file: string): JsonValue {
  try {
    return parseStrictJson(bytes, { maxBytes: MAX_SEALED_BYTES, maxDepth: MAX_SEALED_DEPTH });
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    throw new SiteError('STATE_CORRUPT', `read ${file}: expected JSON, got damaged bytes`, { path: file }, { cause });
  }
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checksum(body: JsonObject): string {
  return digestHex(sha256(canonicalJson(body)));
}
