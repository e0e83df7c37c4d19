/**
 * Parts of tiles that have become full: each publication leaves one of each level and one of a bundle of entries, as wide as the log was then. C2SP
 * tlog-tiles lets them go once the whole tile is there, which begins with the same bytes, and has readers ask for that when a part is gone.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fromUtf8, parseCheckpoint } from '@sealane/core';
import type { Ledger } from '@sealane/ledger';
import { readOptional } from '../disk-shell.js';
import type { Home } from '../home.js';

/** The folder of the parts of a tile, below the tile's own name, and one of them. */
const PART = /^(tile\/.+)\.p\/[1-9]\d{0,2}$/;

/** Those files of the published log. What its checkpoint is read with stays: a publication that was cut may have written the whole tile and no newer one. */
export function supersededTiles({ log }: Pick<Home, 'log'>, ledger: Pick<Ledger, 'logPaths'>): readonly string[] {
  const note = readOptional(path.join(log, 'checkpoint'));
  if (note === undefined) return [];
  const needed = new Set(ledger.logPaths(parseCheckpoint(fromUtf8(note)).size));
  const all = readdirSync(log, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(log, path.join(entry.parentPath, entry.name)));
  const there = new Set(all);
  const isOfFull = (name: string): boolean => there.has(PART.exec(name)?.[1] ?? '');
  return all.filter((name) => isOfFull(name) && !needed.has(name)).map((name) => path.join(log, name));
}
