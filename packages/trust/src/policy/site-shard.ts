/**
 * A shard of a channel: what waits for single sites, found by hash of a site's name, so that the channel stays small for any number of them. What is in it counts
 * by the signatures on it, never by the stage's: exceptions of people, the registrar's word that a site is retired. What bars a site at once (fence, hold,
 * revocation, floor) is in the channel itself.
 */
import { canonicalJson, type Digest, digestHex, LIMITS, sha256, TrustError, utf8 } from '@sealane/core';
import { z } from 'zod';
import { MAX_SECRETS } from '../evidence/predicates/declaration.js';
import { parseDocument } from './document.js';
import { digestShape, nameShape, originShape } from './shapes.js';

/** A blob of `content/`, with its length in bytes. */
export type SentBlob = { readonly digest: Digest; readonly length: number };

/** A sealed secret that waits, by name: a newer value takes the place of the one before. */
export type SentSecret = SentBlob & { readonly secret: string };

/**
 * What waits for one site: exceptions, each a list of bundles as `exception export` writes it; sealed secrets; and the bundle by which the registrar
 * retired it.
 */
export type SiteMail = {
  readonly site: string;
  readonly exceptions: readonly SentBlob[];
  readonly secrets?: readonly SentSecret[];
  readonly retirement?: SentBlob;
};

/** One of at most 256 shards. */
export type SiteShard = {
  readonly apiVersion: 'sealane/v1';
  readonly kind: 'SiteShard';
  /** Origin of the lane's log. */
  readonly lane: string;
  readonly stage: string;
  /** The two hex digits with which the hashes of its sites' names begin. */
  readonly prefix: string;
  readonly sites: readonly SiteMail[];
};

/** Where the channel finds a shard. */
export type ShardEntry = SentBlob & { readonly prefix: string };

/** Most exceptions that wait for one site. */
export const MAX_WAITING = 16;
const MAX_SITES = 1024;

const prefixShape = z.string().regex(/^[0-9a-f]{2}$/);
const sentShape = z.strictObject({ digest: digestShape, length: z.int().min(1).max(LIMITS.bundleBytes) });
const sentSecretShape = z.strictObject({ secret: nameShape, digest: digestShape, length: z.int().min(1).max(LIMITS.sealedSecretBytes) });
const mailShape = z.strictObject({
  site: nameShape,
  exceptions: z.array(sentShape).max(MAX_WAITING),
  secrets: z.array(sentSecretShape).min(1).max(MAX_SECRETS).exactOptional(),
  retirement: sentShape.exactOptional(),
});

/** Zod's shape of what the channel says of a shard. */
export const shardEntryShape = z.strictObject({ prefix: prefixShape, digest: digestShape, length: z.int().min(1).max(LIMITS.shardBytes) });

/** Zod's shape of a shard. */
export const siteShardShape = z.strictObject({
  apiVersion: z.literal('sealane/v1'),
  kind: z.literal('SiteShard'),
  lane: originShape,
  stage: nameShape,
  prefix: prefixShape,
  sites: z.array(mailShape).max(MAX_SITES),
});

/** All that waits for a site. */
export function sentIn({ exceptions, secrets = [], retirement }: SiteMail): readonly SentBlob[] {
  return [...exceptions, ...secrets, ...(retirement === undefined ? [] : [retirement])];
}

/** The shard of a site: the first two hex digits of the SHA-256 of its name. */
export function shardPrefix(site: string): string {
  return digestHex(sha256(utf8(site))).slice(0, 2);
}

/**
 * Parses a shard.
 *
 * @throws TrustError `TRUST_TOO_LARGE`; `TRUST_MALFORMED` another shape, not canonical, or a site twice or in the wrong shard
 */
export function parseSiteShard(bytes: Uint8Array): SiteShard {
  const shard: SiteShard = parseDocument('shard of a channel', siteShardShape, bytes, LIMITS.shardBytes);
  const names = shard.sites.map(({ site }) => site);
  const wrong = names.find((name, at) => names.indexOf(name) !== at || shardPrefix(name) !== shard.prefix);
  if (wrong !== undefined)
    throw new TrustError('TRUST_MALFORMED', `parse shard ${shard.prefix} of a channel: expected each of its own sites once, got ${wrong}`);
  return shard;
}

/** The bytes of a shard, checked by the parser that sites use. @throws TrustError as `parseSiteShard` */
export function encodeSiteShard(shard: SiteShard): Uint8Array {
  const bytes = canonicalJson(shard);
  parseSiteShard(bytes);
  return bytes;
}
