/** What policies are made from. */
import type { Policy } from '@sealane/trust';
import type { Pipeline } from '../pipeline/pipeline.js';

/** The public half (SPKI DER) of a key by its name. */
export type FindKey = (name: string) => Uint8Array;

/** A key whose signatures end to count at a log index. */
export interface RevokedKey {
  readonly keyId: string;
  readonly untilIndex: number;
  readonly reason: string;
}

/** What a policy is made from, beside its stage. `logSize` is where keys that are no longer named end. */
export interface PolicySource {
  readonly pipeline: Pipeline;
  readonly findKey: FindKey;
  readonly logVkey: string;
  readonly logSize: number;
  readonly now: string;
  readonly revoked: readonly RevokedKey[];
  /** The policy that is published now; none for a new stage. */
  readonly before?: Policy;
  /** Any that is published now: they all say the same of the log. None for a new lane. */
  readonly laneBefore?: Policy;
}
