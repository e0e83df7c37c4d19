/** What tells without reading it all that the parts of a home are still what they were. */
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { sha256 } from '@sealane/core';
import { archiveFile } from '@sealane/ledger';
import { publishedMetadataPath } from '@sealane/trust';
import { listFolder, readOptional } from './disk-shell.js';
import type { Home } from './home.js';

/** A stamp of the published trust. The timestamp names everything but the roots, and those only grow. */
export function laneStamp({ trust }: Pick<Home, 'trust'>): string {
  const timestamp = readOptional(path.join(trust, 'metadata', 'timestamp.json'));
  let root = 1;
  while (existsSync(path.join(trust, publishedMetadataPath('root', root + 1)))) root += 1;
  return `${root} ${timestamp === undefined ? '' : sha256(timestamp)}`;
}

/** A stamp of where the ledger is: a database that was replaced by a copy is another one. */
export function ledgerStamp({ ledger }: Pick<Home, 'ledger'>): string {
  return [ledger, path.join(path.dirname(ledger), 'database.json'), archiveFile(ledger)]
    .map((file) => stampOf(file, ({ dev, ino }) => `${dev}:${ino}`))
    .join();
}

/** A stamp of the files in some folders: whatever is written, renamed or removed there changes it. */
export function filesStamp(folders: readonly string[]): string {
  const files = folders.flatMap((folder) =>
    listFolder(folder)
      .toSorted()
      .map((name) => path.join(folder, name)),
  );
  return files
    .map((file) => `${file} ${stampOf(file, ({ ino, size, mtimeMs, ctimeMs }) => `${ino}:${size}:${mtimeMs}:${ctimeMs}`)}`)
    .join();
}

interface Facts {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

function stampOf(file: string, read: (facts: Facts) => string): string {
  const facts = statSync(file, { throwIfNoEntry: false });
  return facts === undefined ? '-' : read(facts);
}
