/** Lists a folder as entries to pack. Modes become one of two, so that the umask of a checkout changes no digest. */
import { constants } from 'node:fs';
import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fromUtf8, OciError, SealaneError } from '@sealane/core';
import { readFileChunks } from './blob-file.js';
import type { PackEntry } from './pack.js';
import { shown } from './safe-path.js';
import { unsafe } from './tar-header.js';

/**
 * The entries below `dir`, which may be a link to a folder. Files are opened when they are packed.
 *
 * @throws OciError `CONTENT_MISSING` no folder there, or nothing in it; `CONTENT_UNSAFE` a device, fifo, socket, a setuid or setgid file, or a
 *   name or target of a link that is not UTF-8
 */
export async function readFolder(dir: string): Promise<readonly PackEntry[]> {
  const info = await stat(dir).catch((cause: unknown) => {
    throw missing(dir, 'a folder', 'nothing', cause);
  });
  if (!info.isDirectory()) throw missing(dir, 'a folder', 'something else');
  const entries: PackEntry[] = [];
  const waiting = [''];
  for (const folder of waiting) {
    for (const bytes of await readdir(join(dir, folder), { encoding: 'buffer' })) {
      const name = textOf(bytes, `pack a name in ${shown(folder === '' ? '.' : folder)}`);
      const path = folder === '' ? name : `${folder}/${name}`;
      const entry = await entryAt(dir, path);
      if (entry.kind === 'dir') waiting.push(path);
      entries.push(entry);
    }
  }
  // a build that wrote elsewhere leaves its folder so
  if (entries.length === 0) throw missing(dir, 'something in it', 'an empty folder');
  return entries;
}

/** Node would put another character for what is not UTF-8: then another file would be looked for, and another link packed. */
function textOf(bytes: Uint8Array, doing: string): string {
  try {
    return fromUtf8(bytes);
  } catch (error) {
    if (!(error instanceof SealaneError && error.code === 'BYTES_MALFORMED')) throw error;
    throw unsafe(doing, 'UTF-8', shown(Buffer.from(bytes).toString('latin1')));
  }
}

function missing(dir: string, expected: string, got: string, cause?: unknown): OciError {
  const hint = 'check the path, and that what fills the folder has run';
  return new OciError('CONTENT_MISSING', `read folder ${dir}: expected ${expected}, got ${got}`, { path: dir }, { cause, hint });
}

async function entryAt(dir: string, path: string): Promise<PackEntry> {
  const full = join(dir, path);
  const info = await lstat(full);
  if (info.isDirectory()) return { kind: 'dir', path };
  if (info.isSymbolicLink())
    return { kind: 'symlink', path, target: textOf(await readlink(full, 'buffer'), `pack the link ${shown(path)}`) };
  if (!info.isFile()) throw unsafe(`pack ${shown(path)}`, 'a file, folder or link', 'a device, fifo or socket');
  // It would lose those rights without a word.
  if ((info.mode & 0o6000) !== 0) throw unsafe(`pack ${shown(path)}`, 'no setuid or setgid', 'one');
  const executable = (info.mode & (constants.S_IXUSR | constants.S_IXGRP | constants.S_IXOTH)) === 0 ? 'no' : 'yes';
  return { kind: 'file', path, executable, sizeBytes: info.size, open: () => readFileChunks(full) };
}
