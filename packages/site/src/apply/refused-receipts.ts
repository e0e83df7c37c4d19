/**
 * Receipts that a promoter refuses: set aside, or none behind them would ever be let go. They stay on disk, are offered again, ever more seldom, and leave when the log
 * shows them: whoever says that one was refused may have lied.
 */
import path from 'node:path';
import { counted, SealaneError } from '@sealane/core';
import { timeToSeconds } from '@sealane/trust';
import { type Disk } from '../disk.js';
import { durableWrite } from '../durable-write.js';
import { MAX_REFUSED, readRefused } from '../fetch/refused-receipts.js';
import { readSealed, sealed } from '../sealed-file.js';
import type { Site } from '../site.js';
import { receiptFile } from '../state-folder.js';
import type { Fetcher } from './fetch-shell.js';
import { readReceipts, seqOf } from './receipt-queue.js';
import { digestOnDisk } from './rotted-receipts.js';
import { isShown } from './shown-receipts.js';
import type { TrustFile } from './trust-file.js';
import { trustedNow } from './trusted-time.js';

/** All of them, in bytes; what is beyond stays in the queue. */
const MAX_REFUSED_BYTES = 16 * 1024 * 1024;

/** Hours until they are offered again, doubled each time up to the second: a promoter that was set up wrong is set up right soon, or the key has ended. */
const [AGAIN_HOURS, MAX_AGAIN_HOURS] = [1, 8 * 24];

/** Says when they were offered last, and for how long they wait. */
const OFFERED_FILE = 'offered.json';

type Place = Pick<Site, 'world' | 'folder'>;

/** Numbers of those that are set aside, oldest first. */
export function refusedNumbers({ world, folder }: Place): readonly number[] {
  return world.disk.list(folder.refusedReceipts).flatMap((name) => seqOf(name) ?? []);
}

/** Sets aside those of `numbers` that `fetch` says were refused, as far as there is room. */
export function setAsideRefused(place: Place, numbers: readonly number[], now: string): void {
  const { world, folder } = place;
  const { disk } = world;
  const said = readRefused(disk, folder.mirror);
  const refused = numbers.filter((seq) => said.has(seq) && disk.kind(receiptFile(folder.receipts, seq)) === 'file');
  if (refused.length === 0) return;
  const aside = refusedNumbers(place);
  if (aside.length === 0) noteOffered(disk, folder.refusedReceipts, { at: now, hours: AGAIN_HOURS });
  let bytes = aside.reduce((sum, seq) => sum + disk.sizeBytes(receiptFile(folder.refusedReceipts, seq)), 0);
  for (const [at, seq] of refused.entries()) {
    bytes += disk.sizeBytes(receiptFile(folder.receipts, seq));
    if (aside.length + at >= MAX_REFUSED || bytes > MAX_REFUSED_BYTES) break;
    disk.rename(receiptFile(folder.receipts, seq), receiptFile(folder.refusedReceipts, seq));
    world.talk(`receipt ${seq} was refused: it is kept in ${path.relative(folder.root, folder.refusedReceipts)}, and offered again`);
  }
  for (const each of [folder.refusedReceipts, folder.receipts]) disk.syncFolder(each);
}

/** Lets go of those that the log shows after all, and offers the others when it is time. */
export async function offerRefused(site: Site, fetcher: Fetcher, trust: TrustFile): Promise<void> {
  const { world, folder, config } = site;
  const { disk } = world;
  const left = refusedNumbers(site).filter((seq) => !letGo(site, seq, trust));
  const now = trustedNow(trust.time, world.clock);
  const offered = readOffered(disk, folder.refusedReceipts);
  if (left.length === 0 || config.receiptsTo.length === 0 || !isDue(offered, now)) return;
  // one that rotted stays, for people
  const whole = left.filter((seq) => digestOnDisk(site, 'refusedReceipts', seq) !== undefined);
  const receipts = readReceipts(disk, folder.refusedReceipts, whole);
  if (receipts.length === 0) return;
  const { name, receiptsTo, pollSeconds } = config;
  const order = 'as-they-work';
  const { problem } = await fetcher.flush({ do: 'flush', site: name, receiptsTo, order, pollSeconds, receipts, mirror: folder.mirror });
  if (problem !== null) {
    world.talk(`${counted(receipts.length, 'refused receipt stays', 'refused receipts stay')}: ${problem}`);
    return;
  }
  const hours = Math.min(2 * (offered?.hours ?? AGAIN_HOURS), MAX_AGAIN_HOURS);
  noteOffered(disk, folder.refusedReceipts, { at: now, hours });
}

function letGo(site: Site, seq: number, trust: TrustFile): boolean {
  const { world, folder } = site;
  if (!isShown(site, 'refusedReceipts', seq, trust)) return false;
  world.disk.makeFolder(folder.sentReceipts, 0o750);
  world.disk.rename(receiptFile(folder.refusedReceipts, seq), receiptFile(folder.sentReceipts, seq));
  return true;
}

interface Offered {
  readonly at: string;
  readonly hours: number;
}

/** Without a note that can be read it is time. A clock that was ahead puts nothing off. */
function isDue(offered: Offered | undefined, now: string): boolean {
  return offered === undefined || Math.abs(timeToSeconds(now) - timeToSeconds(offered.at)) >= offered.hours * 3600;
}

function noteOffered(disk: Disk, folder: string, offered: Offered): void {
  disk.makeFolder(folder, 0o750);
  durableWrite(disk, path.join(folder, OFFERED_FILE), sealed({ ...offered }));
}

function readOffered(disk: Disk, folder: string): Offered | undefined {
  try {
    const { at, hours } = readSealed(disk, path.join(folder, OFFERED_FILE)) ?? {};
    return typeof at === 'string' && typeof hours === 'number' && Number.isFinite(Date.parse(at)) ? { at, hours } : undefined;
  } catch (error) {
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}
