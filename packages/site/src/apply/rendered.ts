/** Rendered variables on disk: one file for each set of values, named by its digest, kept as long as a slot needs it. */
import path from 'node:path';
import { canonicalJson, type Digest, digestHex, parseStrictJson, sha256, SiteError } from '@sealane/core';
import type { SiteVariables } from '@sealane/trust';
import type { Disk } from '../disk.js';
import { durableWrite } from '../durable-write.js';
import type { StateFolder } from '../state-folder.js';
import type { SiteState } from './state.js';

/** 256 variables of 1024 characters, with their names, in UTF-8. */
const MAX_BYTES = 1024 * 1024;

/** Writes the values down durably; their digest is what receipts name. */
export function keepRendered(disk: Disk, folder: StateFolder, values: SiteVariables): Digest {
  const bytes = canonicalJson(values);
  const digest = sha256(bytes);
  disk.makeFolder(folder.rendered, 0o750);
  durableWrite(disk, renderedFile(folder, digest), bytes, 0o640);
  return digest;
}

/** Where the values of a digest lie. */
export function renderedFile(folder: StateFolder, digest: Digest): string {
  return path.join(folder.rendered, `${digestHex(digest)}.json`);
}

/** Reads values back. @throws SiteError `STATE_CORRUPT` they are not those that were written */
export function readRendered(disk: Disk, file: string): SiteVariables {
  const bytes = disk.read(file, MAX_BYTES);
  if (bytes === undefined || `${digestHex(sha256(bytes))}.json` !== path.basename(file))
    throw new SiteError(
      'STATE_CORRUPT',
      `read ${file}: expected the variables that were rendered, got ${bytes === undefined ? 'nothing' : 'other bytes'}`,
      {
        path: file,
      },
    );
  // the digest says that these are the bytes that were written here
  return parseStrictJson(bytes, { maxBytes: MAX_BYTES, maxDepth: 2 }) as SiteVariables;
}

/** Removes values that no slot and no release on its way in has. */
export function pruneRendered(disk: Disk, folder: StateFolder, { current, kept, phase }: SiteState): void {
  const slots = [...(current === null ? [] : [current]), ...kept, ...('target' in phase && phase.target !== null ? [phase.target] : [])];
  const needed = new Set(slots.flatMap(({ rendered }) => (rendered === undefined ? [] : [path.basename(renderedFile(folder, rendered))])));
  for (const name of disk.list(folder.rendered)) if (!needed.has(name)) disk.remove(path.join(folder.rendered, name));
}
