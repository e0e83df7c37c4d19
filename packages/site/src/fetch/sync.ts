/**
 * One sync: what the lane publishes for this site, from one upstream into the mirror.
 *
 * `fetch` follows the TUF workflow with a copy of the trust state only to know what to get. What it finds is not a verdict: `apply` verifies
 * again, with its own state, what lies in the mirror.
 */
import { canonicalJson, type Digest, type ErrorCode, sha256, TrustError } from '@sealane/core';
import type { TufState } from '@sealane/trust';
import { fetchContent } from './content-wants.js';
import { fetchLog } from './log-wants.js';
import { fetchMetadata, Unchanged } from './metadata-wants.js';
import type { Mirror } from './mirror.js';
import type { Upstream } from './upstream.js';

/** What `apply` asks for. `labels` null = not known yet: everything of the stage. `seenSize` = entries of the last checkpoint seen here. */
export type SyncJob = {
  readonly stage: string;
  readonly site: string;
  readonly labels: Readonly<Record<string, string>> | null;
  readonly tuf: TufState;
  readonly now: string;
  readonly expiry: 'network' | 'medium';
  readonly seenSize: number;
  /** Something in the mirror was found wrong: hash again what is there, and do not stop at an unchanged timestamp. */
  readonly recheck: boolean;
};

/** Files to be written when all else is there: path in the lane → bytes. */
export type LaneFiles = ReadonlyMap<string, Uint8Array>;

/** How a sync ended. `refused` changed nothing in the mirror; `files` are what the upstream offered. */
export type SyncResult =
  | { readonly is: 'unchanged' }
  | {
      readonly is: 'synced';
      readonly releases: readonly Digest[];
      readonly absent: readonly string[];
      readonly wrong: readonly string[];
      readonly fetched: number;
      readonly kept: number;
    }
  | { readonly is: 'refused'; readonly code: ErrorCode; readonly message: string; readonly files: LaneFiles };

const TIMESTAMP = 'trust/metadata/timestamp.json';

/**
 * Syncs from one upstream. The timestamp is written last: broken off before, the mirror is the one before, with more blobs.
 *
 * @throws SiteError `FETCH_FAILED`; `CONTENT_UNSAFE` a link or device in a folder
 */
export async function syncFrom(upstream: Upstream, mirror: Mirror, job: SyncJob): Promise<SyncResult> {
  const files = new Map<string, Uint8Array>();
  const wantsNothing = (timestamp: Uint8Array): boolean => {
    const mark = mirror.mark();
    return !job.recheck && mark?.timestamp === sha256(timestamp) && mark.job === jobDigest(job);
  };
  try {
    const { channel } = await fetchMetadata(upstream, mirror, job, files, wantsNothing);
    const content = await fetchContent(upstream, mirror, job, channel);
    const isWhole = content.absent.length === 0 && content.wrong.length === 0;
    // a medium is taken in whole or not at all; what a link brings is judged by `apply`, which names what is wrong in a receipt
    if (job.expiry === 'medium' && !isWhole) return { is: 'synced', ...content };
    await fetchLog(upstream, mirror, job, content.treeSizes, files);
    writeLast(mirror, files);
    if (isWhole) finish(mirror, job, files, content.wanted);
    return { is: 'synced', ...content };
  } catch (error) {
    if (error instanceof Unchanged) return { is: 'unchanged' };
    if (error instanceof TrustError) return { is: 'refused', code: error.code, message: error.message, files };
    throw error;
  }
}

function writeLast(mirror: Mirror, files: LaneFiles): void {
  const names = [...files.keys()].filter((name) => name !== TIMESTAMP);
  for (const name of [...names, TIMESTAMP]) {
    const bytes = files.get(name);
    if (bytes !== undefined) mirror.write(name, bytes);
  }
}

/** All is there: marks it, and drops blobs that no release wants any more. */
function finish(mirror: Mirror, job: SyncJob, files: LaneFiles, wanted: ReadonlySet<string>): void {
  const timestamp = files.get(TIMESTAMP);
  if (timestamp !== undefined) mirror.setMark({ timestamp: sha256(timestamp), job: jobDigest(job) });
  // what an interrupted download left of a blob that nobody wants any more
  mirror.remove('partial');
  const folder = 'content/blobs/sha256';
  for (const name of mirror.list(folder)) if (!wanted.has(name)) mirror.remove(`${folder}/${name}`);
}

function jobDigest({ stage, site, labels }: SyncJob): Digest {
  return sha256(canonicalJson({ stage, site, labels }));
}
