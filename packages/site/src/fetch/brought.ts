/** What `fetch` says of a sync where a digest is all that it may say: which state of the lane now lies in its folders. */
import { type Digest, LIMITS, SealaneError, sha256 } from '@sealane/core';
import type { Disk } from '../disk.js';
import type { FetchReply } from '../service/wire.js';
import { sayable } from './may-say.js';
import type { SyncAnswer } from './protocol.js';
import type { SyncJob } from './sync-job.js';
import path from 'node:path';

/** The folders that `fetch` writes. */
export interface FetchFolders {
  readonly mirror: string;
  readonly offer: string;
}

/**
 * The digest of the timestamp that a sync brought, which stands for all that it vouches for: right or wrong is not said. Null when no upstream was
 * reached, and when a medium was not taken in whole.
 */
export function broughtBy(disk: Disk, folders: FetchFolders, { expiry }: SyncJob, { outcome }: SyncAnswer): Digest | null {
  const isWhole = outcome === 'synced' || outcome === 'unchanged';
  return outcome === 'failed' || (expiry === 'medium' && !isWhole) ? null : (timestampIn(disk, folders) ?? null);
}

/** What may still come of the content, in a word: `apply` defers a release that is not whole for it. */
export function restOf({ outcome, code }: SyncAnswer): FetchReply['rest'] {
  if (outcome !== 'partial') return 'here';
  if (code === null) return 'coming';
  return code === 'BUDGET_SPENT' ? 'spent' : 'unreached';
}

/** What it ran into, where not all was brought: `apply` tells a technician. */
export function ranInto({ outcome, code }: SyncAnswer): Pick<FetchReply, 'code'> {
  const isShort = outcome === 'failed' || (outcome === 'partial' && code !== null);
  return isShort ? { code: sayable(code) } : {};
}

/** The digest of the timestamp that `apply` would judge: an offered one before the mirror's. */
export function timestampIn(disk: Disk, { mirror, offer }: FetchFolders): Digest | undefined {
  for (const folder of [offer, mirror]) {
    const bytes = readOrNothing(disk, path.join(folder, 'trust', 'metadata', 'timestamp.json'));
    if (bytes !== undefined) return sha256(bytes);
  }
  return undefined;
}

/** A timestamp that is a link, or endless, is none: admission names it. */
function readOrNothing(disk: Disk, file: string): Uint8Array | undefined {
  try {
    return disk.read(file, LIMITS.timestampBytes);
  } catch (error) {
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}
