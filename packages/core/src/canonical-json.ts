/** JSON with exactly one byte form for each value (RFC 8785, JCS). */
import { LONE_SURROGATE, utf8 } from './bytes.js';
import { CoreError } from './errors.js';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/**
 * The RFC 8785 bytes of a value: keys sorted by UTF-16 code units, no white space, numbers as ECMAScript prints them.
 * Fields that are `undefined` are left out.
 *
 * @throws CoreError `JSON_MALFORMED` for what JSON cannot say: NaN, infinities, lone surrogates, undefined in an array
 */
export function canonicalJson(value: JsonValue): Uint8Array {
  return utf8(serialise(value));
}

function serialise(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map((item: JsonValue) => serialise(item)).join(',')}]`;
  if (typeof value === 'object' && value !== null) return serialiseObject(value as JsonObject);
  if (typeof value === 'string') return serialiseText(value);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new CoreError('JSON_MALFORMED', `write canonical JSON: expected a finite number, got ${value}`);
  }
  if (value !== null && !['number', 'boolean'].includes(typeof value)) {
    throw new CoreError('JSON_MALFORMED', `write canonical JSON: expected a JSON value, got ${typeof value}`);
  }
  // RFC 8785, section 3.2.2.3: numbers are what ECMAScript's own serialisation says; -0 is 0
  return JSON.stringify(value);
}

function serialiseObject(value: JsonObject): string {
  const members: string[] = [];
  // RFC 8785, section 3.2.3: sorted by UTF-16 code units, which is what JavaScript's default sort does
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) members.push(`${serialiseText(key)}:${serialise(member)}`);
  }
  return `{${members.join(',')}}`;
}

function serialiseText(text: string): string {
  if (LONE_SURROGATE.test(text)) throw new CoreError('JSON_MALFORMED', 'write canonical JSON: expected text, got a lone surrogate');
  return JSON.stringify(text);
}
