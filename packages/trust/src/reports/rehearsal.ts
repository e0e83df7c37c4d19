/** A rehearsal: a lab rolled a release back, at a site or bench of an earlier stage, to releases that it is to replace, and says how long each took. */
import { type Digest, TrustError } from '@sealane/core';
import { z } from 'zod';
import { parseDocument } from '../policy/document.js';
import { digestShape, nameShape, timeShape } from '../policy/shapes.js';

/** One way back. `receipts` = statement digests of the site's receipts that show it; none where a bench without enrolment did it. */
export type RehearsedRollback = {
  readonly to: Digest;
  readonly seconds: number;
  readonly at: string;
  readonly receipts: readonly Digest[];
};

/** What one rehearsal showed. */
export type Rehearsal = {
  readonly apiVersion: 'sealane/v1';
  readonly kind: 'Rehearsal';
  readonly stage: string;
  readonly site: string;
  readonly rollbacks: readonly RehearsedRollback[];
};

const MAX_REHEARSAL_BYTES = 256 * 1024;

/** Zod's shape. */
export const rehearsalShape = z.strictObject({
  apiVersion: z.literal('sealane/v1'),
  kind: z.literal('Rehearsal'),
  stage: nameShape,
  site: nameShape,
  rollbacks: z
    .array(
      z.strictObject({
        to: digestShape,
        seconds: z.number().min(0).max(604_800),
        at: timeShape,
        receipts: z.array(digestShape).max(16),
      }),
    )
    .min(1)
    .max(64),
});

/** Checks that each release gone back to is there once. @throws TrustError `TRUST_MALFORMED` */
export function checkRehearsal({ rollbacks }: Rehearsal): void {
  const releases = rollbacks.map(({ to }) => to);
  const twice = releases.find((to, at) => releases.indexOf(to) !== at);
  if (twice !== undefined) throw new TrustError('TRUST_MALFORMED', `parse rehearsal: expected each release once, got ${twice} again`);
}

/**
 * Reads a rehearsal.
 *
 * @throws TrustError `TRUST_TOO_LARGE`; `TRUST_MALFORMED` another shape, not canonical, or a release twice
 */
export function parseRehearsal(bytes: Uint8Array): Rehearsal {
  const rehearsal: Rehearsal = parseDocument('rehearsal', rehearsalShape, bytes, MAX_REHEARSAL_BYTES);
  checkRehearsal(rehearsal);
  return rehearsal;
}
