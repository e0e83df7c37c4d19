/**
 * A JSON reader for documents that carry trust (RFC 8259, narrowed by RFC 7493): one value for one text.
 *
 * It refuses what `JSON.parse` lets pass: duplicate keys (also when one is escaped), integers beyond 2^53, lone surrogates, byte order marks, text
 * after the value, too many bytes, too deep nesting. Objects come without a prototype problem: `__proto__` is a plain key.
 */
import { fromUtf8, LONE_SURROGATE } from './bytes.js';
import type { JsonObject, JsonValue } from './canonical-json.js';
import { CoreError } from './errors.js';
import { restate } from './restate.js';

export interface JsonLimits {
  readonly maxBytes: number;
  readonly maxDepth: number;
  /** Values and keys, where few are expected: each costs far more time than the bytes that it is written in. */
  readonly maxValues?: number;
}

interface Reader {
  readonly text: string;
  readonly maxDepth: number;
  at: number;
  valuesLeft: number;
}

/** RFC 8259, section 6. Sticky: matched at the reader's place. */
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/**
 * Reads one JSON value from `bytes`.
 *
 * @throws CoreError `JSON_TOO_LARGE` more than `maxBytes` or `maxValues`; `JSON_TOO_DEEP` nested deeper than `maxDepth`; `JSON_DUPLICATE_KEY`; `JSON_MALFORMED`
 */
export function parseStrictJson(bytes: Uint8Array, limits: JsonLimits): JsonValue {
  if (bytes.length > limits.maxBytes) {
    throw new CoreError('JSON_TOO_LARGE', `read JSON: expected at most ${limits.maxBytes} bytes, got ${bytes.length}`);
  }
  const text = restate('JSON_MALFORMED', () => fromUtf8(bytes), 'read JSON: expected UTF-8 text');
  const { maxDepth, maxValues = Infinity } = limits;
  // no value is shorter than one character and what parts it from the next
  const plain = text.length / 2 < maxValues ? readPlain(text, maxDepth) : undefined;
  if (plain !== undefined) return plain;
  const reader: Reader = { text, maxDepth, at: 0, valuesLeft: maxValues };
  const value = readValue(reader, 0);
  skipSpace(reader);
  if (reader.at !== reader.text.length) throw malformed(reader, 'the end of the document');
  return value;
}

/** Longest text that is tried as a plain one, in UTF-16 units: it is in memory twice meanwhile. */
const MAX_PLAIN = 1024 * 1024;

/**
 * The value of a text that is written in the one way in which `JSON.stringify` writes it, which most of ours are; undefined for any other, good or bad.
 * Node's parser is some five times as fast as a reader written in it. Since the value gives back the very text, no key stood twice and no number
 * says more than is kept of it. Escapes that could hide a lone surrogate are left to the reader.
 */
