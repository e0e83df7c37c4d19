/** Step 4: what the channel wants of this site: which release, unless it is fenced, the release revoked, or the group held. */
import { canonicalJson, type Digest, equalBytes, TrustError } from '@sealane/core';
import type { Channel, ChannelGroup } from '../policy/channel.js';
import type { Floor, Policy, PolicyGroup } from '../policy/policy-types.js';
import type { TrustedLane } from './trust-step.js';
import type { KeptOrders, SiteMemory } from './types.js';

/**
 * What only the channel said, together with what it said before under the same keys. When the owners replace the stage's key, what the old one said
 * lapses: else whoever stole it could stop the fleet for good.
 */
export function mergeOrders({ channel, roleKeys }: Pick<TrustedLane, 'channel' | 'roleKeys'>, kept: KeptOrders): KeptOrders {
  const isSameKey = kept.roleKeys.join(' ') === roleKeys.join(' ');
  const releases = new Map([...(isSameKey ? kept.releases : []), ...channel.revoked].map((entry) => [entry.release, entry]));
  return { roleKeys, releases: [...releases.values()].sort(byRelease), floor: higher(isSameKey ? kept.floor : null, channel.floor) };
}

/** The floors that hold here: policy's, the channel's as kept, the site's own. Each has an index of its own. */
export function floorsOf(policy: Policy, orders: KeptOrders, memory: SiteMemory): readonly Floor[] {
  return [policy.floor, ...(orders.floor === null ? [] : [orders.floor]), memory.floor];
}

/** The lowest counter that any of the floors allows. */
export function lowestCounter(floors: readonly Floor[]): number {
  return Math.max(0, ...floors.map(({ counter }) => counter));
}

/** @throws TrustError `SITE_FENCED` */
export function checkFence(channel: Channel, site: string): void {
  const fence = channel.fenced.find((entry) => entry.site === site);
  if (fence !== undefined)
    throw new TrustError('SITE_FENCED', `follow the channel of ${channel.stage}: site ${site} is fenced: ${fence.reason}`);
}

/** @throws TrustError `SITE_DRAINED` */
export function checkDrain({ stage, drained = [] }: Channel, site: string): void {
  const drain = drained.find((entry) => entry.site === site);
  if (drain !== undefined) throw new TrustError('SITE_DRAINED', `follow the channel of ${stage}: site ${site} is drained: ${drain.reason}`);
}

/**
 * What the channel points this group at; null when it points at nothing yet.
 *
 * @throws TrustError `SITE_MISMATCH` the channel gives the group another selector than policy does: the stage's key does not say who belongs to a group
 */
export function choiceOf(channel: Channel, group: PolicyGroup): ChannelGroup | null {
  const choice = channel.groups.find(({ name }) => name === group.name);
  if (choice === undefined) return null;
  if (!equalBytes(canonicalJson(choice.match), canonicalJson(group.match))) {
    throw new TrustError(
      'SITE_MISMATCH',
      `follow the channel of ${channel.stage}: expected group ${group.name} with the selector that policy gives it, got another`,
    );
  }
  return choice;
}

/** @throws TrustError `RELEASE_REVOKED` */
export function checkRevoked(orders: KeptOrders, release: Digest): void {
  const entry = orders.releases.find((candidate) => candidate.release === release);
  if (entry !== undefined) throw new TrustError('RELEASE_REVOKED', `follow the channel: release ${release} was revoked: ${entry.reason}`);
}

/**
 * A freeze of the whole stage ends by itself, at a site that hears nothing more too. What runs goes on.
 *
 * @throws TrustError `CHANNEL_HELD`
 */
export function checkHeld(channel: Channel, group: string, now: string): void {
  const hold = channel.held.find((entry) => entry.group === group);
  if (hold !== undefined)
    throw new TrustError('CHANNEL_HELD', `follow the channel of ${channel.stage}: group ${group} is held: ${hold.reason}`);
  const { stage, frozen } = channel;
  if (frozen !== undefined && now < frozen.until)
    throw new TrustError('CHANNEL_HELD', `follow the channel of ${stage}: the stage is frozen until ${frozen.until}: ${frozen.reason}`);
}

function higher(left: Floor | null, right: Floor | null): Floor | null {
  if (left === null || right === null) return left ?? right;
  return { counter: Math.max(left.counter, right.counter), index: Math.max(left.index, right.index) };
}

function byRelease(left: { readonly release: Digest }, right: { readonly release: Digest }): number {
  return left.release < right.release ? -1 : 1;
}
