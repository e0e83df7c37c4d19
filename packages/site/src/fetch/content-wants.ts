/** The content part of a sync: waybills of this site's groups, their evidence blobs, their releases down to the last layer; and what waits for it alone. */
import { type Digest, digestHex, isDigest, LIMITS, SealaneError, sha256 } from '@sealane/core';
import { walkRelease } from '@sealane/oci';
import {
  type Channel,
  type ChannelGroup,
  parseBundle,
  parseSiteShard,
  parseWaybill,
  shardPrefix,
  type SiteShard,
  type Waybill,
} from '@sealane/trust';
import { blobPath, isNamed, type Mirror } from './mirror.js';
import type { SyncJob } from './sync.js';
import type { Upstream } from './upstream.js';

/** What was wanted and what became of it; paths are the lane's. `treeSizes`: of every log proof in the waybills. */
export interface ContentResult {
  readonly releases: readonly Digest[];
  readonly absent: readonly string[];
  readonly wrong: readonly string[];
  readonly wanted: ReadonlySet<string>;
  readonly treeSizes: readonly number[];
  readonly fetched: number;
  readonly kept: number;
}

/** A manifest of an image, as `oci` bounds it; a release manifest is smaller. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Rounds of walking a release: each finds one manifest that was missing. More images in one release than anybody ships. */
const MAX_WALKS = 1024;

type Sorted = {
  releases: Digest[];
  absent: string[];
  wrong: string[];
  wanted: Set<string>;
  treeSizes: Set<number>;
  fetched: number;
  kept: number;
};

/** Gets all content of the site's groups. What an upstream does not have, or has wrong, is listed; only the network failing throws. */
export async function fetchContent(upstream: Upstream, mirror: Mirror, job: SyncJob, channel: Channel): Promise<ContentResult> {
  const sorted: Sorted = { releases: [], absent: [], wrong: [], wanted: new Set(), treeSizes: new Set(), fetched: 0, kept: 0 };
  const recheck = job.recheck ? 'bytes' : 'size';
  const get = async (digest: Digest, sizeBytes: number): Promise<boolean> => {
    if (sorted.wanted.has(digestHex(digest))) return true;
    sorted.wanted.add(digestHex(digest));
    const outcome = await mirror.blob(upstream, { digest, sizeBytes }, recheck);
    if (outcome === 'fetched' || outcome === 'kept') sorted[outcome] += 1;
    else sorted[outcome].push(blobPath(digest));
    return outcome === 'fetched' || outcome === 'kept';
  };
  for (const group of groupsOf(channel, job.labels)) {
    if (!(await get(group.waybill, group.length))) continue;
    const waybill = readWaybill(mirror, group.waybill);
    if (waybill === undefined) continue;
    for (const size of treeSizesOf(waybill)) sorted.treeSizes.add(size);
    for (const blob of waybill.blobs) await get(blob.digest, blob.size);
    await fetchRelease(upstream, mirror, waybill.release, sorted, get);
    if (!sorted.releases.includes(waybill.release)) sorted.releases.push(waybill.release);
  }
  await fetchMail(mirror, job, channel, get);
  return { ...sorted, treeSizes: [...sorted.treeSizes] };
}

/** What waits for this site alone. */
async function fetchMail(
  mirror: Mirror,
  { site }: SyncJob,
  { shards = [] }: Channel,
  get: (digest: Digest, sizeBytes: number) => Promise<boolean>,
): Promise<void> {
  const entry = shards.find(({ prefix }) => prefix === shardPrefix(site));
  if (entry === undefined || !(await get(entry.digest, entry.length))) return;
  const waiting = readShard(mirror, entry.digest)?.sites.find((mail) => mail.site === site)?.exceptions ?? [];
  for (const { digest, length } of waiting) await get(digest, length);
}

function readShard(mirror: Mirror, digest: Digest): SiteShard | undefined {
  const bytes = mirror.read(blobPath(digest), LIMITS.shardBytes);
  return isNamed(bytes, digest) ? orUndefined(() => parseSiteShard(bytes)) : undefined;
}

/** The groups that this site may belong to. Policy says who belongs to a group; `apply` goes by that. */
function groupsOf(channel: Channel, labels: SyncJob['labels']): readonly ChannelGroup[] {
  if (labels === null) return channel.groups;
  return channel.groups.filter(({ match }) => Object.entries(match).every(([name, value]) => labels[name] === value));
}

function readWaybill(mirror: Mirror, digest: Digest): Waybill | undefined {
  const bytes = mirror.read(blobPath(digest), LIMITS.waybillBytes);
  return isNamed(bytes, digest) ? orUndefined(() => parseWaybill(bytes)) : undefined;
}

function treeSizesOf(waybill: Waybill): readonly number[] {
  return waybill.bundles.flatMap((bundle) => orUndefined(() => parseBundle(bundle).logged?.proof.treeSize) ?? []);
}

/** Walks the release, getting one missing manifest after the other, then everything that it names. */
async function fetchRelease(
  upstream: Upstream,
  mirror: Mirror,
  release: Digest,
  sorted: Sorted,
  get: (digest: Digest, sizeBytes: number) => Promise<boolean>,
): Promise<void> {
  for (let walks = 0; walks < MAX_WALKS; walks += 1) {
    const walk = walkSoFar(mirror, release);
    if (walk.is === 'missing') {
      // a manifest that cannot be had: what is below it is not known
      if (!(await getManifest(upstream, mirror, walk.digest, sorted))) return;
      continue;
    }
    sorted.wanted.add(digestHex(release));
    for (const { digest, size } of walk.found) await get(digest, size);
    return;
  }
}

type Walk =
  | { readonly is: 'missing'; readonly digest: Digest }
  | { readonly is: 'walked'; readonly found: readonly { readonly digest: Digest; readonly size: number }[] };

function walkSoFar(mirror: Mirror, release: Digest): Walk {
  try {
    const { blobs } = walkRelease((digest, maxBytes) => {
      const bytes = mirror.read(blobPath(digest), maxBytes);
      return isNamed(bytes, digest) ? bytes : undefined;
    }, release);
    return { is: 'walked', found: blobs };
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    const { digest } = error.data;
    // malformed: `apply` names it
    return error.code === 'CONTENT_MISSING' && isDigest(digest) ? { is: 'missing', digest } : { is: 'walked', found: [] };
  }
}

/** A manifest whose size nobody told: bounded by its kind. */
async function getManifest(upstream: Upstream, mirror: Mirror, digest: Digest, sorted: Sorted): Promise<boolean> {
  const path = blobPath(digest);
  sorted.wanted.add(digestHex(digest));
  if (isNamed(mirror.read(path, MAX_MANIFEST_BYTES), digest)) {
    sorted.kept += 1;
    return true;
  }
  const bytes = await upstream.get(path, MAX_MANIFEST_BYTES);
  if (bytes === undefined) {
    sorted.absent.push(path);
    return false;
  }
  if (sha256(bytes) !== digest) {
    mirror.offer(path, bytes);
    sorted.wrong.push(path);
    return false;
  }
  mirror.write(path, bytes);
  sorted.fetched += 1;
  return true;
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    // malformed content is not for `fetch` to judge
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}
