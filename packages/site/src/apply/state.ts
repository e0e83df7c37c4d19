/**
 * What a site knows about itself, as plain data: the fold of its journal. `step.ts` folds, `effects.ts` says what is to be done.
 *
 * Trust state (versions, floors, checkpoints) is not here but in `trust.json`: it changes by what was verified, not by what was done.
 */
import type { Check, Digest, ErrorCode, JsonObject } from '@sealane/core';
import type { ReceiptSummary, SiteException, SiteRetirement, SummedRun } from '@sealane/trust';

/** A value of a secret that a release is given, by name and version. */
export type GivenSecret = { readonly name: string; readonly version: number };

/** A value that was taken in: its statement, and the blob in which it came. */
export type KnownSecret = GivenSecret & { readonly statement: Digest; readonly blob: Digest };

/** A release that was committed here, as it lies in its slot. `since` = trusted time of the commit. */
export type Slot = {
  readonly release: Digest;
  readonly name: string;
  readonly version: string;
  readonly waybill: Digest | null;
  readonly counter: number;
  /** Digest of the values that it was given for its variables; absent: it declares none. */
  readonly rendered?: Digest;
  /** Which values of its secrets it was given; absent: it needs none. */
  readonly secrets?: readonly GivenSecret[];
  /** People let it run here though it is below the floor. */
  readonly belowFloor?: true;
  readonly since: string;
};

/** Why a release is being laid down: the channel wants it, an operator goes back to it, or the one that runs gets other values of its secrets. */
export type Cause = 'update' | 'rollback' | 'secrets';

/** An exception that was taken in and is not used up: what it allows, who granted it, what they signed; `used` = how often it was used so far. */
export type TakenException = SiteException & { readonly bundles: readonly JsonObject[]; readonly used?: number };

/** A release on its way in. `began` = when it was ordered; `exception` = what it is let through by; `oneWay` = its parts without a way back. */
export type Target = Omit<Slot, 'since'> & {
  readonly cause: Cause;
  readonly oneWay?: readonly string[];
  readonly began?: Moment;
  readonly exception?: Pick<TakenException, 'nonce' | 'statements'>;
};

/** A moment on the clock that cannot be set: seconds of uptime since the boot of that id. */
export type Moment = {
  readonly bootId: string;
  readonly uptimeSeconds: number;
};

/** Where the machine stands (`research/site-updaters.md` § 5, thin). `attempt` counts from 1 and bounds every loop. */
export type Phase =
  | { readonly at: 'idle' }
  | { readonly at: 'admitted'; readonly target: Target }
  | { readonly at: 'staged'; readonly target: Target }
  | { readonly at: 'switching'; readonly target: Target; readonly attempt: number }
  | { readonly at: 'probation'; readonly target: Target; readonly attempt: number; readonly began: Moment }
  /** Healthy, and parts without a way back are left: before them what they may spoil is saved, after them health is seen once more. */
  | { readonly at: 'saving'; readonly target: Target; readonly attempt: number }
  | { readonly at: 'one-way'; readonly target: Target; readonly attempt: number }
  | { readonly at: 'settling'; readonly target: Target; readonly attempt: number }
  /** Healthy, and the updater's own part is left: the program of that slot has to pass its check. */
  | { readonly at: 'trial'; readonly target: Target; readonly slot: string; readonly attempt: number }
  | {
      readonly at: 'rolling-back';
      readonly target: Target;
      readonly attempt: number;
      readonly failed: readonly Check[];
      readonly began?: Moment;
    }
  | { readonly at: 'committed' }
  | { readonly at: 'rolled-back' }
  | { readonly at: 'held'; readonly code: ErrorCode; readonly message: string; readonly target: Target | null }
  /** The registrar retired this site: its last receipt is made, then all that it holds is wiped, and from then on it only says so. */
  | { readonly at: 'retiring'; readonly retirement: SiteRetirement }
  | { readonly at: 'retired'; readonly retirement: SiteRetirement };

/** A receipt that is owed: what it says, but for what is known only when it is signed. */
export type OwedReceipt = {
  readonly event: 'installed' | 'refused' | 'rolled-back' | 'rollback' | 'rotated' | 'retired' | 'local-role' | 'summed-up';
  readonly release: Digest | null;
  readonly waybill: Digest | null;
  readonly previous: Digest | null;
  readonly reason: ErrorCode | null;
  readonly rendered?: Digest;
  readonly secrets?: readonly GivenSecret[];
  readonly seconds?: number;
  readonly exceptions?: readonly Digest[];
  readonly role?: { readonly person: string; readonly verb: string };
  readonly summary?: ReceiptSummary;
  readonly checks: readonly Check[];
  readonly at: string;
};

/** A release that is not tried again here. */
export type Denied = {
  readonly release: Digest;
  readonly reason: string;
  readonly at: string;
};

/** An operator's hold on updates; `until` null means until it is lifted. */
export type Hold = {
  readonly reason: string;
  readonly at: string;
  readonly until: string | null;
};

