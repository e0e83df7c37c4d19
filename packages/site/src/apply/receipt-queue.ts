/** The queue of receipts on disk: which wait, which nobody has taken yet, and what a summary stands for. */
import path from 'node:path';
import { type JsonObject, type JsonValue, LIMITS, parseStrictJson, SealaneError, SiteError } from '@sealane/core';
import type { Disk } from '../disk.js';
import type { QueuedReceipt } from '../fetch/protocol.js';
import { receiptFile } from '../state-folder.js';
import type { SiteState } from './state.js';

/** Numbers of the receipts that the log has not shown yet, oldest first; without those that a summary stands for. */
export function queuedNumbers(disk: Disk, folder: string, { receipts }: Pick<SiteState, 'receipts'>): readonly number[] {
  return disk.list(folder).flatMap((name) => {
    const seq = seqOf(name);
    const isQueued = seq !== undefined && seq > receipts.sent && seq <= receipts.seq && !isSummed(seq, receipts);
    return isQueued ? [seq] : [];
  });
}

/** Numbers of the receipts that nobody has taken yet, oldest first. */
export function unsentNumbers(disk: Disk, folder: string, { receipts }: Pick<SiteState, 'receipts'>): readonly number[] {
  const { carried } = receipts;
  return queuedNumbers(disk, folder, { receipts }).filter((seq) => seq > (carried?.seq ?? 0));
}

/** Queued receipts of these numbers. */
export function readReceipts(disk: Disk, folder: string, numbers: readonly number[]): readonly QueuedReceipt[] {
  return numbers.flatMap((seq) => {
    const bytes = disk.read(receiptFile(folder, seq), LIMITS.bundleBytes);
    return bytes === undefined ? [] : [{ seq, bundle: bundleIn(bytes, receiptFile(folder, seq)) }];
  });
}

function bundleIn(bytes: Uint8Array, file: string): JsonObject {
  try {
    return asObject(parseStrictJson(bytes, { maxBytes: LIMITS.bundleBytes, maxDepth: LIMITS.jsonDepth }));
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    const hint = 'set it aside: sealane-site update';
    throw new SiteError('STATE_CORRUPT', `read receipt ${file}: ${cause.message}`, { path: file }, { cause, hint });
  }
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

/** Number of a receipt by the name of its file. */
export function seqOf(name: string): number | undefined {
  const [, digits] = /^(\d{8})\.json$/.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

function asObject(value: JsonValue): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new SiteError('STATE_CORRUPT', 'read a queued receipt: expected a JSON object');
}