function readPlain(text: string, maxDepth: number): JsonValue | undefined {
  if (text.length > MAX_PLAIN || text.includes('\\u')) return undefined;
  try {
    const value = JSON.parse(text) as JsonValue;
    return isWithin(value, maxDepth) && JSON.stringify(value) === text ? value : undefined;
  } catch (error) {
    // no JSON: the reader says where
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Whether what is nested and counted in a value is within the bounds of the reader. */
function isWithin(value: JsonValue, levels: number): boolean {
  if (typeof value === 'number') return !Number.isInteger(value) || Number.isSafeInteger(value);
  if (typeof value !== 'object' || value === null) return true;
  if (levels === 0) return false;
  for (const each of Object.values(value)) if (!isWithin(each as JsonValue, levels - 1)) return false;
  return true;
}

function readValue(reader: Reader, depth: number): JsonValue {
  skipSpace(reader);
  reader.valuesLeft -= 1;
  if (reader.valuesLeft < 0) throw new CoreError('JSON_TOO_LARGE', `read JSON: expected fewer values, got more at offset ${reader.at}`);
  const character = reader.text[reader.at];
  if (character === '{' || character === '[') {
    if (depth >= reader.maxDepth) {
      throw new CoreError('JSON_TOO_DEEP', `read JSON: expected at most ${reader.maxDepth} levels, got more at offset ${reader.at}`);
    }
    return character === '{' ? readObject(reader, depth) : readArray(reader, depth);
  }
  if (character === '"') return readString(reader);
  for (const [word, value] of [
    ['true', true],
    ['false', false],
    ['null', null],
  ] as const) {
    if (reader.text.startsWith(word, reader.at)) {
      reader.at += word.length;
      return value;
    }
  }
  return readNumber(reader);
}

function readObject(reader: Reader, depth: number): JsonObject {
  const members = new Map<string, JsonValue>();
  reader.at += 1;
  if (take(reader, '}')) return {};
  do {
    skipSpace(reader);
    const start = reader.at;
    const key = readString(reader);
    if (members.has(key)) {
      throw new CoreError(
        'JSON_DUPLICATE_KEY',
        `read JSON: expected each key once, got ${JSON.stringify(key.slice(0, 64))} again at offset ${start}`,
      );
    }
    expectCharacter(reader, ':');
    members.set(key, readValue(reader, depth + 1));
  } while (take(reader, ','));
  expectCharacter(reader, '}');
  // fromEntries defines own properties, so a key named __proto__ stays a key
  return Object.fromEntries(members);
}

function readArray(reader: Reader, depth: number): readonly JsonValue[] {
  const items: JsonValue[] = [];
  reader.at += 1;
  if (take(reader, ']')) return items;
  do items.push(readValue(reader, depth + 1));
  while (take(reader, ','));
  expectCharacter(reader, ']');
  return items;
}

function readString(reader: Reader): string {
  if (reader.text[reader.at] !== '"') throw malformed(reader, 'a string');
  const end = stringEnd(reader);
  const literal = reader.text.slice(reader.at, end);
  const text = literal.includes('\\') ? unescaped(reader, literal) : literal.slice(1, -1);
  if (LONE_SURROGATE.test(text)) throw malformed(reader, 'a string without lone surrogates');
  reader.at = end;
  return text;
}

/** The offset after the closing quote. A loop, as a regular expression overflows the stack on strings of some megabytes. */
function stringEnd(reader: Reader): number {
  for (let at = reader.at + 1; at < reader.text.length; at += 1) {
    const code = reader.text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    // RFC 8259, section 7: control characters only escaped
    if (code < 0x20) break;
    // whatever is escaped does not end the string; JSON.parse judges the escape
    if (code === 0x5c) at += 1;
  }
  throw malformed(reader, 'a string');
}

function unescaped(reader: Reader, literal: string): string {
  try {
    const text: unknown = JSON.parse(literal);
    if (typeof text === 'string') return text;
  } catch (error) {
    // a bad escape: reported below with its place
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw malformed(reader, 'a string with the escapes of JSON');
}

function readNumber(reader: Reader): number {
  const literal = match(reader, NUMBER);
  if (literal === undefined || literal === '') throw malformed(reader, 'a value');
  const value = Number(literal);
  // RFC 7493, section 2.2: beyond 2^53 two readers may see two numbers
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
    throw malformed(reader, `a number within ±(2^53 - 1), not ${literal.slice(0, 32)}`);
  }
  return value;
}

function match(reader: Reader, pattern: RegExp): string | undefined {
  pattern.lastIndex = reader.at;
  const found = pattern.exec(reader.text)?.[0];
  if (found !== undefined) reader.at += found.length;
  return found;
}

/** RFC 8259, section 2. */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function skipSpace(reader: Reader): void {
  while (isSpace(reader.text.charCodeAt(reader.at))) reader.at += 1;
}

/** Takes `character` when it is next, after white space. */
function take(reader: Reader, character: string): boolean {
  skipSpace(reader);
  if (reader.text[reader.at] !== character) return false;
  reader.at += 1;
  return true;
}

function expectCharacter(reader: Reader, character: string): void {
  if (!take(reader, character)) throw malformed(reader, JSON.stringify(character));
}

function malformed(reader: Reader, expected: string): CoreError {
  const got = reader.at < reader.text.length ? JSON.stringify(reader.text.slice(reader.at, reader.at + 16)) : 'the end';
  return new CoreError('JSON_MALFORMED', `read JSON: expected ${expected} at offset ${reader.at}, got ${got}`);
}
