/** What one sync is asked for, and the files that it gathers. */
import type { Digest } from '@sealane/core';
import type { TufState } from '@sealane/trust';

/** What `apply` asks for. `labels` null = not known yet: everything of the stage. `seenSize` = entries of the last checkpoint seen here. */
export type SyncJob = {
  readonly stage: string;
  readonly site: string;
  readonly labels: Readonly<Record<string, string>> | null;
  readonly tuf: TufState;
  readonly now: string;
  readonly expiry: 'network' | 'medium';
  readonly seenSize: number;
  /** Something in the mirror was found wrong: hash again what is there, and do not stop at an unchanged timestamp. */
  readonly recheck: boolean;
  /** Most bytes of content that the mirror may hold; null: as the disk has room. */
  readonly mirrorBytes: number | null;
  /** Digest of the timestamp whose trust was judged last: content is brought for that, and for nothing that nobody has looked at. */
  readonly judged: Digest | null;
  /** Receipts with higher numbers than `above` are not shown to be in the log yet; `sought`: those that are looked for on a medium. */
  readonly receipts?: { readonly above: number; readonly sought: readonly SoughtReceipt[] };
};

/** A receipt by its leaf hash (base64), which lies in no log below the index `from`. */
export type SoughtReceipt = { readonly seq: number; readonly leaf: string; readonly from: number };

/** Files to be written when all else is there: path in the lane → bytes. */
export type LaneFiles = ReadonlyMap<string, Uint8Array>;
