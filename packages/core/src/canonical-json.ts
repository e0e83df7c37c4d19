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
  return utf8(serialisePlain(value) ?? serialise(value));
}

/**
 * As `serialise`, at half the time: Node writes a value in one go once its keys stand in order. Undefined where they cannot (an object of JavaScript's has
 * keys that look like numbers first), where something is no JSON, and where an escape could be a lone surrogate's: `serialise` says what it is then.
 */
function serialisePlain(value: JsonValue): string | undefined {
  const plain = ordered(value);
  if (plain === undefined) return undefined;
  const text = JSON.stringify(plain);
  return text.includes('\\ud') ? undefined : text;
}

/** A value with its keys in order: the same where they are already, as in all that was parsed from canonical bytes. */
function ordered(value: JsonValue): JsonValue | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value !== 'object') return undefined;
  return Array.isArray(value) ? orderedItems(value as readonly JsonValue[]) : orderedObject(value as JsonObject);
}

function orderedItems(items: readonly JsonValue[]): JsonValue | undefined {
  let copy: JsonValue[] | undefined;
  for (const [at, item] of items.entries()) {
    const plain = ordered(item);
    if (plain === undefined) return undefined;
    if (plain !== item) copy ??= [...items];
    if (copy !== undefined) copy[at] = plain;
  }
  return copy ?? items;
}

/** What a copy would put in another place, or lose. */
const UNRULY_KEY = /^(?:\d|__proto__$)/;

function orderedObject(value: JsonObject): JsonValue | undefined {
  // a class of its own may say what it is in JSON
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  const keys = Object.keys(value);
  let isSame = keys.every((key, at) => at === 0 || key > (keys[at - 1] ?? ''));
  const members: [string, JsonValue][] = [];
  for (const key of isSame ? keys : keys.sort()) {
    const member = value[key];
    const plain = member === undefined ? undefined : ordered(member);
    if (plain !== member || member === undefined) isSame = false;
    if (plain !== undefined) members.push([key, plain]);
    else if (member !== undefined) return undefined;
  }
  if (isSame) return value;
  return keys.some((key) => UNRULY_KEY.test(key)) ? undefined : Object.fromEntries(members);
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
