/**
 * What was measured over the syncs that brought a release, in a small file in the mirror: content may take many syncs, and `apply` asks for none of
 * this. It reads it where it reads all that `fetch` brings, and believes it as little.
 */
import path from 'node:path';
import { type Digest, isDigest, SealaneError } from '@sealane/core';
import { LINK_KINDS } from '@sealane/trust';
import { z } from 'zod';
import { type Disk, isNodeError } from '../disk.js';
import { durableWrite } from '../durable-write.js';
import { readSealed, sealed } from '../sealed-file.js';
import { addMeasured, type Measured, MAX_TIMES } from './link-meter.js';

/** Name of the file in the mirror's folder. */
const MEASURED_FILE = 'measured.json';

/** Releases that are under way at once: the choices of one channel for one site. */
const MAX_RELEASES = 64;

/** Some four kilobytes of releases and a kilobyte for each kind. */
const MAX_BYTES = 16 * 1024;

const count = z.int().min(0);
const shape = z.strictObject({
  releases: z.array(z.custom<Digest>(isDigest)).max(MAX_RELEASES),
  isWhole: z.boolean(),
  links: z
    .array(
      z.strictObject({
        over: z.enum(LINK_KINDS),
        requests: count,
        unanswered: count,
        firstBytesMs: z.array(count).max(MAX_TIMES),
        bulkBytes: count,
        bulkMs: count,
      }),
    )
    .max(LINK_KINDS.length),
});

/** `releases` = those of which something was missing; `isWhole` = all of it has come: what is brought next is measured anew. */
export type MeasuredSyncs = z.output<typeof shape>;

/** What one sync adds. `releases`: of which something was missing when it began. */
export type SyncMeasured = { readonly releases: readonly Digest[]; readonly isWhole: boolean; readonly links: readonly Measured[] };

/** The next content of the file; undefined: it stays. A sync between two releases belongs to neither. */
export function withSync(before: MeasuredSyncs | undefined, sync: SyncMeasured): MeasuredSyncs | undefined {
  const isGoingOn = before !== undefined && !before.isWhole && (sync.releases.length === 0 || sync.releases.some(isIn(before.releases)));
  if (!isGoingOn && sync.releases.length === 0) return undefined;
  const [releases, links] = isGoingOn ? [before.releases, before.links] : [[], []];
  return {
    releases: [...new Set([...releases, ...sync.releases])].slice(-MAX_RELEASES),
    isWhole: sync.isWhole,
    links: addMeasured(links, sync.links).map((one) => ({ ...one, firstBytesMs: [...one.firstBytesMs] })),
  };
}

function isIn(releases: readonly Digest[]): (release: Digest) => boolean {
  return (release) => releases.includes(release);
}

/** Notes a sync in the mirror in `folder`. A disk that takes no note does not stop it. */
export function noteMeasured(disk: Disk, folder: string, sync: SyncMeasured): void {
  const next = withSync(readMeasured(disk, folder), sync);
  if (next === undefined) return;
  try {
    durableWrite(disk, path.join(folder, MEASURED_FILE), sealed(next), 0o644);
  } catch (error) {
    // the sync itself says what is wrong with the disk
    if (!isNodeError(error, 'ENOSPC', 'EDQUOT', 'EROFS')) throw error;
  }
}

/** Forgets it: what a medium brought came over no link. */
export function dropMeasured(disk: Disk, folder: string): void {
  disk.remove(path.join(folder, MEASURED_FILE));
}

/** What the file in the mirror in `folder` says; undefined: nothing, or nothing that could be meant. */
export function readMeasured(disk: Disk, folder: string): MeasuredSyncs | undefined {
  try {
    return shape.safeParse(readSealed(disk, path.join(folder, MEASURED_FILE), MAX_BYTES)).data;
  } catch (error) {
    // damaged, too long, no regular file: it costs one measurement
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}