/** The whole state. */
export type SiteState = {
  readonly phase: Phase;
  readonly current: Slot | null;
  readonly previous: Slot | null;
  /** Kept releases besides the current one, newest first. */
  readonly kept: readonly Slot[];
  readonly denied: readonly Denied[];
  /** Every release ever committed here: one goes back to these by hand below the channel's wish. */
  readonly committed: readonly Digest[];
  readonly hold: Hold | null;
  /** The counter of the last release whose parts without a way back were begun: nothing below it runs here any more. */
  readonly oneWayFloor: number;
  /** An operator stopped the workload: nothing starts it again but an update or `start`. */
  readonly stopped: boolean;
  /** Why the channel drained this site: its workload stays stopped until it rejoins. */
  readonly drained: string | null;
  /** Exceptions that may be used once, and nonces of those that were. */
  readonly taken: readonly TakenException[];
  readonly spent: readonly string[];
  /** Values of secrets that were taken in, and those with which a workload was not healthy. */
  readonly secrets: readonly KnownSecret[];
  readonly failedSecrets: readonly GivenSecret[];
  readonly owed: OwedReceipt | null;
  /**
   * Head of the receipt chain: number and statement digest of the last one queued. `sent`: all up to here are in the log, as it shows itself. `carried`: what `fetch` says that
   * it handed over. `summed`: what the last summary stands for, and is not sent any more.
   */
  readonly receipts: {
    readonly seq: number;
    readonly prev: Digest | null;
    readonly sent: number;
    readonly carried?: CarriedReceipts;
    readonly summed?: readonly SummedRun[];
  };
  /** The last refusal, so that the same one is not receipted at every poll. */
  readonly refused: {
    readonly code: ErrorCode;
    readonly release: Digest | null;
    readonly waybill: Digest | null;
    readonly checks: readonly Check[];
  } | null;
};

/** Receipts up to number `seq` were handed over. Of the oldest that the log has not shown: at which trusted time, and after how many days it is handed over again. */
export type CarriedReceipts = { readonly seq: number; readonly at: string; readonly days: number };

/** A site that has done nothing yet. */
export const INITIAL_STATE: SiteState = {
  phase: { at: 'idle' },
  current: null,
  previous: null,
  kept: [],
  denied: [],
  committed: [],
  hold: null,
  oneWayFloor: 0,
  stopped: false,
  drained: null,
  taken: [],
  spent: [],
  secrets: [],
  failedSecrets: [],
  owed: null,
  receipts: { seq: 0, prev: null, sent: 0 },
  refused: null,
};

/** What happened; each is one record of the journal. `at` is trusted time where it is kept, `seconds` as receipts have it. */
export type SiteEvent =
  | { readonly is: 'admitted'; readonly target: Target }
  | { readonly is: 'staged' }
  | { readonly is: 'abandoned'; readonly why: string }
  | { readonly is: 'switching' }
  | { readonly is: 'probation'; readonly began: Moment }
  /** `slot`: of the updater's own program, which comes next. */
  | { readonly is: 'passed'; readonly slot?: string }
  | { readonly is: 'saved' }
  | { readonly is: 'applied' }
  | { readonly is: 'committed'; readonly at: string; readonly keep: number; readonly seconds?: number }
  | { readonly is: 'unhealthy'; readonly failed: readonly Check[]; readonly began?: Moment }
  /** `to`: what runs where that is not the release before, null for nothing; `barred`: why not that one. */
  | {
      readonly is: 'rolled-back';
      readonly at: string;
      readonly seconds?: number;
      readonly to?: Digest | null;
      readonly barred?: readonly Check[];
    }
  | { readonly is: 'held'; readonly code: ErrorCode; readonly message: string }
  | { readonly is: 'retried' }
  | {
      readonly is: 'refused';
      readonly code: ErrorCode;
      readonly release: Digest | null;
      readonly waybill: Digest | null;
      readonly checks: readonly Check[];
      readonly at: string;
    }
  | { readonly is: 'accepted' }
  | { readonly is: 'receipt-queued'; readonly seq: number; readonly digest: Digest }
  | { readonly is: 'receipts-sent'; readonly seq: number; readonly carried?: CarriedReceipts }
  | { readonly is: 'summing-up'; readonly summary: ReceiptSummary; readonly at: string }
  | { readonly is: 'hold'; readonly hold: Hold }
  | { readonly is: 'unhold' }
  | { readonly is: 'allowed'; readonly release: Digest }
  | { readonly is: 'exception-taken'; readonly exception: TakenException }
  | { readonly is: 'role-used'; readonly nonce: string; readonly person: string; readonly verb: string; readonly at: string }
  | { readonly is: 'secret-taken'; readonly secret: KnownSecret }
  | { readonly is: 'stopped' }
  | { readonly is: 'started' }
  | { readonly is: 'drained'; readonly reason: string }
  | { readonly is: 'rejoined' }
  | { readonly is: 'retiring'; readonly retirement: SiteRetirement; readonly at: string }
  | { readonly is: 'wiped' }
  | { readonly is: 'enrolled' }
  | { readonly is: 'snapshot'; readonly state: SiteState };
