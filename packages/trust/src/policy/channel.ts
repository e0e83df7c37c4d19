/**
 * `channel/<stage>.json`: what is current in a stage, signed by the stage's role. It can point, hold, fence and revoke;
 * it cannot make a release that its waybill does not carry, nor say who belongs to a group (policy does).
 */
import { canonicalJson, type Digest, LIMITS, TrustError } from '@sealane/core';
import { z } from 'zod';
import { parseDocument } from './document.js';
import type { Floor } from './policy-types.js';
import { type ShardEntry, shardEntryShape } from './site-shard.js';
import { digestShape, floorShape, labelsShape, MAX_LIST, nameShape, originShape, textShape, timeShape } from './shapes.js';

/** A release as the channel points at it: its waybill by digest and length (bytes), and its decision's counter. */
export type ChannelChoice = {
  readonly release: Digest;
  readonly waybill: Digest;
  readonly length: number;
  readonly counter: number;
};

/** What one group of sites runs; `match` repeats the selector of the policy's group of that name. */
export type ChannelGroup = ChannelChoice & {
  readonly name: string;
  readonly match: Readonly<Record<string, string>>;
};

/** The desired state of one stage. Version and expiry are those of the TUF role that signs it. */
export type Channel = {
  readonly apiVersion: 'sealane/v1';
  readonly kind: 'Channel';
  /** Origin of the lane's log. */
  readonly lane: string;
  readonly stage: string;
  readonly issuedAt: string;
  readonly groups: readonly ChannelGroup[];
  readonly rollback: readonly ChannelChoice[];
  readonly held: readonly { readonly group: string; readonly reason: string }[];
  /** Nothing new is installed in this stage before `until`, by the site's trusted time. */
  readonly frozen?: { readonly reason: string; readonly until: string };
  readonly fenced: readonly { readonly site: string; readonly reason: string }[];
  /** Sites that are taken out for maintenance: their workload is stopped. */
  readonly drained?: readonly { readonly site: string; readonly reason: string }[];
  readonly revoked: readonly { readonly release: Digest; readonly reason: string }[];
  readonly floor: Floor | null;
  /** What waits for single sites. */
  readonly shards?: readonly ShardEntry[];
};

/** Sites that are drained at once. The stage's key is online: whoever steals it must not be able to stop a fleet. */
export const MAX_DRAINED = 64;

/** Most rollback choices: what keeps the channel small for any age of a lane. */
export const MAX_ROLLBACK_CHOICES = 32;

const choice = { release: digestShape, waybill: digestShape, length: z.int().min(1).max(LIMITS.waybillBytes), counter: z.int().min(1) };

/** Zod's shape of a channel. */
export const channelShape = z.strictObject({
  apiVersion: z.literal('sealane/v1'),
  kind: z.literal('Channel'),
  lane: originShape,
  stage: nameShape,
  issuedAt: timeShape,
  groups: z.array(z.strictObject({ name: nameShape, match: labelsShape, ...choice })).max(MAX_LIST),
  rollback: z.array(z.strictObject(choice)).max(MAX_ROLLBACK_CHOICES),
  held: z.array(z.strictObject({ group: nameShape, reason: textShape })).max(MAX_LIST),
  frozen: z.strictObject({ reason: textShape, until: timeShape }).exactOptional(),
  fenced: z.array(z.strictObject({ site: nameShape, reason: textShape })).max(2048),
  drained: z
    .array(z.strictObject({ site: nameShape, reason: textShape }))
    .max(MAX_DRAINED)
    .exactOptional(),
  revoked: z.array(z.strictObject({ release: digestShape, reason: textShape })).max(1024),
  floor: floorShape.nullable(),
  shards: z.array(shardEntryShape).max(256).exactOptional(),
});

/**
 * Parses a channel.
 *
 * @throws TrustError `TRUST_TOO_LARGE`; `TRUST_MALFORMED` another shape, not canonical, or a group or shard named twice
 */
export function parseChannel(bytes: Uint8Array): Channel {
  const channel: Channel = parseDocument('channel', channelShape, bytes, LIMITS.channelBytes);
  expectOnce(
    'group',
    channel.groups.map(({ name }) => name),
  );
  expectOnce('shard', channel.shards?.map(({ prefix }) => prefix) ?? []);
  return channel;
}

/**
 * The bytes of a channel: canonical JSON, checked by the parser that sites use.
 *
 * @throws TrustError as `parseChannel`
 */
export function encodeChannel(channel: Channel): Uint8Array {
  const bytes = canonicalJson(channel);
  parseChannel(bytes);
  return bytes;
}

function expectOnce(what: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new TrustError('TRUST_MALFORMED', `parse channel: expected each ${what} once, got ${twice} again`);
}
