/** Publishing the lane again as it is, so that what sites trust does not run out in a quiet week. */
import { SealaneError } from '@sealane/core';
import { type Channel, secondsToTime, timeToSeconds, tufExpiryAt } from '@sealane/trust';
import type { Home } from '../home.js';
import { witnessedHead } from '../log/log-statements.js';
import { issuerExpiresAt } from '../site-ca/issuer-end.js';
import { type Promoter, stageSigner } from '../promoter.js';
import { type LaneTrust, readLaneTrust } from './lane-trust.js';
import { publishLane } from './publish-lane.js';

/** Snapshot and timestamp, which hold for 7 days, are signed anew when they are a day old; what a stage offers, which holds for 30, after a week. In seconds. */
const OLD = { timestamp: 86_400, stage: 7 * 86_400 } as const;

/** What only owners can sign again is told so long before its end: they have to meet, and a medium may take weeks to a site without a link. In seconds. */
const OWNERS_NOTICE = 30 * 86_400;

/** What is old enough to be signed anew; `owners` is what they have to sign soon. */
export interface DueRefresh {
  readonly isDue: boolean;
  readonly stages: readonly string[];
  readonly owners: readonly OwnersDue[];
}

/** What owners signed, and when it expires; `site-ca` is the issuer of certificates of sites. */
export interface OwnersDue {
  readonly role: 'root' | 'targets' | 'site-ca';
  readonly expiresAt: string;
}

const RENEW_BY = {
  root: 'sealane trust propose --renew',
  targets: 'sealane trust propose --renew',
  'site-ca': 'sealane ca request --out site-ca.csr',
} as const;

/** The command that begins the renewal of what owners signed. */
export function renewBy(role: OwnersDue['role']): string {
  return RENEW_BY[role];
}

/** The published lane, and the home where what signs it lies. */
interface RefreshedLane {
  readonly home: Pick<Home, 'folder'>;
  readonly lane: LaneTrust;
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
export function dueRefresh(home: Pick<Home, 'trust' | 'folder'>, now: string): DueRefresh {
  return dueIn({ home, lane: readLaneTrust(home) }, now);
}

/** Publishes what is due; nothing when somebody has done it since. @throws as `refreshLane` */
export async function refreshWhatIsDue(promoter: Promoter): Promise<Refresh | undefined> {
  const { isDue, stages } = dueIn(promoter, promoter.now());
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

/** What owners signed and what expires within 30 days, or has: no key of a promoter renews it. */
export function ownersDue({ home, lane: { metadata } }: RefreshedLane, now: string): readonly OwnersDue[] {
  const roles = (['root', 'targets'] as const).map((role) => ({
    role,
    expiresAt: secondsToTime(Math.floor(metadata[role].expiresMs / 1000)),
  }));
  const issuerEnd = issuerExpiresAt(home);
  const all: readonly OwnersDue[] = [...roles, ...(issuerEnd === undefined ? [] : [{ role: 'site-ca' as const, expiresAt: issuerEnd }])];
  return all.filter(({ expiresAt }) => timeToSeconds(expiresAt) - timeToSeconds(now) < OWNERS_NOTICE);
}

function dueIn(refreshed: RefreshedLane, now: string): DueRefresh {
  const { metadata, stages } = refreshed.lane;
  const old = [...stages].filter(([, { expiresAt }]) => isOld('stage', expiresAt, now)).map(([stage]) => stage);
  const isDue = old.length > 0 || isOld('timestamp', secondsToTime(metadata.timestamp.expiresMs / 1000), now);
  return { isDue, stages: old, owners: ownersDue(refreshed, now) };
}

/** By what is left of its time: when it was signed, nothing says. */
function isOld(role: keyof typeof OLD, expiresAt: string, now: string): boolean {
  return timeToSeconds(tufExpiryAt(role, now)) - timeToSeconds(expiresAt) >= OLD[role];
}
