/**
 * The waybill: the one document that travels with a release in a stage. Unsigned and content-addressed: all that counts in it
 * are the signed, logged statements of its bundles.
 */
import { type Digest, type JsonObject, LIMITS } from '@sealane/core';
import { z } from 'zod';
import { encodeDocument, parseDocument } from '../policy/document.js';
import { countShape, digestShape, jsonObjectShape, nameShape } from '../policy/shapes.js';

/** A blob that the gates read (HBOM, test report), in `content/` by digest; size in bytes. */
export type WaybillBlob = {
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType: string;
};

/** Decisions in stage order, approvals and evidence with their log proofs, inline; larger documents by digest. */
export type Waybill = {
  readonly apiVersion: 'sealane/v1';
  readonly kind: 'Waybill';
  readonly release: Digest;
  readonly stage: string;
  /** Statement digest of this stage's decision. */
  readonly decision: Digest;
  readonly bundles: readonly JsonObject[];
  readonly blobs: readonly WaybillBlob[];
};

/** Media type of a waybill in `content/`. */
export const WAYBILL_MEDIA_TYPE = 'application/vnd.sealane.waybill.v1+json';

/** Most bundles: each costs two signature checks at a site, so this bounds the time that a hostile waybill can take. */
const MAX_BUNDLES = 512;
/** Most blobs: a test result names its report and up to five documents of its run; those of five hundred machines must fit. */
const MAX_BLOBS = 4 * MAX_BUNDLES;

/** Zod's shape of a waybill; each bundle is parsed on its own. */
export const waybillShape = z.strictObject({
  apiVersion: z.literal('sealane/v1'),
  kind: z.literal('Waybill'),
  release: digestShape,
  stage: nameShape,
  decision: digestShape,
  bundles: z.array(jsonObjectShape).min(1).max(MAX_BUNDLES),
  blobs: z.array(z.strictObject({ digest: digestShape, size: countShape, mediaType: z.string().min(1).max(255) })).max(MAX_BLOBS),
});

/**
 * Parses a waybill; its bundles stay unparsed.
 *
 * @throws TrustError `TRUST_TOO_LARGE`; `TRUST_MALFORMED` another shape or not canonical
 */
export function parseWaybill(bytes: Uint8Array): Waybill {
  return parseDocument('waybill', waybillShape, bytes, LIMITS.waybillBytes);
}

/**
 * The bytes of a waybill: canonical JSON, of the shape that sites expect.
 *
 * @throws TrustError as `parseWaybill`
 */
export function encodeWaybill(waybill: Waybill): Uint8Array {
  return encodeDocument('waybill', waybillShape, waybill, LIMITS.waybillBytes);
}
