/** Blobs by their digest from whichever place has them: what one place lacks, has wrong, or cannot bring, the next one is asked for. */
import { type Digest, type ErrorCode, SealaneError, sha256, SiteError } from '@sealane/core';
import type { Links } from './links.js';
import { type BlobOutcome, blobPath, isNamed, type Mirror, type WantedBlob } from './mirror.js';
import type { Pace } from './routes/pace.js';
import type { Place, TrafficClass } from './routes/place.js';
import type { Routes } from './routes/routes.js';
import type { Upstream } from './upstream.js';

/** How a blob came to be in the mirror, or why it did not. */
export type BlobState = 'kept' | BlobOutcome;

/** Where blobs come from. Both reject with `FETCH_FAILED`, `FETCH_TOO_SLOW` or `BUDGET_SPENT` when a place that may have it could not bring it, `CONFIG_INVALID` when it is not known how to reach it. */
export interface BlobSource {
  blob(wanted: WantedBlob, recheck: 'size' | 'bytes'): Promise<BlobState>;
  /** A manifest whose size nobody told. */
  manifest(digest: Digest, maxBytes: number): Promise<BlobState>;
}

/** What a source goes by. `paceOf`: the pace of downloads from a place. */
export interface SourceFacts {
  readonly mirror: Mirror;
  readonly links: Links;
  readonly routes: Routes;
  readonly places: readonly Place[];
  readonly use: TrafficClass;
  readonly paceOf: (place: Place) => Pace;
}

/** A source over places, in the order that routes say. */
export function blobSource(facts: SourceFacts): BlobSource {
  const { mirror } = facts;
  return {
    blob: async (wanted, recheck) =>
      (await mirror.hasBlob(wanted, recheck))
        ? 'kept'
        : await fromAny(facts, wanted.digest, (upstream, pace) => mirror.fetchBlob(upstream, wanted, pace)),
    manifest: async (digest, maxBytes) =>
      isNamed(mirror.read(blobPath(digest), maxBytes), digest)
        ? 'kept'
        : await fromAny(facts, digest, (upstream) => fetchManifest(mirror, upstream, digest, maxBytes)),
  };
}

async function fromAny(
  { mirror, links, routes, places, use, paceOf }: SourceFacts,
  digest: Digest,
  get: (upstream: Upstream, pace: Pace) => Promise<BlobOutcome>,
): Promise<BlobOutcome> {
  let found: BlobOutcome = 'absent';
  let problem: SealaneError | undefined;
  for (const place of routes.order(places)) {
    try {
      const outcome = await get(links.to(place, use), paceOf(place));
      if (outcome === 'wrong') routes.failed(place.at, 'wrong');
      else routes.served(place.at);
      // what another place had wrong is no more to be judged
      if (outcome === 'fetched' && found === 'wrong') mirror.withdraw(blobPath(digest));
      if (outcome === 'fetched') return outcome;
      if (outcome === 'wrong') found = outcome;
    } catch (error) {
      problem = notedFailure(routes, place, error);
    }
  }
  if (found === 'wrong') return found;
  if (problem !== undefined) throw problem;
  if (routes.order(places).length > 0) return found;
  // all failed at an earlier blob
  throw new SiteError('FETCH_FAILED', `fetch ${digest}: expected an upstream that can be reached, got none`, { digest });
}

/** Whether a failure is one of the place, which is noted; all others pass. */
function notedFailure(routes: Routes, { at }: Place, error: unknown): SealaneError {
  if (!(error instanceof SealaneError)) throw error;
  const why = FAILURES[error.code];
  if (why === undefined) throw error;
  if (why !== 'spent') routes.failed(at, why);
  return error;
}

/** What failures say of a place. One whose budget is spent is as good as before. */
export const FAILURES: Partial<Record<ErrorCode, 'unreachable' | 'slow' | 'wrong' | 'spent'>> = {
  FETCH_FAILED: 'unreachable',
  // the files of its mutual TLS are not there: other places need none, or others
  CONFIG_INVALID: 'unreachable',
  FETCH_TOO_SLOW: 'slow',
  CONTENT_UNSAFE: 'wrong',
  BUDGET_SPENT: 'spent',
};

async function fetchManifest(mirror: Mirror, upstream: Upstream, digest: Digest, maxBytes: number): Promise<BlobOutcome> {
  const path = blobPath(digest);
  const bytes = await upstream.get(path, maxBytes);
  if (bytes === undefined) return 'absent';
  if (sha256(bytes) !== digest) {
    mirror.offer(path, bytes);
    return 'wrong';
  }
  mirror.write(path, bytes);
  return 'fetched';
}
