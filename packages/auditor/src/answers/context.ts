/** What every answer is made from: a ledger copy, the policies that name keys and people, and a way to read blobs. */
import { AuditorError, type Digest } from '@sealane/core';
import type { Ledger } from '@sealane/ledger';
import type { Policy } from '@sealane/trust';
import type { LogFolder } from './log-files.js';

export interface AuditContext {
  readonly ledger: Ledger;
  /** Where `ledger` is what was known at some time: all that is known today. */
  readonly present?: Ledger;
  /** One for each stage, in the order of the lane. */
  readonly policies: readonly Policy[];
  /** The lane's roots from its first on, each signed by the owners of the one before. */
  readonly roots: readonly Uint8Array[];
  /** A blob of `content/`, checked against its digest; undefined when it is not there. */
  readonly readBlob: (digest: Digest) => Uint8Array | undefined;
  /** The published log. */
  readonly log: LogFolder;
}

/** The policy of a stage. @throws AuditorError `STAGE_UNKNOWN` */
export function policyOf({ policies }: AuditContext, stage: string): Policy {
  const found = policies.find((policy) => policy.stage === stage);
  if (found !== undefined) return found;
  throw new AuditorError(
    'STAGE_UNKNOWN',
    `read the policy of ${stage}: expected one of the stages ${policies.map((policy) => policy.stage).join(', ')}`,
  );
}

/** Who holds a key: a person of the policies, or undefined. */
export function personOf({ policies }: AuditContext, keyId: string): string | undefined {
  return policies.flatMap(({ people }) => people).find(({ keys }) => keys.includes(keyId))?.id;
}
