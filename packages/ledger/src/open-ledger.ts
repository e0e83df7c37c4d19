/** Opens a ledger and puts its parts together: the logic is in `log/`, `projection/` and `verify/`. */
import { formatCheckpointText, formatVkey, LedgerError, parseVkey, type Vkey } from '@sealane/core';
import type { Ledger, LedgerOptions } from './ledger.js';
import { type Anchor, catchUp, observe, openAnchor } from './log/anchor.js';
import { type AppendResult, batchAppender } from './log/append.js';
import { appendQueue } from './log/append-queue.js';
import { checkpointOf, headOf, lastCommit } from './log/commits.js';
import { firstCovering, insertCosigned, latestCosigned, ownCheckpoint } from './log/cosigned.js';
import { type NewEntry, prepareEntry } from './log/entry.js';
import { entriesByStatement, entriesFrom, type EntryReader, entryReader, leavesBetween } from './log/entry-rows.js';
import { proveConsistency, proveInclusion, rootAt } from './log/proofs.js';
import { publishTree, treeFile, treePaths } from './log/publish-tiles.js';
import { keptTiles } from './log/tile-rows.js';
import type { NoteSigner } from './note-signer.js';
import { reached } from './points.js';
import { projection } from './projection/questions.js';
import { rebuildProjection } from './projection/rebuild.js';
import { expectGuards, initialiseSchema, readVkey } from './store/initialise.js';
import { openStore } from './store/open-store.js';
import type { Queries, Store } from './store/store.js';
import { verifyStore } from './verify/verify.js';

/**
 * Opens a ledger, creating it when it is missing and the log's key is given.
 *
 * @throws LedgerError `LEDGER_UNREADABLE`, `LEDGER_DAMAGED`, `LEDGER_MISMATCH` another origin, key or schema
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const signer = options.readOnly ? undefined : options.logSigner;
  const store = await openStore(options, signer === undefined ? 'read-only' : 'read-write', options.fence);
  try {
    if (signer !== undefined) await initialiseSchema(store, signer.vkey);
    const vkey = parseVkey(await readVkey(store));
    expectOurs(options, vkey);
    const writing = signer === undefined ? undefined : await openForWriting(options, store, vkey, signer);
    const reader = entryReader(store);
    return { ...projection(store, reader), ...reading(store, vkey, reader), ...logging(store, vkey, options, writing) };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function expectOurs({ file, origin, logSigner }: LedgerOptions, vkey: Vkey): void {
  if (vkey.name !== origin) throw new LedgerError('LEDGER_MISMATCH', `open ledger ${file}: expected the log ${origin}, got ${vkey.name}`);
  if (logSigner !== undefined && logSigner.vkey !== formatVkey(vkey)) {
    throw new LedgerError(
      'LEDGER_MISMATCH',
      `open ledger ${file}: expected the key ${logSigner.vkey}, got a ledger signed by ${formatVkey(vkey)}`,
    );
  }
}

/** What a ledger opened with its key has beside its rows. */
interface Writing {
  readonly signer: NoteSigner;
  readonly anchor: Anchor;
  readonly append: (entries: readonly NewEntry[]) => Promise<readonly AppendResult[]>;
}

async function openForWriting({ file, now, defer }: LedgerOptions, store: Store, vkey: Vkey, signer: NoteSigner): Promise<Writing> {
  const anchor = openAnchor(file, vkey);
  await expectGuards(store);
  await catchUp(store, anchor, vkey);
  const queue = appendQueue(batchAppender({ store, vkey, signer, anchor, now }), defer ?? ((run) => void setImmediate(run)));
  return { signer, anchor, append: async (entries) => (entries.length === 0 ? [] : queue(entries.map(prepareEntry))) };
}

type Reading = Pick<
  Ledger,
  | 'origin'
  | 'vkey'
  | 'size'
  | 'head'
  | 'latestCosigned'
  | 'firstCosignedCovering'
  | 'rootAt'
  | 'inclusionProof'
  | 'consistencyProof'
  | 'leaf'
  | 'entry'
  | 'entries'
  | 'byStatement'
  | 'logPaths'
  | 'logFile'
>;

