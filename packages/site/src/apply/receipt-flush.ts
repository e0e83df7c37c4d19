/** Sends receipts, and lets them go: two things, since `fetch` says that they arrived and only the log shows it. */
import path from 'node:path';
import { counted, SiteError } from '@sealane/core';
import { crashPoint } from '../crash-point.js';
import type { Disk } from '../disk.js';
import { afterTurns } from '../fetch/routes/place.js';
import type { Site } from '../site.js';
import { carriedAfter, turnsOf } from './carried-receipts.js';
import type { Fetcher } from './fetch-shell.js';
import type { Machine } from './machine.js';
import { dropSummed, queuedNumbers, readReceipts, seqOf, unsentNumbers } from './receipt-queue.js';
import { offerRefused, refusedNumbers, setAsideRefused } from './refused-receipts.js';
import { retirementOf } from './retirement.js';
import { pastRotted } from './rotted-receipts.js';
import { shownUpTo } from './shown-receipts.js';
import type { SiteState } from './state.js';
import { readTrustFile, type TrustFile } from './trust-file.js';
import { trustedNow } from './trusted-time.js';

/** Receipts of one flush: the next command sends more. */
const MAX_FLUSH = 256;

/** Receipts that have arrived and are kept for a look back. */
const KEEP_SENT = 64;

/**
 * Lets go of what the log shows, and sends what is queued, if there is somewhere to send it. What does not arrive stays queued, and what is said to have arrived stays until it is shown; only the
 * disk failing is an error.
 */
export async function flushQueue(site: Site, machine: Machine, fetcher: Fetcher): Promise<void> {
  await flushWaiting(site, machine, fetcher);
  if (refusedNumbers(site).length > 0) await offerRefused(site, fetcher, readTrustFile(site.world.disk, site.folder.trust));
}

async function flushWaiting(site: Site, machine: Machine, fetcher: Fetcher): Promise<void> {
  const { world, folder, config } = site;
  dropSummed(world.disk, folder.receipts, machine.state());
  if (queuedNumbers(world.disk, folder.receipts, machine.state()).length === 0) {
    setAsideSent(world.disk, folder.receipts, folder.sentReceipts, machine.state());
    return;
  }
  const trust = readTrustFile(world.disk, folder.trust);
  pastRotted(site, () => letGoShown(site, machine, trust));
  const now = trustedNow(trust.time, world.clock);
  const turns = turnsOf(machine.state().receipts, now);
  const numbers = turns > 0 ? queuedNumbers : unsentNumbers;
  const receipts = pastRotted(site, () => {
    const oldest = numbers(world.disk, folder.receipts, machine.state()).slice(0, MAX_FLUSH);
    return readReceipts(world.disk, folder.receipts, oldest);
  });
  if (config.receiptsTo.length === 0 || receipts.length === 0) return;
  const { upTo, problem } = await fetcher.flush({
    do: 'flush',
    site: config.name,
    receiptsTo: afterTurns(config.receiptsTo, turns),
    order: turns > 0 ? 'as-named' : 'as-they-work',
    pollSeconds: config.pollSeconds,
    receipts,
    mirror: folder.mirror,
  });
  if (problem !== null) world.talk(`${counted(receipts.length, 'receipt stays', 'receipts stay')} queued: ${problem}`);
  const known = machine.state().receipts;
  if (upTo > known.seq) throw new SiteError('INTERNAL', `send receipts: expected at most number ${known.seq}, got ${upTo}`);
  const taken = receipts.findLast(({ seq }) => seq <= upTo);
  const passed = receipts.flatMap(({ seq }) => (seq <= upTo ? [seq] : []));
  setAsideRefused(site, passed, now);
  if (taken !== undefined) machine.record({ is: 'receipts-sent', seq: known.sent, carried: carriedAfter(known, taken.seq, now) });
  crashPoint('update:flushed');
}

/** What the log shows is journalled as sent and goes out of the queue; a crash may have left it there. */
function letGoShown(site: Site, machine: Machine, trust: TrustFile): void {
  const { world, folder } = site;
  const seq = retirementOf(machine.state()) === undefined ? shownUpTo(site, machine.state(), trust) : undefined;
  if (seq !== undefined) machine.record({ is: 'receipts-sent', seq });
  setAsideSent(world.disk, folder.receipts, folder.sentReceipts, machine.state());
}

/** Moves receipts that have arrived out of the queue, and forgets the oldest of them. */
function setAsideSent(disk: Disk, folder: string, sentFolder: string, { receipts }: SiteState): void {
  const names = disk.list(folder).filter((name) => (seqOf(name) ?? Infinity) <= receipts.sent);
  if (names.length === 0) return;
  disk.makeFolder(sentFolder, 0o750);
  for (const name of names) disk.rename(path.join(folder, name), path.join(sentFolder, name));
  for (const name of disk.list(sentFolder).slice(0, -KEEP_SENT)) disk.remove(path.join(sentFolder, name));
}
