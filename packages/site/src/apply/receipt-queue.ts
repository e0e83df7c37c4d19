/** The queue of receipts on disk: which wait, and what is done with those that have arrived. */
import path from 'node:path';
import { counted, type JsonObject, type JsonValue, LIMITS, parseStrictJson, SiteError } from '@sealane/core';
import { crashPoint } from '../crash-point.js';
import type { Disk } from '../disk.js';
import type { QueuedReceipt } from '../fetch/protocol.js';
import type { Site } from '../site.js';
import { receiptFile } from '../state-folder.js';
import type { Fetcher } from './fetch-shell.js';
import type { Machine } from './machine.js';
import type { SiteState } from './state.js';

/** Receipts of one flush: the next command sends more. */
const MAX_FLUSH = 256;

/** Receipts that have arrived and are kept for a look back. */
const KEEP_SENT = 64;

/** Numbers of the receipts that have not arrived yet, oldest first; without those that a summary stands for. */
export function queuedNumbers(disk: Disk, folder: string, { receipts }: Pick<SiteState, 'receipts'>): readonly number[] {
  return disk.list(folder).flatMap((name) => {
    const seq = seqOf(name);
    const isQueued = seq !== undefined && seq > receipts.sent && seq <= receipts.seq && !isSummed(seq, receipts);
    return isQueued ? [seq] : [];
  });
}

/** The oldest receipts that have not arrived yet, as many as one flush takes. */
export function queuedReceipts(disk: Disk, folder: string, state: Pick<SiteState, 'receipts'>): readonly QueuedReceipt[] {
  return queuedNumbers(disk, folder, state)
    .slice(0, MAX_FLUSH)
    .flatMap((seq) => {
      const bytes = disk.read(receiptFile(folder, seq), LIMITS.bundleBytes);
      return bytes === undefined
        ? []
        : [{ seq, bundle: asObject(parseStrictJson(bytes, { maxBytes: LIMITS.bundleBytes, maxDepth: LIMITS.jsonDepth })) }];
    });
}

/** Removes what the last summary stands for; a crash may have left some of it. */
export function dropSummed(disk: Disk, folder: string, { receipts }: Pick<SiteState, 'receipts'>): void {
  for (const name of disk.list(folder)) {
    const seq = seqOf(name);
    if (seq !== undefined && isSummed(seq, receipts)) disk.remove(path.join(folder, name));
  }
}

function isSummed(seq: number, { summed = [] }: SiteState['receipts']): boolean {
  return summed.some(({ from, to }) => from <= seq && seq <= to);
}

/** Sends what is queued, if there is somewhere to send it. What does not arrive stays queued; only the disk failing is an error. */
export async function flushQueue(site: Site, machine: Machine, fetcher: Fetcher): Promise<void> {
  const { world, folder, config } = site;
  dropSummed(world.disk, folder.receipts, machine.state());
  const receipts = queuedReceipts(world.disk, folder.receipts, machine.state());
  if (config.receiptsTo.length === 0 || receipts.length === 0) return;
  const { name, receiptsTo, pollSeconds } = config;
  const { upTo, problem } = await fetcher.flush({ do: 'flush', site: name, receiptsTo, pollSeconds, receipts, mirror: folder.mirror });
  if (problem !== null) world.talk(`${counted(receipts.length, 'receipt stays', 'receipts stay')} queued: ${problem}`);
  if (upTo > machine.state().receipts.seq)
    throw new SiteError('INTERNAL', `send receipts: expected at most number ${machine.state().receipts.seq}, got ${upTo}`);
  if (upTo > machine.state().receipts.sent) machine.record({ is: 'receipts-sent', seq: upTo });
  setAsideSent(world.disk, folder.receipts, folder.sentReceipts, machine.state());
  crashPoint('update:flushed');
}

/** Moves receipts that have arrived out of the queue, and forgets the oldest of them. */
function setAsideSent(disk: Disk, folder: string, sentFolder: string, { receipts }: SiteState): void {
  disk.makeFolder(sentFolder, 0o750);
  for (const name of disk.list(folder)) {
    const seq = seqOf(name);
    if (seq !== undefined && seq <= receipts.sent) disk.rename(path.join(folder, name), path.join(sentFolder, name));
  }
  for (const name of disk.list(sentFolder).slice(0, -KEEP_SENT)) disk.remove(path.join(sentFolder, name));
}

function seqOf(name: string): number | undefined {
  const [, digits] = /^(\d{8})\.json$/.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

function asObject(value: JsonValue): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new SiteError('STATE_CORRUPT', 'read a queued receipt: expected a JSON object');
}