function reading(store: Queries, vkey: Vkey, reader: EntryReader): Reading {
  const tiles = keptTiles(store);
  return {
    origin: vkey.name,
    vkey: formatVkey(vkey),
    size: async () => (await headOf(store)).size,
    head: () => headOf(store),
    latestCosigned: async (maxSize) => (await latestCosigned(store, maxSize))?.note ?? null,
    firstCosignedCovering: keptFirst(store),
    rootAt: (size) => rootAt(store, size),
    inclusionProof: (index, size) => proveInclusion(store, tiles, index, size),
    consistencyProof: (size1, size2) => proveConsistency(store, tiles, size1, size2),
    leaf: async (index) => present(await leavesBetween(store, index, index + 1), index),
    entry: async (index) => present([await reader.entry(index)], index),
    entries: (begin, count) => entriesFrom(store, begin, count),
    byStatement: (digest) => entriesByStatement(store, digest),
    logPaths: (size) => treePaths(0, size),
    logFile: async (path) => treeFile(store, path, (await headOf(store)).size),
  };
}

/** Answers that are kept: the first checkpoint above an entry stays the first. */
const MAX_KEPT = 10_000;

function keptFirst(store: Queries): Ledger['firstCosignedCovering'] {
  const kept = new Map<number, string>();
  return async (index, accepts) => {
    if (accepts !== undefined) return (await firstCovering(store, index, accepts))?.note ?? null;
    const known = kept.get(index) ?? (await firstCovering(store, index, () => true))?.note;
    if (known === undefined) return null;
    if (kept.size >= MAX_KEPT) kept.clear();
    kept.set(index, known);
    return known;
  };
}

type Logging = Omit<Ledger, keyof Reading | keyof ReturnType<typeof projection>>;

function logging(store: Store, vkey: Vkey, options: LedgerOptions, writing: Writing | undefined): Logging {
  return {
    append: async (entries) => expectWriting(writing, options).append(entries),
    checkpointNote: async () => {
      const last = await lastCommit(store);
      return last === undefined ? emptyCheckpoint(store, vkey, expectWriting(writing, options).signer) : checkpointOf(vkey.name, last);
    },
    saveCosigned: async (note) => {
      await saveCosigned(store, vkey, options, expectWriting(writing, options), note);
    },
    observe: async (note) => {
      const [{ anchor }, checkpoint] = [expectWriting(writing, options), ownCheckpoint(note, vkey)];
      await store.write((transaction) => observe(transaction, anchor, checkpoint));
    },
    publishTiles: async (write, published) => {
      const latest = await latestCosigned(store);
      if (latest === undefined) return 0;
      const since = published === undefined ? 0 : ownCheckpoint(published, vkey).size;
      await publishTree(store, write, { note: latest.note, size: latest.size, since: Math.min(since, latest.size) });
      return latest.size;
    },
    rebuildProjection: async () => {
      expectWriting(writing, options);
      await store.write(rebuildProjection);
    },
    verify: (wish = {}) => verifyStore(store, { origin: options.origin, ...wish }),
    copyTo: (file) => store.copyTo(file),
    close: () => store.close(),
  };
}

async function saveCosigned(store: Store, vkey: Vkey, { now }: LedgerOptions, { signer, anchor }: Writing, note: string): Promise<void> {
  const checkpoint = ownCheckpoint(note, vkey);
  await store.write(async (transaction) => {
    // the anchor first: whatever happens to the database from here on, the log cannot fall behind this checkpoint unseen
    await observe(transaction, anchor, checkpoint);
    await insertCosigned(transaction, { checkpoint, signer, savedAt: now() });
  });
  reached('ledger:cosigned');
}

async function emptyCheckpoint(store: Queries, vkey: Vkey, signer: NoteSigner): Promise<string> {
  const { size, root } = await headOf(store);
  const text = formatCheckpointText({ origin: vkey.name, size, root });
  return `${text}\n${signer.sign(text)}`;
}

function expectWriting(writing: Writing | undefined, { file }: LedgerOptions): Writing {
  if (writing !== undefined) return writing;
  throw new LedgerError('LEDGER_READ_ONLY', `write ledger ${file}: expected it open with the key of its log, got it for reading`);
}

function present<T>([found]: readonly (T | undefined)[], index: number): T {
  if (found !== undefined) return found;
  throw new LedgerError('STATEMENT_UNKNOWN', `read entry ${index}: expected one in the log, got none`, { index });
}
