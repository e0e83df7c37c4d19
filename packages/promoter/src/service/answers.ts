/** The shapes of answers: those that the commands print with `--json`. More fields are welcome, these stay. */
import { z } from 'zod';

export const digestShape = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256: and 64 lower-case hex digits')
  .describe('sha256: and 64 lower-case hex digits');
const index = z.int().min(0);

export const statementsShape = z.looseObject({
  statements: z.array(z.looseObject({ predicateType: z.string(), digest: digestShape, logIndex: index.nullable() })),
});

const componentShape = z.looseObject({
  name: z.string(),
  kind: z.enum(['image', 'files', 'manifest', 'firmware']),
  digest: digestShape,
  size: index,
});

export const madeReleaseShape = z.looseObject({
  release: digestShape,
  name: z.string(),
  version: z.string(),
  components: z.array(componentShape),
});

export const releaseShape = z.looseObject({ ...madeReleaseShape.shape, ...statementsShape.shape });

export const releaseListShape = z.looseObject({
  releases: z.array(
    z.looseObject({ release: digestShape, name: z.string(), version: z.string(), logIndex: index, stages: z.array(z.string()) }),
  ),
});

const checkShape = z.looseObject({
  id: z.string(),
  verdict: z.enum(['pass', 'fail', 'pending', 'error']),
  expected: z.string(),
  actual: z.string(),
  remedy: z.string(),
  evidence: z.array(digestShape),
});

export const outcomeShape = z.looseObject({
  release: digestShape,
  to: z.string(),
  decision: z.enum(['passed', 'refused', 'pending']),
  checks: z.array(checkShape),
  earliest: z.string().nullable(),
  statement: digestShape.nullable(),
  logIndex: index.nullable(),
});

export const planShape = z.looseObject({
  ...outcomeShape.shape,
  missing: z.array(
    z.looseObject({
      check: z.string(),
      who: z.array(z.looseObject({ kind: z.string(), name: z.string() })),
      earliest: z.string().nullable(),
    }),
  ),
});

export const explanationShape = z.looseObject({
  release: digestShape,
  to: z.string(),
  rollout: z.array(z.string()),
  policy: digestShape,
  decision: z.enum(['passed', 'refused', 'pending']),
  checks: z.array(checkShape),
  earliest: z.string().nullable(),
  seen: z.array(digestShape),
});

export const channelShape = z.looseObject({
  stage: z.string(),
  version: z.int(),
  issuedAt: z.string(),
  expiresAt: z.string(),
  groups: z.array(z.looseObject({ name: z.string(), release: digestShape, waybill: digestShape, length: z.int(), counter: z.int() })),
  frozen: z.looseObject({ until: z.string(), reason: z.string() }).nullable(),
  held: z.array(z.looseObject({ group: z.string(), reason: z.string() })),
  fenced: z.array(z.looseObject({ site: z.string(), reason: z.string() })),
  drained: z.array(z.looseObject({ site: z.string(), reason: z.string() })),
  revoked: z.array(z.looseObject({ release: digestShape, reason: z.string() })),
});

export const proofShape = z.looseObject({ predicateType: z.string(), digest: digestShape, logIndex: index, bundle: z.looseObject({}) });

export const blobShape = z.looseObject({ digest: digestShape, size: index });

/** Every failure, as the commands print it. */
export const failureShape = z.looseObject({ error: z.looseObject({ code: z.string(), message: z.string(), hint: z.string() }) });

/** An answer to an auditor: what it rests on is included under the checkpoint, a signed note. */
export const auditAnswerShape = z.looseObject({
  question: z.string(),
  answer: z.looseObject({
    doubts: z.array(z.looseObject({ statement: digestShape, logIndex: index, code: z.string(), message: z.string() })),
  }),
  statements: z.array(z.looseObject({ digest: digestShape, logIndex: index })),
  checkpoint: z.string().nullable(),
  complete: z.boolean(),
});
