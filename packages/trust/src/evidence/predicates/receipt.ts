/** `urn:sealane:receipt:v1`: a site says what it installed, refused or rolled back. Chained by `seq` and `prev`, signed by the site's key. */
import { type Digest, type JsonObject, PREDICATE, type Statement } from '@sealane/core';
import { z } from 'zod';
import { countShape, digestShape, jsonObjectShape, keyIdShape, nameShape, saltShape, timeShape } from '../../policy/shapes.js';
import { siteVariablesShape, type SiteVariables } from '../../site-variables.js';
import { type CheckpointSeen, checkpointSeenShape } from './approval.js';
import { MAX_SECRETS } from './declaration.js';
import { LINK_KINDS, type MeasuredLink, measuredLinkShape } from './measured-link.js';
import { type RecordedCheck, recordedCheckShape } from './recorded-check.js';
import { type ReceiptSummary, receiptSummaryShape } from './receipt-summary.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

/**
 * `rolled-back` = by itself, after failed health; `rollback` = by hand; `rotated` = the release that runs was given other values of its secrets, or was
 * not, for `reason`; `retired` = the last word of a site that the registrar retired; `local-role` = somebody
 * used what people granted; `summed-up` = this one stands for older refusals, which will not come.
 */
export type ReceiptEvent = (typeof RECEIPT_EVENTS)[number];
const RECEIPT_EVENTS = ['installed', 'refused', 'rolled-back', 'rollback', 'rotated', 'retired', 'local-role', 'summed-up'] as const;

/**
 * The predicate. `prev` = statement digest of the receipt before, null in the first; `at` = the site's trusted time;
 * `hardware` = the CycloneDX inventory as found; `checks` = the ones that did not pass; `variables` = what site.yaml sets, if anything;
 * `rendered` = digest of the values that the release was given, if it declares any; `seconds` = how long it took, rounded up, from the order to
 * install or to go back until the release was kept as healthy, by the clock that cannot be set; absent: power was cut meanwhile. `exceptions` =
 * statements of the exception that was used; `secrets` = which values of its secrets the release was given, if it needs any; `role` = what was done by an exception of kind
 * `local-role`, and in whose name; `summary` = of `summed-up`: what it stands for; `link` = of `installed`: what `fetch` measured while it brought the release,
 * if it came over links, a kind of upstream at most once.
 */
export type ReceiptPredicate = {
  readonly site: string;
  readonly keyId: string;
  readonly seq: number;
  readonly prev: Digest | null;
  readonly event: ReceiptEvent;
  readonly release: Digest | null;
  readonly waybill: Digest | null;
  readonly previous: Digest | null;
  readonly reason: string | null;
  readonly checks: readonly RecordedCheck[];
  readonly at: string;
  readonly hardware: JsonObject;
  readonly variables?: SiteVariables;
  readonly rendered?: Digest;
  readonly secrets?: readonly { readonly name: string; readonly version: number }[];
  readonly seconds?: number;
  readonly exceptions?: readonly Digest[];
  readonly role?: UsedRole;
  readonly summary?: ReceiptSummary;
  readonly link?: readonly MeasuredLink[];
  readonly checkpoint: CheckpointSeen | null;
  readonly salt: string;
};

/** Who did what by a granted role. */
export type UsedRole = { readonly person: string; readonly verb: string };

/** More than a week is no switch of a release. */
export const MAX_SWITCH_SECONDS = 604_800;

/** Zod's shape of the predicate. */
export const receiptShape = z.strictObject({
  site: nameShape,
  keyId: keyIdShape,
  seq: countShape,
  prev: digestShape.nullable(),
  event: z.enum(RECEIPT_EVENTS),
  release: digestShape.nullable(),
  waybill: digestShape.nullable(),
  previous: digestShape.nullable(),
  reason: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{1,63}$/)
    .nullable(),
  checks: z.array(recordedCheckShape).max(128),
  at: timeShape,
  hardware: jsonObjectShape,
  variables: siteVariablesShape.exactOptional(),
  rendered: digestShape.exactOptional(),
  secrets: z
    .array(z.strictObject({ name: nameShape, version: z.int().min(1) }))
    .min(1)
    .max(MAX_SECRETS)
    .exactOptional(),
  seconds: z.int().min(1).max(MAX_SWITCH_SECONDS).exactOptional(),
  exceptions: z.array(digestShape).min(1).max(64).exactOptional(),
  role: z.strictObject({ person: nameShape, verb: z.string().min(1).max(32) }).exactOptional(),
  summary: receiptSummaryShape.exactOptional(),
  link: z.array(measuredLinkShape).min(1).max(LINK_KINDS.length).exactOptional(),
  checkpoint: checkpointSeenShape.nullable(),
  salt: saltShape,
});

const format: PredicateFormat<ReceiptPredicate> = { what: 'receipt', predicateType: PREDICATE.receipt, shape: receiptShape };

/** Reads a receipt. @throws TrustError `TRUST_MALFORMED` */
export function readReceipt(statement: Statement): ReceiptPredicate {
  return readPredicate(format, statement);
}

/** The payload of a receipt; its subject is the release, or the site's key when it names none. @throws TrustError `TRUST_MALFORMED` */
export function receiptStatement(predicate: ReceiptPredicate): Uint8Array {
  const subject = predicate.release ?? digestShape.parse(`sha256:${predicate.keyId}`);
  return writePredicate(format, [{ name: predicate.site, digest: subject }], predicate);
}
