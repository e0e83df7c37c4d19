/**
 * Receipts are let go when the log itself shows them: under the checkpoint that admission verified last, with its quorum, by hash tiles of a lane that nobody believes. So
 * neither `fetch` nor whoever is on the way can make one vanish.
 */
import { base64, leafHash, LIMITS, logLeaf, parseCheckpoint } from '@sealane/core';
import { logContent, parseBundle, type ParsedBundle, readReceipt } from '@sealane/trust';
import { readReceiptPlaces } from '../fetch/receipt-places.js';
import type { SoughtReceipt } from '../fetch/sync-job.js';
import type { Site } from '../site.js';
import { receiptFile } from '../state-folder.js';
import { mirrorOf } from './admission.js';
import { queuedNumbers } from './receipt-queue.js';
import { digestOnDisk, type ReceiptFolder } from './rotted-receipts.js';
import type { SiteState } from './state.js';
import type { TrustFile } from './trust-file.js';

/** Receipts that are looked for on one medium: the next one is asked for the rest. */
const MAX_SOUGHT = 1024;

/** Up to which number all receipts that wait are in the log; undefined: no more than was known. */
export function shownUpTo(site: Site, state: SiteState, { seenCheckpoint }: TrustFile): number | undefined {
  const { world, folder } = site;
  const waiting = queuedNumbers(world.disk, folder.receipts, state);
  if (waiting.length === 0 || seenCheckpoint === null) return undefined;
  const places = readReceiptPlaces(world.disk, folder.mirror);
  const log = logContent(mirrorOf(site), seenCheckpoint);
  const unshown = waiting.findIndex((seq) => {
    const index = places.get(seq);
    const bundle = index === undefined || index >= log.size ? undefined : readQueued(site, seq);
    return index === undefined || bundle === undefined || !log.shows(index, leafOf(site, bundle));
  });
  return unshown < 0 ? waiting.at(-1) : waiting[unshown - 1];
}

/** Whether a receipt that lies in a folder is in the log. */
export function isShown(site: Site, where: ReceiptFolder, seq: number, { seenCheckpoint }: TrustFile): boolean {
  const index = readReceiptPlaces(site.world.disk, site.folder.mirror).get(seq);
  if (index === undefined || seenCheckpoint === null || digestOnDisk(site, where, seq) === undefined) return false;
  const log = logContent(mirrorOf(site), seenCheckpoint);
  const bundle = readIn(site, where, seq);
  return bundle !== undefined && index < log.size && log.shows(index, leafOf(site, bundle));
}

/** What a medium is looked through for, oldest first. */
export function soughtReceipts(site: Site, state: SiteState, { seenCheckpoint }: TrustFile): readonly SoughtReceipt[] {
  const origin = seenCheckpoint === null ? undefined : parseCheckpoint(seenCheckpoint).origin;
  const waiting = queuedNumbers(site.world.disk, site.folder.receipts, state).slice(0, MAX_SOUGHT);
  return waiting.flatMap((seq) => {
    const bundle = readQueued(site, seq);
    if (bundle === undefined) return [];
    const { checkpoint } = readReceipt(bundle.statement);
    // it was made after that much of the log was seen here
    const from = checkpoint !== null && checkpoint.origin === origin ? checkpoint.size : 0;
    return [{ seq, leaf: base64(leafOf(site, bundle)), from }];
  });
}

function readQueued(site: Site, seq: number): ParsedBundle | undefined {
  return readIn(site, 'receipts', seq);
}

function readIn({ world, folder }: Site, where: ReceiptFolder, seq: number): ParsedBundle | undefined {
  const bytes = world.disk.read(receiptFile(folder[where], seq), LIMITS.bundleBytes);
  return bytes === undefined ? undefined : parseBundle(bytes);
}

function leafOf({ signer }: Site, { envelope }: ParsedBundle): Uint8Array {
  return leafHash(logLeaf(envelope, signer.spki));
}
