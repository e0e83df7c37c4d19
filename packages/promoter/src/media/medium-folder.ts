/** The folder of a medium before it is written: files of something else are no medium, and a medium of another lane is none of this one. */
import { type Dirent, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { equalBytes, PromoterError } from '@sealane/core';
import { publishedMetadataPath } from '@sealane/trust';
import { isNotFound, readOptional } from '../disk-shell.js';

/** The first file that is written: it says of which lane a medium is, one that is half written too. */
export const FIRST_ROOT = path.join('trust', publishedMetadataPath('root', 1));

/** What file systems and desktops make at the top of a stick by themselves. */
const MADE_BY_SYSTEMS = /^(?:\..*|lost\+found|System Volume Information|\$RECYCLE\.BIN)$/;

/**
 * Lets a folder be written that is not there, holds no file, or is a medium of this lane, which is brought up to date.
 *
 * @throws PromoterError `USAGE` it holds something else, or is the lane or part of it; `CONTENT_UNSAFE` as `expectNoLinks`: nothing was written
 */
export function expectMediumFolder(out: string, lane: string): void {
  const refused = (got: string): PromoterError =>
    new PromoterError(
      'USAGE',
      `write a medium to ${out}: expected a folder that is empty, missing or a medium of this lane, got ${got}`,
      { out },
      { hint: 'name a folder of its own: --out DIR' },
    );
  const there = namesIn(out, refused);
  if (isWithin(out, lane)) throw refused('the lane itself');
  if (!there.some((entry) => holdsFile(out, entry))) return;
  expectNoLinks(out, [FIRST_ROOT]);
  const root = readOptional(path.join(out, FIRST_ROOT));
  if (root === undefined) throw refused(`one with ${there.map(({ name }) => name).sort()[0] ?? ''} in it`);
  if (!equalBytes(root, readOptional(path.join(lane, FIRST_ROOT)) ?? new Uint8Array())) throw refused('a medium of another lane');
}

/**
 * Expects that files of a medium can be written and read where their names say: a stick that was somewhere else comes back with what others put there, and a link
 * would have this host's own files written.
 *
 * @throws PromoterError `CONTENT_UNSAFE` one of them, or a folder on its way, is a link, pipe or device
 */
export function expectNoLinks(out: string, files: readonly string[]): void {
  const folders = new Set(files.flatMap(foldersAbove));
  for (const place of [...folders, ...files]) {
    const at = path.join(out, place);
    const there = lstatSync(at, { throwIfNoEntry: false });
    if (there === undefined || there.isDirectory() || (there.isFile() && !folders.has(place))) continue;
    const message = `write a medium to ${out}: expected regular files in regular folders, got something else at ${at}`;
    throw new PromoterError(
      'CONTENT_UNSAFE',
      message,
      { path: at },
      { hint: 'take an empty folder: what is on this one is not to be trusted' },
    );
  }
}

/** Of `a/b/c`: `a` and `a/b`. */
function foldersAbove(file: string): readonly string[] {
  const words = path.dirname(file).split(path.sep);
  return words.map((_, at) => words.slice(0, at + 1).join(path.sep));
}

function namesIn(out: string, refused: (got: string) => PromoterError): readonly Dirent[] {
  try {
    if (!statSync(out).isDirectory()) throw refused('a file');
    return readdirSync(out, { withFileTypes: true }).filter(({ name }) => !MADE_BY_SYSTEMS.test(name));
  } catch (error) {
    // a folder that cannot be made is said when it is made
    if (isNotFound(error)) return [];
    throw error;
  }
}

/** Folders alone are what an export leaves that was broken off before its first file. */
function holdsFile(folder: string, entry: Dirent): boolean {
  if (!entry.isDirectory()) return !entry.name.startsWith('.');
  const within = path.join(folder, entry.name);
  return readdirSync(within, { withFileTypes: true }).some((below) => holdsFile(within, below));
}

function isWithin(out: string, lane: string): boolean {
  try {
    const [at, top] = [realpathSync(out), realpathSync(lane)];
    return at === top || at.startsWith(`${top}${path.sep}`);
  } catch (error) {
    // a folder that is not there yet
    if (isNotFound(error)) return path.resolve(out).startsWith(`${path.resolve(lane)}${path.sep}`);
    throw error;
  }
}
