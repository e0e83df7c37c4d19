/** Receipts of the queue that rotted: set aside, or none after one would ever be sent, and no update would come to its end. Auditors miss its number. */
import path from 'node:path';
import { type Digest, LIMITS, SealaneError } from '@sealane/core';
import { parseBundle, readReceipt } from '@sealane/trust';
import type { Site } from '../site.js';
import { receiptFile } from '../state-folder.js';
import { setAside } from './journal-file.js';
import { seqOf } from './receipt-queue.js';

type Place = Pick<Site, 'world' | 'folder'>;

/** Where a receipt may lie. */
export type ReceiptFolder = 'receipts' | 'sentReceipts' | 'refusedReceipts';

/** Reads what waits; where that fails, what rotted is set aside, and what is left is read. @throws what `read` does when nothing rotted */
export function pastRotted<T>(place: Place, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SealaneError) || setAsideRotted(place) === 0) throw error;
    return read();
  }
}

/** Sets aside each receipt that waits and does not read as the one of its number; returns how many. */
export function setAsideRotted({ world, folder }: Place): number {
  const rotted = world.disk.list(folder.receipts).flatMap((name) => {
    const seq = seqOf(name);
    return seq === undefined || digestOnDisk({ world, folder }, 'receipts', seq) !== undefined ? [] : [seq];
  });
  for (const seq of rotted) {
    const aside = setAside(world.disk, receiptFile(folder.receipts, seq), world.clock.wallTime());
    world.talk(`receipt ${seq} is damaged and lies in ${path.basename(aside)}`);
  }
  return rotted.length;
}

/** The digest of a receipt; undefined where the file does not read as the one of that number. */
export function digestOnDisk({ world: { disk }, folder }: Place, where: ReceiptFolder, seq: number): Digest | undefined {
  try {
    const { statement, statementDigest } = parseBundle(disk.read(receiptFile(folder[where], seq), LIMITS.bundleBytes) ?? new Uint8Array());
    return readReceipt(statement).seq === seq ? statementDigest : undefined;
  } catch (error) {
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}
