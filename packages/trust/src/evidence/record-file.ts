/** The record of a site as it is carried there: the registrar's bundle; or a delegate's, with the registrar's delegation behind it. */
import { type JsonValue, LIMITS, TrustError } from '@sealane/core';
import { parseJson } from '../policy/document.js';
import { type ParsedBundle, parseBundle } from './bundle.js';

/** Taken apart; nothing in it is verified. */
export interface RecordFile {
  readonly record: ParsedBundle;
  /** Null: the registrar's own record. */
  readonly delegation: ParsedBundle | null;
}

/** Most bytes of one. */
export const MAX_RECORD_BYTES = 2 * LIMITS.bundleBytes;

/**
 * Takes one apart.
 *
 * @throws TrustError `TRUST_TOO_LARGE`; `TRUST_MALFORMED` neither a bundle nor a list of two
 */
export function readRecordFile(bytes: Uint8Array): RecordFile {
  const value = parseJson('site record', bytes, MAX_RECORD_BYTES);
  if (!Array.isArray(value)) return { record: parseBundle(value), delegation: null };
  const [record, delegation, ...more] = value as readonly JsonValue[];
  if (record === undefined || delegation === undefined || more.length > 0)
    throw new TrustError(
      'TRUST_MALFORMED',
      `read site record: expected a bundle, or a record and its delegation, got a list of ${value.length}`,
    );
  return { record: parseBundle(record), delegation: parseBundle(delegation) };
}
