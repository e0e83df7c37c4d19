/** Readers of single fields of a predicate. The full formats are checked by whoever verifies; the ledger reads only what it looks up by. */
import { type Digest, digestFromHex, isDigest, type JsonObject, type JsonValue, LedgerError } from '@sealane/core';

/** Text of a field. @throws LedgerError `STATEMENT_MALFORMED` */
export function textField(object: JsonObject, name: string): string {
  const value = object[name];
  if (typeof value === 'string') return value;
  throw malformed(name, 'text');
}

/** Text or null. @throws LedgerError `STATEMENT_MALFORMED` */
export function textOrNullField(object: JsonObject, name: string): string | null {
  return object[name] === null ? null : textField(object, name);
}

/** A count, or null. @throws LedgerError `STATEMENT_MALFORMED` */
export function countOrNullField(object: JsonObject, name: string): number | null {
  return object[name] === null ? null : countField(object, name);
}

/** A whole number from 0 on. @throws LedgerError `STATEMENT_MALFORMED` */
export function countField(object: JsonObject, name: string): number {
  const value = object[name];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw malformed(name, 'a count');
}

/** A digest `sha256:…`. @throws LedgerError `STATEMENT_MALFORMED` */
export function digestField(object: JsonObject, name: string): Digest {
  const value = object[name];
  if (isDigest(value)) return value;
  throw malformed(name, 'a digest');
}

/** A digest or null. @throws LedgerError `STATEMENT_MALFORMED` */
export function digestOrNullField(object: JsonObject, name: string): Digest | null {
  return object[name] === null ? null : digestField(object, name);
}

/** A key id: 64 hex digits, as a digest. @throws LedgerError `STATEMENT_MALFORMED` */
export function keyIdField(object: JsonObject, name: string): Digest {
  const value = object[name];
  if (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)) return digestFromHex(value);
  throw malformed(name, 'a key id');
}

/** An object inside. @throws LedgerError `STATEMENT_MALFORMED` */
export function objectField(object: JsonObject, name: string): JsonObject {
  const value = asObject(object[name]);
  if (value !== undefined) return value;
  throw malformed(name, 'an object');
}

/** A value as an object, undefined when it is none. */
export function asObject(value: JsonValue | undefined): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

/** The digest of an in-toto resource descriptor, undefined when it has none. */
export function describedDigest(descriptor: JsonObject | undefined): Digest | undefined {
  const digits = asObject(descriptor?.digest)?.sha256;
  const digest = typeof digits === 'string' ? `sha256:${digits}` : undefined;
  return isDigest(digest) ? digest : undefined;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(name: string, expected: string): LedgerError {
  return new LedgerError('STATEMENT_MALFORMED', `read a predicate: expected ${expected} in ${name}`, { field: name });
}
