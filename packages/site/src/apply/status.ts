/** What a site says of itself: the state as the journal has it, and the trust that is kept. For onlookers: nothing is changed. */
import type { Digest } from '@sealane/core';
import type { WorkloadStatus } from '../drivers/driver.js';
import type { UpdaterStatus } from '../self/slots.js';
import { activeHold } from './hold.js';
import type { LinkNote } from './link-note.js';
import { nextStep } from './next-step.js';
import { retirementOf } from './retirement.js';
import { highestOf } from './secret-versions.js';
import type { Denied, Hold, SiteState } from './state.js';
import type { StrayNote } from './strays.js';
import type { TrustFile } from './trust-file.js';

/** The state in one word. */
export type StateWord = 'idle' | 'staged' | 'probation' | 'held' | 'fenced' | 'drained' | 'retired';

type ReleaseLine = { readonly release: Digest; readonly name: string; readonly version: string; readonly since: string };

/** The answer of `sealane-site status`. `refused` is the last refusal; `workload` what the driver sees of the process. */
export interface SiteStatus {
  readonly site: string;
  readonly state: StateWord;
  readonly current: ReleaseLine | null;
  readonly previous: ReleaseLine | null;
  readonly trust: { readonly expiresAt: string | null; readonly timeFloor: string; readonly rootVersion: number };
  /** Receipts that nobody has taken yet; those that were taken are kept until the log shows them. */
  readonly receiptsQueued: number;
  readonly receiptsUnshown: number;
  /** Receipts that a promoter refused: kept, and offered again now and then. */
  readonly receiptsRefused: number;
  readonly hold: Hold | null;
  readonly stopped: boolean;
  /** Where the program of the updater is from: its package, or the slot that a release brought. Null where it was installed otherwise. */
  readonly updater: UpdaterStatus | null;
  /** What a technician does next, with the command; null where there is nothing to do. */
  readonly next: string | null;
  readonly workload: WorkloadStatus;
  /** What runs or was changed beside the release, as the last update found it. */
  readonly strays: readonly Pick<StrayNote, 'what' | 'how' | 'did' | 'since'>[];
  /** Why the last update could not bring all that the lane has, and since when; null when it could. */
  readonly link: LinkNote | null;
  readonly failedHere: readonly Denied[];
  readonly refused: SiteState['refused'];
  /** Why the channel drained it. */
  readonly drained: string | null;
  /** Why the registrar retired it. */
  readonly retired: string | null;
  /** Values of secrets that are here, by version: the newest of each, and the one that the workload was given, if it was. */
  readonly secrets: readonly { readonly name: string; readonly version: number; readonly given: number | null }[];
}

/** Puts the answer together. */
export function siteStatus(
  site: string,
  state: SiteState,
  trust: TrustFile,
  workload: WorkloadStatus,
  strays: readonly StrayNote[],
  link: LinkNote | undefined,
  receipts: { readonly queued: number; readonly kept: number; readonly refused: number },
  now: string,
): Omit<SiteStatus, 'updater'> {
  return {
    site,
    state: wordOf(state, now),
    current: lineOf(state.current),
    previous: lineOf(state.previous),
    trust: { expiresAt: trust.expiresAt, timeFloor: trust.time.time, rootVersion: trust.tuf.versions.root },
    receiptsQueued: receipts.queued,
    receiptsUnshown: receipts.kept - receipts.queued,
    receiptsRefused: receipts.refused,
    hold: state.hold,
    stopped: state.stopped,
    workload,
    strays: strays.map(({ what, how, did, since }) => ({ what, how, did, since })),
    link: link ?? null,
    failedHere: state.denied,
    refused: state.refused,
    drained: state.drained,
    retired: retirementOf(state)?.reason ?? null,
    secrets: secretLines(state),
    next: nextStep(state, { workload, link, strays }, now),
  };
}

/** A site that an operator holds is held, as one is that waits for a person: neither installs anything. */
function wordOf({ phase, refused, hold, drained }: SiteState, now: string): StateWord {
  switch (phase.at) {
    case 'held':
      return 'held';
    case 'retiring':
    case 'retired':
      return 'retired';
    case 'admitted':
    case 'staged':
      return 'staged';
    case 'switching':
    case 'probation':
    case 'saving':
    case 'one-way':
    case 'settling':
    case 'trial':
    case 'rolling-back':
      return 'probation';
    default:
      if (drained !== null) return 'drained';
      if (activeHold(hold, now) !== null) return 'held';
      return refused?.code === 'SITE_FENCED' ? 'fenced' : 'idle';
  }
}

function lineOf(slot: SiteState['current']): ReleaseLine | null {
  return slot === null ? null : { release: slot.release, name: slot.name, version: slot.version, since: slot.since };
}

function secretLines({ secrets, current }: SiteState): SiteStatus['secrets'] {
  const given = new Map((current?.secrets ?? []).map(({ name, version }) => [name, version]));
  return [...new Set(secrets.map(({ name }) => name))].map((name) => ({
    name,
    version: highestOf(secrets, name),
    given: given.get(name) ?? null,
  }));
}
