/** What waits for single sites: shards of a channel, each a blob that the channel names. */
import { type Digest, PromoterError } from '@sealane/core';
import {
  type Channel,
  encodeSiteShard,
  MAX_SECRETS,
  MAX_WAITING,
  parseSiteShard,
  type SentBlob,
  type SentSecret,
  shardPrefix,
  sentIn,
  type SiteMail,
  type SiteShard,
} from '@sealane/trust';
import { foundInPlaceOf, readBlob } from '../content.js';
import { writeBlob } from '../decision/waybill.js';
import { type Promoter, stageOf } from '../promoter.js';

/** The channel of a stage in which an exception waits for a site; the oldest of too many no longer does. The shard is written, the channel is not. */
export function sendException(promoter: Promoter, stage: string, site: string, bytes: Uint8Array): Channel {
  const sent = blobOf(promoter, bytes);
  return withMail(promoter, stageOf(promoter, stage).channel, site, (mail) => ({
    ...mail,
    exceptions: [...mail.exceptions.filter(({ digest }) => digest !== sent.digest), sent].slice(-MAX_WAITING),
  }));
}

/** The channel of a stage in which the word that a site is retired waits for it, and nothing else. The shard is written, the channel is not. */
export function sendRetirement(promoter: Promoter, stage: string, site: string, bytes: Uint8Array): Channel {
  const retirement = blobOf(promoter, bytes);
  return withMail(promoter, stageOf(promoter, stage).channel, site, () => ({ site, exceptions: [], retirement }));
}

/** `channel` with a sealed secret that waits for a site, in place of an older value of it. @throws PromoterError `USAGE` the site has too many */
export function sendSecret(promoter: Promoter, channel: Channel, site: string, secret: string, bytes: Uint8Array): Channel {
  const sent: SentSecret = { secret, ...blobOf(promoter, bytes) };
  return withMail(promoter, channel, site, (mail) => {
    const secrets = [...(mail.secrets ?? []).filter((each) => each.secret !== secret), sent];
    if (secrets.length <= MAX_SECRETS) return { ...mail, secrets };
    throw new PromoterError('USAGE', `send secret ${secret} to ${site}: expected at most ${MAX_SECRETS} secrets of one site`);
  });
}

function blobOf(promoter: Promoter, bytes: Uint8Array): SentBlob {
  return { digest: writeBlob(promoter, bytes), length: bytes.length };
}

function withMail(promoter: Promoter, channel: Channel, site: string, change: (mail: SiteMail) => SiteMail): Channel {
  const shard = shardOf(promoter, channel, shardPrefix(site));
  const mail = shard.sites.find((each) => each.site === site) ?? { site, exceptions: [] };
  const others = shard.sites.filter((each) => each.site !== site);
  const encoded = encodeSiteShard({ ...shard, sites: [...others, change(mail)].sort(bySite) });
  const entry = { prefix: shard.prefix, digest: writeBlob(promoter, encoded), length: encoded.length };
  const shards = [...(channel.shards ?? []).filter(({ prefix }) => prefix !== entry.prefix), entry].sort(byPrefix);
  return { ...channel, issuedAt: promoter.now(), shards };
}

/** The shards of a channel and the blobs that they name: those of these sites, or of all (`null`). @throws PromoterError `CONTENT_MISSING` */
export function mailOf(promoter: Promoter, channel: Channel, sites: ReadonlySet<string> | null): readonly Digest[] {
  const prefixes = sites === null ? null : new Set([...sites].map(shardPrefix));
  return (channel.shards ?? [])
    .filter(({ prefix }) => prefixes?.has(prefix) ?? true)
    .flatMap(({ prefix, digest }) => {
      const mail = shardOf(promoter, channel, prefix).sites.filter(({ site }) => sites?.has(site) ?? true);
      return [digest, ...mail.flatMap((each) => sentIn(each).map((sent) => sent.digest))];
    });
}

function shardOf(promoter: Promoter, { lane, stage, shards = [] }: Channel, prefix: string): SiteShard {
  const entry = shards.find((each) => each.prefix === prefix);
  if (entry === undefined) return { apiVersion: 'sealane/v1', kind: 'SiteShard', lane, stage, prefix, sites: [] };
  const bytes = readBlob(promoter, entry.digest);
  if (bytes !== undefined) return parseSiteShard(bytes);
  const got = foundInPlaceOf(promoter, entry.digest);
  throw new PromoterError('CONTENT_MISSING', `read shard ${prefix} of the channel of ${stage}: expected ${entry.digest}, got ${got}`);
}

function bySite(a: SiteMail, b: SiteMail): number {
  return a.site < b.site ? -1 : 1;
}

function byPrefix(a: { readonly prefix: string }, b: { readonly prefix: string }): number {
  return a.prefix < b.prefix ? -1 : 1;
}
