/** Opens a ledger and puts its parts together: the logic is in `log/`, `projection/` and `verify/`. */
import { formatCheckpointText, formatVkey, LedgerError, parseVkey } from '@sealane/core';
import type { Ledger, LedgerOptions } from './ledger.js';
import { type FillIn, fillFrom } from './archive/absent.js';
import { documentIn, documentsArchived, moveDocumentsOut } from './archive/documents.js';
import { erasePayloads } from './archive/erase.js';
import type { ErasedStatement, ErasureName } from './archive/erasures.js';
import { moveIn } from './archive/move-in.js';
import { keepArchivePlaces } from './archive/archive-file.js';
import { type Mover, moveOut } from './archive/move-out.js';
import { type KeptArchive, openArchive } from './archive/read-packs.js';
import { type Anchor, catchUp, observe, openAnchor } from './log/anchor.js';
import { type AppendResult, batchAppender } from './log/append.js';
import { appendQueue } from './log/append-queue.js';
import { checkpointOf, headOf, lastCommit, sizeAt } from './log/commits.js';
import { insertCosigned, keptFirst, latestCosigned } from './log/cosigned.js';
import { type NewEntry, prepareEntry, prepareErased, type PreparedEntry } from './log/entry.js';
import { expectKeyOfToday, insertKey, type LogKeys, newestKey, ownCheckpoint, proofKey, readLogKeys } from './log/log-keys.js';
import { proveConsistency, proveInclusion, proveLeafTile, rootAt } from './log/proofs.js';
import { publishTree, treeFile, treePaths } from './log/publish-tiles.js';
import type { EntryReader } from './log/entry-rows.js';
import type { NoteSigner } from './note-signer.js';
import { reached } from './points.js';
import { type Projection, projection } from './projection/questions.js';
import { keptSites } from './projection/hardware-sites.js';
import { keptLinks } from './projection/receipt-links.js';
import { rebuildProjection } from './projection/rebuild.js';
import { hasIndex, openSources, type Sources, verifiedKeys } from './sources.js';
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
  let opened: Pick<Sources, 'close'> = store;
  try {
    const archive = openArchive(options.archive ?? []);
    const fillIn = fillFrom(archive);
    if (signer !== undefined) await initialiseSchema(store, signer.vkey, fillIn);
    const vkey = await readVkey(store);
    const known: KnownKeys = { keys: await (hasIndex(options) ? verifiedKeys(store, parseVkey(vkey)) : readLogKeys(store, vkey)) };
    expectOurs(options, known.keys);
    const sources = await openSources({ store, fillIn, forget: archive.forget }, options, () => known.keys);
    opened = sources;
    const written = await logging({ store, sources, known, archive, fillIn }, options);
    const { answers } = sources;
    const links = keptLinks(answers);
    const payloads = answers === store ? 'beside' : 'elsewhere';
    const naming = keptSites(answers, payloads);
    const ledgerReadBy = (reader: EntryReader): Ledger => ({
      ...projection({ queries: answers, reader, links, naming, payloads }),
      ...reading({ ...sources, reader }, known),
      ...written,
      noting: (note) => ledgerReadBy(reader.noting(note)),
    });
    return ledgerReadBy(sources.reader);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** The keys of the log, as far as this process knows: one more when it replaces the key itself. */
interface KnownKeys {
  keys: LogKeys;
}

function originOf({ keys }: KnownKeys): string {
  return keys[0].vkey.name;
}

function expectOurs({ file, origin, logSigner, otherSigner }: LedgerOptions, keys: LogKeys): void {
  const { name } = keys[0].vkey;
  if (name !== origin) throw new LedgerError('LEDGER_MISMATCH', `open ledger ${file}: expected the log ${origin}, got ${name}`);
  const today = formatVkey(newestKey(keys));
  if (logSigner !== undefined && logSigner.vkey !== today && otherSigner?.vkey !== today) {
    throw new LedgerError('LEDGER_MISMATCH', `open ledger ${file}: expected the key ${logSigner.vkey}, got a ledger signed by ${today}`);
  }
}

/** What a ledger opened with its key has beside its rows. */
interface Writing {
  /** That of the log's key of today, then that of the other key where one is being replaced. */
  readonly signers: () => readonly [NoteSigner, ...NoteSigner[]];
  readonly anchor: Anchor;
  readonly append: (entries: readonly NewEntry[]) => Promise<readonly AppendResult[]>;
  readonly appendErased: (leaf: Uint8Array, erasure: ErasureName, said: ErasedStatement) => Promise<void>;
}

async function openForWriting(
  { file, now, defer }: LedgerOptions,
  { store, sources, known }: Rows,
  given: readonly NoteSigner[],
): Promise<Writing> {
  const keys = (): LogKeys => known.keys;
  const anchor = openAnchor(file, keys);
  await expectGuards(store);
  await catchUp(sources.answers, anchor, keys());
  const signers = (): readonly [NoteSigner, ...NoteSigner[]] => {
    const today = formatVkey(newestKey(keys()));
    const signer = given.find(({ vkey }) => vkey === today);
    if (signer !== undefined) return [signer, ...given.filter((other) => other !== signer)];
    throw new LedgerError('LEDGER_MISMATCH', `sign for the log: expected the key ${today}, got another`);
  };
  const { answersIn, refresh } = sources;
  const commit = batchAppender({ store, answersIn, origin: originOf(known), keys, signer: () => signers()[0], anchor, now });
  const committed = async (batch: readonly PreparedEntry[]): Promise<readonly AppendResult[]> => {
    const results = await commit(batch);
    await refresh();
    return results;
  };
  const queue = appendQueue({ prepare: prepareEntry, commit: committed, defer: defer ?? ((run) => void setImmediate(run)) });
  const appendErased = async (leaf: Uint8Array, erasure: ErasureName, said: ErasedStatement): Promise<void> => {
    await committed([prepareErased(leaf, erasure, said)]);
  };
  return { signers, anchor, appendErased, append: async (entries) => (entries.length === 0 ? [] : await queue(entries)) };
}

type Reading = Pick<
  Ledger,
  | 'origin'
  | 'vkey'
  | 'refresh'
  | 'proofKey'
  | 'size'
  | 'head'
  | 'latestCosigned'
  | 'firstCosignedCovering'
  | 'rootAt'
  | 'inclusionProof'
  | 'leafTile'
  | 'consistencyProof'
  | 'leaf'
  | 'entryLeaf'
  | 'entry'
  | 'entries'
  | 'entriesAt'
  | 'byStatement'
  | 'memory'
  | 'logPaths'
  | 'logFile'
>;

function reading({ answers, reader, refresh, tiles, tree, entryLeaf }: Sources, known: KnownKeys): Reading {
  return {
    origin: originOf(known),
    vkey: formatVkey(newestKey(known.keys)),
    refresh,
    proofKey: (note) => formatVkey(proofKey(note, known.keys)),
    size: async () => (await headOf(answers)).size,
    head: () => headOf(answers),
    latestCosigned: async (maxSize) => (await latestCosigned(answers, maxSize))?.note ?? null,
    firstCosignedCovering: keptFirst(answers),
    rootAt: (size) => rootAt(answers, size),
    inclusionProof: (index, size) => proveInclusion(tiles, index, size),
    leafTile: (index, size) => proveLeafTile(tiles, index, size),
    consistencyProof: (size1, size2) => proveConsistency(tiles, size1, size2),
    leaf: async (index) => present(await tree.leaves(index, index + 1), index),
    entryLeaf: async (index) => present([await entryLeaf(index)], index),
    entry: async (index) => present([await reader.entry(index)], index),
    entriesAt: (indexes) => reader.entriesAt(indexes),
    entries: (begin, count) => reader.entriesFrom(begin, count),
    byStatement: (digest) => reader.byStatement(digest),
    memory: () => reader.memory(),
    logPaths: (size) => treePaths(0, size),
    logFile: async (path) => treeFile(tree, path, (await headOf(answers)).size),
  };
}

/** An open ledger's rows, where it looks things up, and its keys. */
interface Rows {
  readonly store: Store;
  readonly sources: Sources;
  readonly known: KnownKeys;
  readonly archive: KeptArchive;
  readonly fillIn: FillIn;
}

type Logging = Omit<Ledger, keyof Reading | keyof Projection | 'noting'>;

async function logging(rows: Rows, options: LedgerOptions): Promise<Logging> {
  const { store, sources, known, archive, fillIn } = rows;
  const { answers, tree } = sources;
  const given =
    options.readOnly || options.logSigner === undefined ? [] : [options.logSigner, options.otherSigner].flatMap((each) => each ?? []);
  const writing = given.length === 0 ? undefined : await openForWriting(options, rows, given);
  return {
    append: async (entries) => expectWriting(writing, options).append(entries),
    replaceKey: async (next) => {
      await replaceKey(rows, options, expectWriting(writing, options), next);
    },
    checkpointNote: async () => {
      const last = await lastCommit(answers);
      if (writing === undefined && last !== undefined) return checkpointOf(originOf(known), last);
      return await signedHead(answers, originOf(known), expectWriting(writing, options).signers());
    },
    saveCosigned: async (note) => {
      await saveCosigned(rows, options, expectWriting(writing, options), note);
    },
    observe: async (note) => {
      const [{ anchor }, checkpoint] = [expectWriting(writing, options), ownCheckpoint(note, known.keys)];
      await answers.write((transaction) => observe(transaction, anchor, checkpoint));
    },
    publishTiles: async (write, published) => {
      const latest = await latestCosigned(answers);
      if (latest === undefined) return 0;
      const since = published === undefined ? 0 : ownCheckpoint(published, known.keys).size;
      await publishTree(tree, write, { note: latest.note, size: latest.size, since: Math.min(since, latest.size) });
      return latest.size;
    },
    rebuildProjection: async () => {
      expectWriting(writing, options);
      await store.write((transaction) => rebuildProjection(transaction, { fillIn, keys: known.keys }));
    },
    sizeAt: (time) => sizeAt(store, time),
    moveOut: (wish) => moveOut(mover(rows, options, expectWriting(writing, options)), wish),
    moveDocumentsOut: (wish) => moveDocumentsOut(mover(rows, options, expectWriting(writing, options)), wish),
    documentsArchived: (documents) => documentsArchived(store, documents),
    archivedDocument: (digest) => documentIn(store, archive.readDocuments, digest),
    moveIn: (wish) => {
      expectWriting(writing, options);
      return moveIn(store, archive, wish);
    },
    erase: async (erasure) => {
      const moving = mover(rows, options, expectWriting(writing, options));
      const order = present([await sources.reader.entry(erasure)], erasure);
      const erased = await erasePayloads(moving, { archive, fillIn }, order);
      sources.reader.forget();
      await sources.refresh();
      return erased;
    },
    appendErased: (leaf, erasure, said) => expectWriting(writing, options).appendErased(leaf, erasure, said),
    compact: (what) => store.compact(what),
    verify: (wish = {}) => verifyStore(store, { origin: options.origin, ...wish }, archive),
    copyTo: (file) => store.copyTo(file),
    close: sources.close,
  };
}

function mover({ store, known }: Rows, { file, now }: LedgerOptions, { signers }: Writing): Mover {
  return { store, keys: () => known.keys, signer: () => signers()[0], now, keepPlaces: (places) => keepArchivePlaces(file, places) };
}

async function saveCosigned(
  { store, sources, known }: Rows,
  { now }: LedgerOptions,
  { signers, anchor }: Writing,
  note: string,
): Promise<void> {
  const checkpoint = ownCheckpoint(note, known.keys);
  await store.write(async (transaction) => {
    await expectKeyOfToday(transaction, known.keys);
    const answers = await sources.answersIn(transaction);
    // the anchor first: whatever happens to the database from here on, the log cannot fall behind this checkpoint unseen
    await observe(answers, anchor, checkpoint);
    await insertCosigned({ transaction, answers }, { checkpoint, signer: signers()[0], savedAt: now() });
  });
  reached('ledger:cosigned');
  await sources.refresh();
}

async function replaceKey(
  { store, sources, known }: Rows,
  { file, now }: LedgerOptions,
  { signers }: Writing,
  next: string,
): Promise<void> {
  const [signer, ...others] = signers();
  if (signer.vkey === next) return;
  if (!others.some(({ vkey }) => vkey === next))
    throw new LedgerError('LEDGER_MISMATCH', `replace the key of ledger ${file}: expected the private half of ${next}, got none`);
  await store.write(async (transaction) => {
    await expectKeyOfToday(transaction, known.keys);
    await sources.answersIn(transaction);
    await insertKey(transaction, signer, next, now());
  });
  reached('ledger:key-replaced');
  known.keys = await readLogKeys(store, formatVkey(known.keys[0].vkey));
}

/** The head, signed afresh: its commit has the line of one key only. Ed25519 gives the same line each time. */
async function signedHead(answers: Queries, origin: string, signers: readonly NoteSigner[]): Promise<string> {
  const { size, root } = await headOf(answers);
  const text = formatCheckpointText({ origin, size, root });
  return `${text}\n${signers.map((signer) => signer.sign(text)).join('')}`;
}

function expectWriting(writing: Writing | undefined, { file }: LedgerOptions): Writing {
  if (writing !== undefined) return writing;
  throw new LedgerError('LEDGER_READ_ONLY', `write ledger ${file}: expected it open with the key of its log, got it for reading`);
}

function present<T>([found]: readonly (T | undefined)[], index: number): T {
  if (found !== undefined) return found;
  throw new LedgerError('STATEMENT_UNKNOWN', `read entry ${index}: expected one in the log, got none`, { index });
}
