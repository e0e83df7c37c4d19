/**
 * The small shapes that every document of the lane is made of. Zod is loaded in this folder and nowhere earlier than needed:
 * it costs tens of milliseconds of start-up.
 *
 * Shapes that brand do so with a transform; JSON Schemas are generated from the input side, where they are plain strings.
 */
import { type Digest, type JsonObject, type JsonValue, MAX_PLAIN_TEXT, parseDigest, PLAIN_TEXT } from '@sealane/core';
import { z } from 'zod';
import { isTime } from '../time.js';

/** Longest list of names, people or keys in one place of a document. */
export const MAX_LIST = 256;
/** Labels one site or selector may have. */
const MAX_LABELS = 64;

/** `sha256:` and 64 lower-case hex digits, branded. */
export const digestShape = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .transform((text): Digest => parseDigest(text));

/** 64 lower-case hex digits: a digest where the format (in-toto, SLSA) names the algorithm beside it. */
export const hexShape = z.string().regex(/^[0-9a-f]{64}$/);

/** A key's id: hex SHA-256 of its SPKI DER. */
export const keyIdShape = hexShape;

/** A time, `2026-11-24T10:00:00Z`. */
export const timeShape = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  .refine(isTime, 'expected a time that exists, as YYYY-MM-DDThh:mm:ssZ');

/** A name of a stage, group, site, person, component: it becomes part of file names, URNs and TUF role names. */
export const nameShape = z.string().regex(/^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/);

/** A log's origin: a bare host name, no port, no path: cosign refuses a checkpoint whose origin is not the host of `baseUrl`. */
export const originShape = z.string().regex(/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/);

/** Base64 with padding, and no bits behind the last byte: what `fromBase64` takes. */
export const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/;

/** Base64, not empty. */
export const base64Shape = z.string().regex(BASE64).min(4).max(4096);

/** Free text for people, on one or more lines, without control characters that could draw on a terminal. */
export const textShape = z.string().max(MAX_PLAIN_TEXT).regex(PLAIN_TEXT);

/** Labels of a site, and the selector that matches them: every pair of a selector must be among the site's. */
export const labelsShape = z
  .record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/), z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,126}$/))
  .refine((labels) => Object.keys(labels).length <= MAX_LABELS, `expected at most ${String(MAX_LABELS)} labels`);

/** A whole number that JSON keeps exact, not negative: a version, index, length. */
export const countShape = z.int().min(0);

/** 32 hex digits of random: makes the digest of a payload with names or serials unguessable after it was erased. */
export const saltShape = z.string().regex(/^[0-9a-f]{32}$/);

/** Any JSON object, kept as it is. */
export const jsonObjectShape = z.looseObject({}).transform((value, context): JsonObject => {
  if (isJsonObject(value)) return value;
  context.addIssue({ code: 'custom', message: 'expected a JSON object' });
  return z.NEVER;
});

/** Where a floor lies: the lowest counter, and the log index from which a decision needs approvals logged at or after it. */
export const floorShape = z.strictObject({ counter: countShape, index: countShape });

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isJsonValue);
}

function isJsonValue(value: unknown): value is JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  return Array.isArray(value) ? value.every(isJsonValue) : isJsonObject(value);
}
