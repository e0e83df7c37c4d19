/** Measured conditions: latency, jitter, loss, retransmits and failover of a run, for each link profile that it was run under. The unit is in the name. */
import { TrustError } from '@sealane/core';
import { z } from 'zod';
import { parseDocument } from '../policy/document.js';
import { nameShape } from '../policy/shapes.js';

/** The measurements under one profile, such as `lte-worst`. `failoverMs` is null where nothing could fail over. */
export type LinkConditions = {
  readonly profile: string;
  readonly samples: number;
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number };
  readonly jitterMs: number;
  readonly lossPercent: number;
  readonly retransmitPercent: number;
  readonly failoverMs: number | null;
};

/** What one run measured. */
export type Conditions = {
  readonly apiVersion: 'sealane/v1';
  readonly kind: 'Conditions';
  readonly profiles: readonly LinkConditions[];
};

const MAX_CONDITIONS_BYTES = 256 * 1024;

/** A day: a larger number is one of another unit. */
export const millisecondsShape = z.number().min(0).max(86_400_000);
/** A share of packets, in percent. */
export const percentShape = z.number().min(0).max(100);

/** Zod's shape. */
export const conditionsShape = z.strictObject({
  apiVersion: z.literal('sealane/v1'),
  kind: z.literal('Conditions'),
  profiles: z
    .array(
      z.strictObject({
        profile: nameShape,
        samples: z.int().min(1),
        latencyMs: z.strictObject({ p50: millisecondsShape, p95: millisecondsShape, p99: millisecondsShape }),
        jitterMs: millisecondsShape,
        lossPercent: percentShape,
        retransmitPercent: percentShape,
        failoverMs: millisecondsShape.nullable(),
      }),
    )
    .min(1)
    .max(64),
});

/** Checks that each profile is there once and its percentiles rise. @throws TrustError `TRUST_MALFORMED` */
export function checkConditions({ profiles }: Conditions): void {
  const names = profiles.map(({ profile }) => profile);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw malformed(`expected each profile once, got ${twice} again`);
  for (const { profile, latencyMs } of profiles) {
    const { p50, p95, p99 } = latencyMs;
    if (p50 > p95 || p95 > p99) throw malformed(`profile ${profile}: expected p50 ≤ p95 ≤ p99, got ${p50}, ${p95}, ${p99}`);
  }
}

/**
 * Reads the conditions of a run.
 *
 * @throws TrustError `TRUST_TOO_LARGE`; `TRUST_MALFORMED` another shape, not canonical, or parts that contradict each other
 */
export function parseConditions(bytes: Uint8Array): Conditions {
  const conditions: Conditions = parseDocument('conditions', conditionsShape, bytes, MAX_CONDITIONS_BYTES);
  checkConditions(conditions);
  return conditions;
}

function malformed(why: string): TrustError {
  return new TrustError('TRUST_MALFORMED', `parse conditions: ${why}`);
}
