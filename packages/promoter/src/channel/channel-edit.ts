/** Changes to a stage's channel: what each group runs, what is held, fenced, drained, revoked. Pure but for the time. */
import { type Digest, PromoterError } from '@sealane/core';
import { type Channel, type ChannelChoice, MAX_DRAINED, MAX_ROLLBACK_CHOICES } from '@sealane/trust';
import { type Promoter, stageOf } from '../promoter.js';

/** The channel of a stage (as published, or as edited already) with `groups` pointing at `choice`; what they ran before becomes a rollback choice. */
export function setChannelGroups(
  promoter: Promoter,
  stage: string,
  groups: readonly string[],
  choice: ChannelChoice,
  channel: Channel = stageOf(promoter, stage).channel,
): Channel {
  const { policy } = stageOf(promoter, stage);
  const kept = channel.groups.filter(({ name }) => !groups.includes(name) && policy.groups.some((group) => group.name === name));
  const set = policy.groups.filter(({ name }) => groups.includes(name)).map(({ name, match }) => ({ name, match, ...choice }));
  const order = policy.groups.map(({ name }) => name);
  const replaced = channel.groups.filter(({ name, release }) => groups.includes(name) && release !== choice.release).map(choiceOf);
  return {
    ...channel,
    issuedAt: promoter.now(),
    groups: [...kept, ...set].sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name)),
    rollback: rollbackChoices([...replaced, ...channel.rollback], choice.release),
  };
}

function choiceOf({ release, waybill, length, counter }: ChannelChoice): ChannelChoice {
  return { release, waybill, length, counter };
}

/** Newest first, each release once, never the current one. */
function rollbackChoices(choices: readonly ChannelChoice[], current: Digest): readonly ChannelChoice[] {
  const unique = choices.filter(({ release }, at) => release !== current && choices.findIndex((other) => other.release === release) === at);
  return unique.slice(0, MAX_ROLLBACK_CHOICES);
}

/** The channel with one group held, or freed when `reason` is undefined. */
export function holdGroups(promoter: Promoter, stage: string, groups: readonly string[], reason: string | undefined): Channel {
  const { channel } = stageOf(promoter, stage);
  const others = channel.held.filter(({ group }) => !groups.includes(group));
  const held = reason === undefined ? others : [...others, ...groups.map((group) => ({ group, reason }))];
  return { ...channel, issuedAt: promoter.now(), held };
}

/** The channel frozen, or thawed when `frozen` is undefined. */
export function freezeStage(promoter: Promoter, stage: string, frozen: Channel['frozen']): Channel {
  const { frozen: _, ...channel } = stageOf(promoter, stage).channel;
  return { ...channel, issuedAt: promoter.now(), ...(frozen === undefined ? {} : { frozen }) };
}

/** The channel with a site fenced. */
export function fenceSite(promoter: Promoter, stage: string, site: string, reason: string): Channel {
  const { channel } = stageOf(promoter, stage);
  const others = channel.fenced.filter((fence) => fence.site !== site);
  return { ...channel, issuedAt: promoter.now(), fenced: [...others, { site, reason }] };
}

/** The channel with a site drained. @throws PromoterError `USAGE` as many as a channel may name are drained already */
export function drainSite(promoter: Promoter, stage: string, site: string, reason: string): Channel {
  const { channel } = stageOf(promoter, stage);
  const drained = [...(channel.drained ?? []).filter((drain) => drain.site !== site), { site, reason }];
  if (drained.length > MAX_DRAINED)
    throw new PromoterError('USAGE', `drain site ${site}: expected at most ${MAX_DRAINED} drained sites in ${stage}, got one more`);
  return { ...channel, issuedAt: promoter.now(), drained };
}

/** The channel with a site neither fenced nor drained. */
export function rejoinSite(promoter: Promoter, stage: string, site: string): Channel {
  const { drained = [], ...channel } = stageOf(promoter, stage).channel;
  const others = drained.filter((drain) => drain.site !== site);
  return {
    ...channel,
    issuedAt: promoter.now(),
    fenced: channel.fenced.filter((fence) => fence.site !== site),
    ...(others.length === 0 ? {} : { drained: others }),
  };
}

/** The channel with a release revoked, and the floor raised when asked. */
export function revokeRelease(
  promoter: Promoter,
  stage: string,
  revocation: { readonly release: Digest; readonly reason: string },
  floor: Channel['floor'],
): Channel {
  const { channel } = stageOf(promoter, stage);
  const others = channel.revoked.filter(({ release }) => release !== revocation.release);
  return {
    ...channel,
    issuedAt: promoter.now(),
    revoked: [...others, revocation],
    rollback: channel.rollback.filter(({ release }) => release !== revocation.release),
    floor: floor ?? channel.floor,
  };
}
