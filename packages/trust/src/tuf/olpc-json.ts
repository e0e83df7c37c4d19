/**
 * The canonical JSON that TUF signs (OLPC form, TUF 4.2.1): keys sorted, no white space, strings with only `"` and `\` escaped, whole numbers.
 * Not RFC 8785: control characters stand raw, so the result need not be JSON.
 */
import { type JsonObject, type JsonValue, TrustError, utf8 } from '@sealane/core';

/**
 * The bytes that a TUF signature covers, and that a key id is the hash of.
 *
 * @throws TrustError `TRUST_MALFORMED` a number that is not whole: OLPC canonical JSON has no form for it
 */
export function olpcJson(value: JsonValue): Uint8Array {
  return utf8(serialise(value));
}

function serialise(value: JsonValue): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number') return wholeNumber(value);
  if (typeof value === 'boolean' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map((item: JsonValue) => serialise(item)).join(',')}]`;
  return serialiseObject(value as JsonObject);
}

function serialiseObject(value: JsonObject): string {
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) members.push(`${quote(key)}:${serialise(member)}`);
  }
  return `{${members.join(',')}}`;
}

function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

function wholeNumber(value: number): string {
  if (!Number.isSafeInteger(value)) {
    throw new TrustError('TRUST_MALFORMED', `canonicalise signed metadata: expected whole numbers, got ${value}`);
  }
  return JSON.stringify(value);
}
