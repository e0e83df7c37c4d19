/**
 * Where in the log receipts are said to be, in a small file in the mirror: by whoever took them, or as it was found on a medium. `apply` reads it where it reads all
 * that `fetch` brings, and looks there: a receipt is let go when the log itself shows it, whoever named the place.
 */
import path from 'node:path';
import { SealaneError } from '@sealane/core';
import { z } from 'zod';
import { type Disk, isNodeError } from '../disk.js';
import { durableWrite } from '../durable-write.js';
import { readSealed, sealed } from '../sealed-file.js';

/** Name of the file in the mirror's folder. */
const PLACES_FILE = 'receipts.json';

/** Receipts that are remembered: more than one flush takes. */
const MAX_PLACES = 1024;

/** Two numbers of at most 16 digits and their frame for each. */
const MAX_BYTES = 64 * 1024;

const number = z.int().min(0);
const shape = z.strictObject({ places: z.array(z.tuple([number, number])).max(MAX_PLACES) });

/** Number of a receipt → index in the log. */
export type ReceiptPlaces = ReadonlyMap<number, number>;

/** What the file in the mirror in `folder` says; nothing where it says nothing that could be meant. */
export function readReceiptPlaces(disk: Disk, folder: string): ReceiptPlaces {
  try {
    return new Map(shape.safeParse(readSealed(disk, path.join(folder, PLACES_FILE), MAX_BYTES)).data?.places ?? []);
  } catch (error) {
    // damaged, too long, no regular file: the receipts are sent again
    if (error instanceof SealaneError) return new Map();
    throw error;
  }
}

/** Notes places, those of the newest receipts. A disk that takes no note only has them sent again. */
export function noteReceiptPlaces(disk: Disk, folder: string, found: ReceiptPlaces): void {
  const before = readReceiptPlaces(disk, folder);
  if ([...found].every(([seq, index]) => before.get(seq) === index)) return;
  const places = [...new Map([...before, ...found])].sort(([a], [b]) => a - b).slice(-MAX_PLACES);
  try {
    disk.makeFolder(folder, 0o755);
    durableWrite(disk, path.join(folder, PLACES_FILE), sealed({ places }), 0o644);
  } catch (error) {
    if (!isNodeError(error, 'ENOSPC', 'EDQUOT', 'EROFS')) throw error;
  }
}
