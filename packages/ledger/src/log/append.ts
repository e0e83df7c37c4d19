/**
 * Appending: one transaction takes a batch of entries from nothing to durable and signed.
 *
 * In order: is the log an extension of what it has shown → which entries are there already → entries, envelopes, projections → full tiles →
 * the commit row with the new head. A kill anywhere leaves the head before or the head after.
 */
import { type Checkpoint, type Digest, equalBytes } from '@sealane/core';
import { erasedText } from '../archive/erasures.js';
import type { NoteSigner } from '../note-signer.js';
import { reached } from '../points.js';
import { prefetchSubjects, projectEntry, startProjecting } from '../projection/project.js';
import { PROJECTION_TABLES } from '../projection/schema.js';
import { rowWriter } from '../store/row-writer.js';
import type { Queries, RowsAtOnce, Store } from '../store/store.js';
import { type Anchor, expectNotRestored } from './anchor.js';
import { headOf, insertCommit } from './commits.js';
import { cosignedCount } from './cosigned.js';
import type { PreparedEntry } from './entry.js';
import { entryName, findEntries, insertEntry, type SignErased } from './entry-rows.js';
import { expectKeyOfToday, type LogKeys } from './log-keys.js';
import type { FullTile, RightEdge } from './right-edge.js';
import { insertTiles, loadEdge } from './tile-rows.js';

/** Where an entry is in the log. `existed`: the same statement by the same signer was there before, and that one stands. */
export interface AppendResult {
  readonly index: number;
  readonly statementDigest: Digest;
  readonly existed: boolean;
}

/** What appending works on. */
export interface Appender {
  readonly store: Store;
  /** What entries and the tree are looked up in, as of a transaction: its own rows, or what was verified of them. */
  readonly answersIn: (transaction: Queries) => Promise<Queries>;
  readonly origin: string;
  /** The keys of the log as this process knows them, and the signer of the last of them. */
  readonly keys: () => LogKeys;
  readonly signer: () => NoteSigner;
  readonly anchor: Anchor;
  readonly now: () => string;
}

/** What the batch before has established: the right edge, and the checkpoint that it extends. */
interface Known {
  readonly edge: RightEdge;
  readonly shown: Checkpoint | undefined;
}

/** A function that appends batches one after another and remembers the right edge between them. */
export function batchAppender(appender: Appender): (batch: readonly PreparedEntry[]) => Promise<readonly AppendResult[]> {
  let known: Known | undefined;
  return async (batch) => {
    // what is remembered is right only if this commit goes through
    const before = known;
    known = undefined;
    const appended = await appender.store.write((transaction) => appendIn(transaction, appender, batch, before));
    known = appended;
    appender.anchor.hold({ size: appended.edge.size, root: appended.edge.root() }, appended.shown);
    reached('ledger:committed');
    return appended.results;
  };
}

async function appendIn(
  transaction: Queries,
  { store, answersIn, origin, keys, signer, anchor, now }: Appender,
  batch: readonly PreparedEntry[],
  known: Known | undefined,
): Promise<Known & { readonly results: readonly AppendResult[] }> {
  await expectKeyOfToday(transaction, keys());
  const answers = await answersIn(transaction);
  const { size: previous, root } = await headOf(answers);
  const shown = await expectNotRestored(answers, anchor);
  // else: the first batch, or another process has appended
  const isKnown = known?.edge.size === previous && equalBytes(known.edge.root(), root);
  const edge = isKnown ? known.edge : await loadEdge(answers, previous);
  const inserting = { transaction, answers, atOnce: store.dialect.rowsAtOnce, signErased: erasedRow(origin, signer()) };
  const { results, tiles } = await insertNew(inserting, batch, edge);
  await insertTiles(transaction, tiles);
  if (edge.size > previous) {
    const commit = { size: edge.size, root: edge.root(), previous, cosigned: await cosignedCount(answers), committedAt: now() };
    await insertCommit(transaction, { origin, signer: signer(), commit });
  }
  reached('ledger:rows-written');
  return { edge, shown, results };
}

/** Rows for entries that were erased elsewhere. The size stands for the log with the entry: the key of that commit signs. */
function erasedRow(origin: string, signer: NoteSigner): SignErased {
  return (index, { erasure, order }) => {
    const size = index + 1;
    return { idx: index, erasure, size, line: signer.sign(erasedText(origin, { index, erasure, order, size })) };
  };
}

/** What a commit writes of entries, each table behind those that it refers to. */
const TABLES = ['log_entry', 'erased', 'envelope', ...PROJECTION_TABLES.map(({ name }) => name)];

interface Inserting {
  readonly transaction: Queries;
  readonly answers: Queries;
  readonly atOnce: RowsAtOnce;
  readonly signErased: SignErased;
}

async function insertNew(
  { transaction, answers, atOnce, signErased }: Inserting,
  batch: readonly PreparedEntry[],
  edge: RightEdge,
): Promise<{ readonly results: readonly AppendResult[]; readonly tiles: readonly FullTile[] }> {
  const results: AppendResult[] = [];
  const tiles: FullTile[] = [];
  const rows = rowWriter(transaction, TABLES, atOnce);
  const projecting = startProjecting(answers, rows);
  const existing = await findEntries(answers, batch);
  await prefetchSubjects(
    projecting,
    batch.map(({ statement }) => statement),
  );
  for (const entry of batch) {
    const { statementDigest, keyId, spki, statement, projected } = entry;
    const before = existing.get(entryName(entry));
    const index = before ?? edge.size;
    results.push({ index, statementDigest, existed: before !== undefined });
    if (before !== undefined) continue;
    existing.set(entryName(entry), index);
    insertEntry(rows, index, entry, signErased);
    await projectEntry(projecting, { index, keyId, spki, statement, projected });
    tiles.push(...edge.append(entry.leafHash));
  }
  await rows.flush();
  return { results, tiles };
}
