/**
 * Where an open ledger looks things up, and where it reads entries.
 *
 * In a file, its own rows answer. Of a database, whose owner can take rows away and change them, what the promoter has verified does: what he can do to
 * the log shows in its root, but the projection, by which statements are found, nobody signs. So only what is new is taken of the database, and
 * the bytes of entries, each held against the tree.
 */
import { LedgerError, type Vkey } from '@sealane/core';
import type { FillIn } from './archive/absent.js';
import { erasedCount } from './archive/erased-rows.js';
import type { LedgerOptions } from './ledger.js';
import { entryLeaf, type EntryLeaf, type EntryReader, entryReader, leavesBetween } from './log/entry-rows.js';
import type { LogKeys } from './log/log-keys.js';
import { keptLeaves, type TreeRows } from './log/publish-tiles.js';
import { type KeptTiles, keptTiles } from './log/tile-rows.js';
import type { Queries, Store } from './store/store.js';
import { catchUp } from './verified/catch-up.js';
import { expectLeaves, expectVerified } from './verified/entry.js';
import { openIndex } from './verified/open-index.js';
import { checkKeyRows } from './verify/key-rows.js';
import { Problems } from './verify/report.js';

/** What an open ledger reads. */
export interface Sources {
  /** What is looked up: the head, tiles, saved checkpoints, the projection. Its write lock keeps the anchor's file to one process. */
  readonly answers: Store;
  /** The same as of a transaction of the ledger's store. */
  readonly answersIn: (transaction: Queries) => Promise<Queries>;
  /** Brings the answers up to the log as it is now, and forgets what was read of entries once another process has erased some. @throws as `catchUp` */
  readonly refresh: () => Promise<void>;
  readonly reader: EntryReader;
  /** Tiles, each read once. */
  readonly tiles: KeptTiles;
  readonly tree: TreeRows;
  /** As `entryLeaf`. */
  readonly entryLeaf: (index: number) => Promise<EntryLeaf | undefined>;
  /** Closes the store too. */
  readonly close: () => Promise<void>;
}

/** The store of a log, what brings the payloads that are not in it, and how what was kept of them is forgotten. */
export interface LogRows {
  readonly store: Store;
  readonly fillIn: FillIn;
  readonly forget: () => void;
}

/** Opens the sources of a ledger whose keys are known. @throws LedgerError as `openIndex` and `catchUp` */
export async function openSources(rows: LogRows, options: LedgerOptions, keys: () => LogKeys): Promise<Sources> {
  return hasIndex(options) ? await verifiedSources(rows, options, keys) : ownSources(rows);
}

/** Whether what is answered is verified first: who only reads writes no file. */
export function hasIndex({ database, readOnly }: LedgerOptions): boolean {
  return database !== undefined && readOnly !== true;
}

function ownSources({ store, fillIn, forget }: LogRows): Sources {
  const reader = entryReader({ log: store, answers: store, expect: () => Promise.resolve(), fillIn });
  const erased = onChange(forgetting(reader, forget));
  const tiles = keptTiles(store);
  return {
    answers: store,
    answersIn: (transaction) => Promise.resolve(transaction),
    refresh: async () => {
      erased(await erasedCount(store));
    },
    reader,
    tiles,
    tree: { readTile: tiles.read, leaves: keptLeaves((begin, end) => leavesBetween(store, begin, end)) },
    entryLeaf: (index) => entryLeaf(store, fillIn, index),
    close: () => store.close(),
  };
}

async function verifiedSources({ store, fillIn, forget }: LogRows, { file }: LedgerOptions, keys: () => LogKeys): Promise<Sources> {
  const [{ vkey: first }] = keys();
  const index = await openIndex(file, first);
  const reader = entryReader({ log: store, answers: index, expect: (wanted, rows) => expectVerified(index, wanted, rows), fillIn });
  const chain = { known: keys, reread: (log: Queries) => verifiedKeys(log, first), fillIn };
  const verified = { index, keys: chain, keep: reader.keep, erased: onChange(forgetting(reader, forget)) };
  const refresh = oneAtATime(() => catchUp(store, verified));
  try {
    await refresh();
  } catch (error) {
    await index.close();
    throw error;
  }
  const tiles = keptTiles(index);
  return {
    answers: index,
    answersIn: async (transaction) => {
      await catchUp(transaction, verified);
      return index;
    },
    refresh,
    reader,
    tiles,
    tree: {
      readTile: tiles.read,
      leaves: keptLeaves(async (begin, end) => {
        const leaves = await leavesBetween(store, begin, end);
        await expectLeaves(index, begin, leaves);
        return leaves;
      }),
    },
    entryLeaf: async (at) => {
      const found = await entryLeaf(store, fillIn, at);
      if (found !== undefined) await expectLeaves(index, at, [found.leaf]);
      return found;
    },
    close: async () => {
      await store.close();
      await index.close();
    },
  };
}

/** The keys of a log, each signed for by the one before it. @throws LedgerError `LEDGER_DAMAGED` */
export async function verifiedKeys(log: Queries, first: Vkey): Promise<LogKeys> {
  const problems = new Problems();
  const keys = await checkKeyRows(log, first, problems);
  if (keys !== undefined && problems.count === 0) return keys;
  throw new LedgerError('LEDGER_DAMAGED', `read the keys of the log ${first.name}: expected each signed by the one before it, got others`);
}

/** Calls `work` when a count is another than the one before; at first it is 0. */
function onChange(work: () => void): (count: number) => void {
  let known = 0;
  return (count) => {
    if (known !== count) work();
    known = count;
  };
}

function forgetting(reader: EntryReader, forget: () => void): () => void {
  return () => {
    reader.forget();
    forget();
  };
}

/** Runs `work` anew for whoever asks after it began; those who wait for the same run share it. */
function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | undefined;
  const next = async (): Promise<void> => {
    // whoever asked for the one before hears of its failure
    await running.catch(() => undefined);
    waiting = undefined;
    running = work();
    await running;
  };
  return () => (waiting ??= next());
}
