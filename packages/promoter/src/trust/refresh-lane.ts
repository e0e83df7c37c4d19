/** Publishing the lane again as it is, so that what sites trust does not run out in a quiet week. */
import { SealaneError } from '@sealane/core';
import { type Channel, secondsToTime, timeToSeconds, tufExpiryAt } from '@sealane/trust';
import type { Home } from '../home.js';
import { witnessedHead } from '../log/log-statements.js';
import { type Promoter, stageSigner } from '../promoter.js';
import { type LaneTrust, readLaneTrust } from './lane-trust.js';
import { publishLane } from './publish-lane.js';

/** Snapshot and timestamp, which hold for 7 days, are signed anew when they are a day old; what a stage offers, which holds for 30, after a week. In seconds. */
const OLD = { timestamp: 86_400, stage: 7 * 86_400 } as const;

/** What is old enough to be signed anew. */
export interface DueRefresh {
  readonly isDue: boolean;
  readonly stages: readonly string[];
}

/** What was done; `left` are the stages that this host cannot sign for, and why. */
export interface Refresh {
  readonly stages: readonly string[];
  readonly left: readonly { readonly stage: string; readonly why: string }[];
}

/**
 * Looks at the published lane, which nobody needs a lock for.
 *
 * @throws PromoterError, TrustError as `readLaneTrust`
 */
export function dueRefresh(home: Pick<Home, 'trust'>, now: string): DueRefresh {
  return dueIn(readLaneTrust(home), now);
}

/** Publishes what is due; nothing when somebody has done it since. @throws as `refreshLane` */
export async function refreshWhatIsDue(promoter: Promoter): Promise<Refresh | undefined> {
  const { isDue, stages } = dueIn(promoter.lane, promoter.now());
  if (!isDue) return undefined;
  const left: { readonly stage: string; readonly why: string }[] = [];
  for (const stage of stages) {
    try {
      await stageSigner(promoter, stage);
    } catch (error) {
      if (!(error instanceof SealaneError)) throw error;
      left.push({ stage, why: error.message });
    }
  }
  const signable = stages.filter((stage) => left.every((each) => each.stage !== stage));
  await refreshLane(promoter, signable);
  return { stages: signable, left };
}

/**
 * A fresh checkpoint, snapshot and timestamp, and these stages with the channels that they have; in versions above `above`.
 *
 * @throws PromoterError `LOG_WITNESS` too few witnesses answered; `KEY_*` a key is not here
 */
export async function refreshLane(promoter: Promoter, stages: readonly string[], above = 0): Promise<void> {
  await witnessedHead(promoter, 'always');
  const channels = [...promoter.lane.stages].filter(([stage]) => stages.includes(stage));
  await publishLane({ ...promoter, above }, new Map<string, Channel>(channels.map(([stage, { channel }]) => [stage, channel])));
}

function dueIn({ metadata, stages }: LaneTrust, now: string): DueRefresh {
  const old = [...stages].filter(([, { expiresAt }]) => isOld('stage', expiresAt, now)).map(([stage]) => stage);
  return { isDue: old.length > 0 || isOld('timestamp', secondsToTime(metadata.timestamp.expiresMs / 1000), now), stages: old };
}

/** By what is left of its time: when it was signed, nothing says. */
function isOld(role: keyof typeof OLD, expiresAt: string, now: string): boolean {
  return timeToSeconds(tufExpiryAt(role, now)) - timeToSeconds(expiresAt) >= OLD[role];
}
