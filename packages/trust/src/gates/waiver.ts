/** Waivers: one finding let through by the owners' signed policy, by somebody who answers for it, until a date. */
import { z } from 'zod';
import type { WitnessedTime } from '../evidence/statement-checks.js';
import { timeShape } from '../policy/shapes.js';
import { timeToSeconds } from '../time.js';

/** Fields of every waiver, beside what it is for. */
export const waiverFields = {
  owner: z.string().min(1).max(200),
  reason: z.string().min(1).max(1000),
  expiresAt: timeShape,
} as const;

/** Whether a waiver has not expired, by the latest that the time can be. */
export function isInForce({ expiresAt }: { readonly expiresAt: string }, { highest }: WitnessedTime): boolean {
  return timeToSeconds(highest) < timeToSeconds(expiresAt);
}
