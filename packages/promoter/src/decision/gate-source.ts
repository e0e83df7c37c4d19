/** What is asked of the gates, and of what. */
import type { Digest } from '@sealane/core';
import type { PastLedger } from '@sealane/ledger';
import type { ContentPlace } from '../content.js';
import type { LaneTrust } from '../trust/lane-trust.js';

/** What a question is judged from: an open home, or a copy of its ledger and lane as they were when a decision was made. */
export interface GateSource extends ContentPlace {
  readonly ledger: PastLedger;
  readonly lane: Pick<LaneTrust, 'stages'>;
  /** The clock that counts for a lane that no witness has seen yet, and for a plan. */
  readonly now: () => string;
}

/** A question to the gates: may this release go into this stage, for these groups? */
export interface Question {
  readonly release: Digest;
  readonly stage: string;
  readonly rollout: readonly string[];
}
