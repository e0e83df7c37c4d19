/** What a backup holds, taken while the home stands still: what is replaced in place is read, what is only ever added is named. */
import { createReadStream, lstatSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { PromoterError } from '@sealane/core';
import { archiveFile } from '@sealane/ledger';
import { readNamed, readOptional } from '../disk-shell.js';
import type { Home } from '../home.js';
import { chooseKeys, type KeyFile } from './key-files.js';
import type { StillHome } from './still-home.js';

/** A file to copy: its name in the backup, and its bytes, which may be asked for more than once. */
export interface HomeFile {
  readonly name: string;
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** A home at one moment. `ledgerCopy` is a file of its own. */
export interface HomeSnapshot {
  readonly files: readonly HomeFile[];
  readonly leftOut: readonly string[];
  readonly checkpoint: Uint8Array | undefined;
}

/** Files of the lane that are replaced; all others are named by version or digest. */
const REPLACED = new Set([
  'lane/trust/metadata/timestamp.json',
  'lane/log/checkpoint',
  'lane/records/checkpoint',
  'lane/content/index.json',
]);
/** Removed when the full one is there, perhaps while the copy is written. */
const PARTIAL_RECORDS = /^lane\/records\/.*\.p\//;
const LEDGER = 'ledger/ledger.sqlite';

/**
 * Copies the ledger into the file `ledgerCopy` and lists the rest.
 *
 * @throws PromoterError `KEY_UNSEALED`; `CONFIG_INVALID` a link or device where files are; LedgerError for the copy
 */
export async function snapshotHome(
  { home, ledger, lane }: StillHome,
  ledgerCopy: string,
  keys: 'sealed-keys' | 'no-keys',
): Promise<HomeSnapshot> {
  // the keys first: what is refused costs no copy
  const { taken, leftOut } = chooseKeys(keyFiles(home), keys, lane);
  // the anchor before the ledger: it must not be ahead of the copy
  const anchor = [
    ...present(`${LEDGER}.anchor`, `${home.ledger}.anchor`),
    ...present('ledger/archive.json', archiveFile(home.ledger)),
    ...present('ledger/records.anchor', path.join(path.dirname(home.ledger), 'records.anchor')),
  ];
  await ledger.copyTo(ledgerCopy);
  const single = ['pipeline.yaml', 'service.yaml', 'log.vkey', 'proposal.json', 'ca/chain.pem'].flatMap((name) =>
    present(name, path.join(home.folder, name)),
  );
  const proposals = filesBelow(home.proposals, 'proposals').flatMap(([name, file]) => present(name, file));
  const published = [home.trust, home.content, home.log, home.records].flatMap((folder) =>
    filesBelow(folder, `lane/${path.basename(folder)}`).flatMap(([name, file]) =>
      REPLACED.has(name) || PARTIAL_RECORDS.test(name) ? present(name, file) : [onDisk(name, file)],
    ),
  );
  return {
    files: [
      ...single,
      ...anchor,
      ...proposals,
      ...published,
      onDisk(LEDGER, ledgerCopy),
      ...taken.map(({ name, bytes }) => inMemory(name, bytes)),
    ],
    leftOut,
    checkpoint: readOptional(path.join(home.log, 'checkpoint')),
  };
}

function keyFiles({ keys, owners }: Home): readonly KeyFile[] {
  return [...filesBelow(keys, 'keys'), ...filesBelow(owners, 'owners')].map(([name, file]) => ({ name, bytes: readNamed(file, 'key') }));
}

function present(name: string, file: string): readonly HomeFile[] {
  const bytes = readOptional(file);
  return bytes === undefined ? [] : [inMemory(name, bytes)];
}

function inMemory(name: string, bytes: Uint8Array): HomeFile {
  return { name, open: () => Readable.from([bytes], { objectMode: true }) };
}

function onDisk(name: string, file: string): HomeFile {
  return { name, open: () => createReadStream(file) };
}

/** Files below a folder, by name, without what a running or killed write left for a moment. */
function filesBelow(folder: string, name: string): readonly (readonly [name: string, file: string])[] {
  if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry): readonly (readonly [string, string])[] => {
    const [below, file] = [`${name}/${entry.name}`, path.join(folder, entry.name)];
    if (entry.name.startsWith('.')) return [];
    if (entry.isDirectory()) return filesBelow(file, below);
    if (entry.isFile()) return [[below, file]];
    throw new PromoterError('CONFIG_INVALID', `back up ${file}: expected a plain file, got a link or device`, { file });
  });
}
