/**
 * Which receipts a promoter refused, each alone, in a small file in the mirror: a word of `fetch` as all in there. `apply` sets them aside by it, so that those behind
 * them go on; nothing is ever dropped by it.
 */
import path from 'node:path';
import { SealaneError } from '@sealane/core';
import { z } from 'zod';
import { type Disk, isNodeError } from '../disk.js';
import { durableWrite } from '../durable-write.js';
import { readSealed, sealed } from '../sealed-file.js';

/** Name of the file in the mirror's folder. */
const REFUSED_FILE = 'refused.json';

/** Receipts that may be refused before those behind them wait: one after another that is refused says something of the promoter. */
export const MAX_REFUSED = 256;

const MAX_BYTES = 16 * 1024;

const shape = z.strictObject({ refused: z.array(z.int().min(1)).max(MAX_REFUSED) });

/** Numbers of the receipts; none where the file says nothing that could be meant. */
export function readRefused(disk: Disk, folder: string): ReadonlySet<number> {
  try {
    return new Set(shape.safeParse(readSealed(disk, path.join(folder, REFUSED_FILE), MAX_BYTES)).data?.refused ?? []);
  } catch (error) {
    // damaged, too long, no regular file: they are offered again and refused again
    if (error instanceof SealaneError) return new Set();
    throw error;
  }
}

/** Notes that receipts were refused, or are no more. */
export function noteRefused(disk: Disk, folder: string, numbers: readonly number[], word: 'refused' | 'taken'): void {
  const before = readRefused(disk, folder);
  if (numbers.every((seq) => before.has(seq) === (word === 'refused'))) return;
  const others = [...before].filter((seq) => !numbers.includes(seq));
  const refused = [...others, ...(word === 'refused' ? numbers : [])].sort((a, b) => a - b).slice(0, MAX_REFUSED);
  try {
    disk.makeFolder(folder, 0o755);
    durableWrite(disk, path.join(folder, REFUSED_FILE), sealed({ refused }), 0o644);
  } catch (error) {
    if (!isNodeError(error, 'ENOSPC', 'EDQUOT', 'EROFS')) throw error;
  }
}
