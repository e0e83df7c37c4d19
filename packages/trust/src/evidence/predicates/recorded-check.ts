/** A check as statements record it. Its code is any word: an older reader must not refuse a code that a newer writer knows. */
import type { Digest } from '@sealane/core';
import { z } from 'zod';
import { digestShape, timeShape } from '../../policy/shapes.js';

/** `Check` of core, but for the open `code`; every `Check` is one. */
export type RecordedCheck = {
  readonly id: string;
  readonly verdict: 'pass' | 'fail' | 'pending' | 'error';
  readonly expected: string;
  readonly actual: string;
  readonly remedy: string;
  readonly evidence: readonly Digest[];
  readonly code?: string;
  readonly earliest?: string;
};

/** Longest text of one field of a check, in UTF-16 units: 128 checks of a decision stay below the payload's bound. */
const MAX_CHECK_TEXT = 2000;

/** Zod's shape of a recorded check. */
export const recordedCheckShape = z.strictObject({
  id: z.string().min(1).max(64),
  verdict: z.enum(['pass', 'fail', 'pending', 'error']),
  expected: z.string().max(MAX_CHECK_TEXT),
  actual: z.string().max(MAX_CHECK_TEXT),
  remedy: z.string().max(MAX_CHECK_TEXT),
  evidence: z.array(digestShape).max(512),
  code: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{1,63}$/)
    .exactOptional(),
  earliest: timeShape.exactOptional(),
});
