/** One way in for every document of the lane that is ours: bounded, strict JSON, canonical bytes, then its shape. */
import { canonicalJson, CoreError, equalBytes, type JsonObject, type JsonValue, parseStrictJson, TrustError } from '@sealane/core';
import type { z } from 'zod';

/** Deepest nesting of a document of ours (the deepest is a waybill with HBOM in a receipt: 12). */
const MAX_DEPTH = 32;

/**
 * Parses a document that must be RFC 8785 bytes: one value has one spelling, so a digest names a value.
 *
 * `what` names the document in messages (`policy of stage prod`).
 *
 * @throws TrustError `TRUST_TOO_LARGE` over `maxBytes` or too deep; `TRUST_MALFORMED` no strict JSON, not canonical, or another shape
 */
export function parseDocument<T>(what: string, schema: z.ZodType<T>, bytes: Uint8Array, maxBytes: number): T {
  const value = parseJson(what, bytes, maxBytes);
  if (!equalBytes(canonicalJson(value), bytes)) {
    throw new TrustError('TRUST_MALFORMED', `parse ${what}: expected canonical JSON (RFC 8785), got another spelling of it`);
  }
  return parseShape(what, schema, value);
}

/**
 * The bytes of a document as `parseDocument` takes it: they are canonical by being written so, and are held to the same bounds and shape.
 *
 * @throws TrustError as `parseDocument`
 */
export function encodeDocument<T extends JsonObject>(what: string, schema: z.ZodType<T>, document: T, maxBytes: number): Uint8Array {
  const bytes = canonicalJson(document);
  if (bytes.length > maxBytes || isDeeper(document, MAX_DEPTH)) {
    throw new TrustError('TRUST_TOO_LARGE', `write ${what}: expected at most ${maxBytes} bytes and ${MAX_DEPTH} levels, got more`);
  }
  parseShape(what, schema, document);
  return bytes;
}

function isDeeper(value: JsonValue | undefined, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member: JsonValue | undefined) => isDeeper(member, levels - 1));
}

/**
 * Parses a value that is part of a larger document.
 *
 * @throws TrustError `TRUST_MALFORMED` another shape; the message names the first place that differs
 */
export function parseShape<T>(what: string, schema: z.ZodType<T>, value: JsonValue): T {
  const parsed = fitShape(schema, value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const place = issue === undefined || issue.path.length === 0 ? 'the whole' : issue.path.map(String).join('.').slice(0, 200);
  throw new TrustError('TRUST_MALFORMED', `parse ${what}: ${place}: ${(issue?.message ?? 'another shape').toLowerCase().slice(0, 200)}`);
}

/** After so many values zod's code for a shape has earned what making it costs: as long as parsing some ten values without it. */
const WORTH_CODE = 16;
/** How many values each shape has parsed. */
const parses = new WeakMap<z.ZodType, number>();

/** As `safeParse`: a command parses few values of each shape, and has no code made for them; a service parses many. */
export function fitShape<T extends z.ZodType>(schema: T, value: unknown): z.ZodSafeParseResult<z.output<T>> {
  const count = (parses.get(schema) ?? 0) + 1;
  parses.set(schema, count);
  return schema.safeParse(value, { jitless: count <= WORTH_CODE });
}

/** Strict JSON with the codes of `trust`: size and depth are `TRUST_TOO_LARGE`, all else `TRUST_MALFORMED`. */
export function parseJson(what: string, bytes: Uint8Array, maxBytes: number): JsonValue {
  try {
    return parseStrictJson(bytes, { maxBytes, maxDepth: MAX_DEPTH });
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    const code = error.code === 'JSON_TOO_LARGE' || error.code === 'JSON_TOO_DEEP' ? 'TRUST_TOO_LARGE' : 'TRUST_MALFORMED';
    throw new TrustError(code, `parse ${what}: ${error.message}`, {}, { cause: error });
  }
}
