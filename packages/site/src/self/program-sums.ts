/**
 * What the program of a slot was when it was laid down: the digest of each file, as sha256sum(1) reads them. The launcher holds it to that before it starts it,
 * the program itself when something went wrong. They show damage, not an attacker: who can write here is root at this site.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import path from 'node:path';
import { SiteError } from '@sealane/core';
import { isNodeError } from '../disk.js';

/** Name of the file in a slot, beside the tree. */
export const SUMS = 'sums';

/** The last line: without it the file was cut. sha256sum(1) passes over what follows `#`. */
const END = '# whole';

/** The Node that a program may bring: what runs is in memory, and the launcher reads it before it is started. */
const NODE = 'node';

const PIECE_BYTES = 1024 * 1024;

/** The file for a tree. @throws SiteError `DRIVER_REFUSED` a name that such a file could not tell */
export function sumsOf(tree: string): string {
  const names = readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(tree, path.join(entry.parentPath, entry.name)));
  const strange = names.find((name) => /[\n\r\\]/.test(name));
  if (strange !== undefined)
    throw new SiteError('DRIVER_REFUSED', `bring in an updater: expected names in one line, got ${JSON.stringify(strange)}`);
  const lines = names.sort().map((name) => `${hashOf(path.join(tree, name))}  ${name}\n`);
  return `${lines.join('')}${END}\n`;
}

/** How a program is held to its digests: all of it, or without its Node. */
export type Extent = 'all' | 'but-node';

/** Whether what lies in a slot is what was laid down there. A slot without sums is of an updater that wrote none: nobody knows, and this says yes. */
export function isWholeProgram(slotFolder: string, extent: Extent): boolean {
  try {
    const sums = readFileSync(path.join(slotFolder, SUMS), 'utf8');
    const lines = sums.split('\n');
    if (lines.at(-2) !== END || lines.at(-1) !== '') return false;
    return lines.slice(0, -2).every((line) => {
      const [, sum, name = ''] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
      return (extent === 'but-node' && name === NODE) || (sum !== undefined && hashOf(path.join(slotFolder, 'tree', name)) === sum);
    });
  } catch (error) {
    // a file of it is gone or cannot be read: an error of the disk is damage too
    if (isNodeError(error, 'ENOENT') && error.path === path.join(slotFolder, SUMS)) return true;
    if (!(error instanceof Error && 'code' in error)) throw error;
    return false;
  }
}

function hashOf(file: string): string {
  const hash = createHash('sha256');
  const piece = Buffer.alloc(PIECE_BYTES);
  const open = openSync(file, 'r');
  try {
    for (let bytes = -1; bytes !== 0;) {
      bytes = readSync(open, piece);
      hash.update(piece.subarray(0, bytes));
    }
  } finally {
    closeSync(open);
  }
  return hash.digest('hex');
}
