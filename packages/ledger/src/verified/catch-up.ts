/**
 * Brings what was verified of a log up to its head, commit by commit.
 *
 * Each commit's lines must be by the log's key, the entries up to it must be there, and appended to the tree of what was verified before they must give
 * its root. Only then they are looked up by. A kill anywhere leaves what was verified before; two processes that do the same at once do it once.
 */
import { concatBytes, emptyRoot, equalBytes, LedgerError, TILE_WIDTH, tileCount } from '@sealane/core';
import { restored } from '../log/anchor.js';
import { type Commit, commitOf, type Head, headOf, insertSigned } from '../log/commits.js';
import { cosignedCount, insertSaved, isOurPast, type SavedCheckpoint, savedOf, sealText } from '../log/cosigned.js';
import type { LedgerEntry } from '../log/entry.js';
import { entryOf } from '../log/entry-rows.js';
import { commitKey, type LogKeys, ownCheckpoint, sealKey } from '../log/log-keys.js';
import { rootOf } from '../log/proofs.js';
import type { FullTile, RightEdge } from '../log/right-edge.js';
import { loadEdge } from '../log/tile-rows.js';
import { reached } from '../points.js';
import { projectEntry, startProjecting } from '../projection/project.js';
import { PROJECTION_TABLES } from '../projection/schema.js';
import { rowWriter } from '../store/row-writer.js';
import { integerAt } from '../store/rows.js';
import type { Queries, Store } from '../store/store.js';
import { isLineOver, wrongLines } from '../verify/commit-rows.js';
import { damaged } from './entry.js';
import type { KeyChain } from './key-chain.js';
import { takeErased } from './take-erased.js';
import { type Taken, takenBetween } from './taken.js';

/** Entries of one step, unless one commit has more: so many payloads are in memory at once. */
const STEP = 2000;
/** Saved checkpoints read at a time. */
const PAGE = 200;

/** What catching up works on. */
export interface Verified {
  readonly index: Store;
  readonly keys: KeyChain;
  /** Takes entries that were verified on the way: who asks what is decided next asks for them. */
  readonly keep: (entries: readonly LedgerEntry[]) => void;
  /** Takes note of how many entries of the log say nothing any more. */
  readonly erased: (count: number) => void;
}

/**
 * Verifies what `log` has and `index` has not.
 *
 * @throws LedgerError `LOG_RESTORED` the log is shorter than what was verified; `LOG_FORK` it is another; `LEDGER_DAMAGED` its rows are not as they were signed
 */
export async function catchUp(log: Queries, { index, keys, keep, erased }: Verified): Promise<void> {
  // ours first: another process may go on with both meanwhile
  const ours = { ...(await headOf(index)), saved: await cosignedCount(index) };
  const theirs = await stateOf(log);
  if (theirs.size < ours.size) throw restored(ours.size, theirs.size);
  for (let head: Head = ours; head.size < theirs.size; head = await headOf(index)) {
    const commit = await nextCommit(log, head.size, theirs);
    await expectSigned(log, commit, keys);
    keep(await takeEntries(log, index, { begin: head.size, commit, keys }));
    reached('ledger:verified');
  }
  const head = await headOf(index);
  if (head.size === theirs.size && !equalBytes(head.root, theirs.root)) throw await contradiction(log, head);
  const counted = Math.max(ours.saved, theirs.commit?.cosigned ?? 0);
  if (theirs.saved < counted) throw cutOff(counted, theirs.saved);
  await takeErased(log, index, keys, theirs.erased);
  erased(theirs.erased);
  await takeCosigned(log, index, theirs.saved, keys);
}

interface State extends Head {
  /** The last commit; undefined of an empty log. */
  readonly commit: Commit | undefined;
  /** Checkpoints that witnesses gave back. */
  readonly saved: number;
  /** Entries that say nothing any more. */
  readonly erased: number;
}

const STATE = `SELECT (SELECT coalesce(max(seq) + 1, 0) FROM cosigned) AS saved, (SELECT count(*) FROM erased) AS erased, c.* FROM (SELECT 1 AS one) AS o
  LEFT JOIN (SELECT * FROM log_commit ORDER BY size DESC LIMIT 1) AS c ON o.one = 1`;

/** One look, so that all of it is of one time. */
async function stateOf(log: Queries): Promise<State> {
  const row = (await log.get(STATE)) ?? {};
  const commit = row['size'] === null ? undefined : commitOf(row);
  return {
    size: commit?.size ?? 0,
    root: commit?.root ?? emptyRoot(),
    commit,
    saved: integerAt(row, 'saved'),
    erased: integerAt(row, 'erased'),
  };
}

async function nextCommit(log: Queries, begin: number, { size, commit }: State): Promise<Commit> {
  if (commit !== undefined && size <= begin + STEP) return commit;
  const row =
    (await log.get('SELECT * FROM log_commit WHERE size > ? AND size <= ? ORDER BY size DESC LIMIT 1', begin, begin + STEP)) ??
    (await log.get('SELECT * FROM log_commit WHERE size > ? ORDER BY size LIMIT 1', begin));
  if (row === undefined)
    throw new LedgerError('LEDGER_DAMAGED', `read the log: expected a commit behind that of ${begin} entries, got none`);
  return commitOf(row);
}

async function expectSigned(log: Queries, commit: Commit, { known, reread }: KeyChain): Promise<void> {
  const isSigned = (keys: LogKeys): boolean => wrongLines(commit, commitKey(keys, commit.size)).length === 0;
  // another process may have replaced the key
  if (isSigned(known()) || isSigned(await reread(log))) return;
  const message = `read commit ${commit.size} of the log: expected a row signed by its key, got one that its lines do not sign`;
  throw new LedgerError('LEDGER_DAMAGED', message, { size: commit.size });
}

/** Returns the entries where one commit brought them, so that its time is theirs. */
async function takeEntries(
  log: Queries,
  index: Store,
  { begin, commit, keys }: { readonly begin: number; readonly commit: Commit; readonly keys: KeyChain },
): Promise<readonly LedgerEntry[]> {
  const taken = await takenBetween(log, keys, begin, commit.size);
  taken.forEach(({ entry }, at) => {
    if (entry.index !== begin + at) throw damaged(begin + at, 'a row', `that of ${entry.index}`);
  });
  if (taken.length !== commit.size - begin) throw damaged(begin + taken.length, 'a row', 'none');
  const edge = await loadEdge(index, begin);
  const before = { size: begin, root: edge.root() };
  const tiles = taken.flatMap(({ leafHash }) => edge.append(leafHash));
  if (!equalBytes(edge.root(), commit.root)) throw await contradiction(log, before);
  await index.write(async (transaction) => {
    if ((await headOf(transaction)).size === begin) await writeEntries(transaction, { taken, tiles, edge, commit });
  });
  const present = taken.flatMap(({ row, isErased }) => (isErased ? [] : [{ ...row, committed_at: commit.committedAt }]));
  return commit.previous === begin ? present.map(entryOf) : [];
}

interface Step {
  readonly taken: readonly Taken[];
  readonly tiles: readonly FullTile[];
  readonly edge: RightEdge;
  readonly commit: Commit;
}

async function writeEntries(transaction: Queries, { taken, tiles, edge, commit }: Step): Promise<void> {
  const rows = rowWriter(transaction, ['log_entry', 'erased', ...PROJECTION_TABLES.map(({ name }) => name)]);
  const projecting = startProjecting(transaction, rows);
  for (const { entry, statement, token, isErased } of taken) {
    rows.insert('log_entry', { idx: entry.index, statement, token });
    if (isErased) rows.insert('erased', { idx: entry.index });
    await projectEntry(projecting, entry);
  }
  await rows.flush();
  for (const { level, index, root, data } of [...tiles, ...partialTiles(edge)])
    await transaction.run('INSERT OR REPLACE INTO hash_tile(level, n, root, data) VALUES (?, ?, ?, ?)', level, index, root, data);
  await transaction.run('DELETE FROM log_commit');
  await insertSigned(transaction, commit);
}

/** The tiles of the right edge as they are now. They have no root of their own. */
function partialTiles(edge: RightEdge): readonly FullTile[] {
  const tiles: FullTile[] = [];
  for (let level = 0; edge.size >= TILE_WIDTH ** level; level += 1) {
    const hashes = edge.partial(level);
    if (hashes.length > 0)
      tiles.push({ level, index: tileCount(edge.size, level).full, root: new Uint8Array(), data: concatBytes(...hashes) });
  }
  return tiles;
}

async function takeCosigned(log: Queries, index: Store, saved: number, keys: KeyChain): Promise<void> {
  for (let ours = await cosignedCount(index); ; ours = await cosignedCount(index)) {
    if (ours >= saved) return;
    const rows = (await log.all('SELECT * FROM cosigned WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?', ours, saved, PAGE)).map(savedOf);
    if (rows[0]?.seq !== ours) throw cutOff(saved, ours);
    for (const row of rows) await expectSealed(log, index, row, keys);
    await index.write(async (transaction) => {
      for (const row of rows) if (row.seq === (await cosignedCount(transaction))) await insertSaved(transaction, row);
    });
  }
}

/** The seal of a checkpoint is by the log's key, and what it says is the log's past. */
async function expectSealed(log: Queries, index: Queries, row: SavedCheckpoint, { known, reread }: KeyChain): Promise<void> {
  const isSealed = (keys: LogKeys): boolean => {
    const vkey = sealKey(keys, row.seq);
    return isLineOver(sealText(vkey.name, row), row.sealLine, vkey);
  };
  const keys = isSealed(known()) ? known() : await reread(log);
  const message = `read cosigned checkpoint ${row.seq} of the log: expected one that its key has sealed, of its own past, got another`;
  if (!isSealed(keys)) throw new LedgerError('LEDGER_DAMAGED', message, { seq: row.seq });
  const { size, root } = ownCheckpoint(row.note, keys);
  const isPast = size === row.size && size <= (await headOf(index)).size && equalBytes(await rootOf(index, size), root);
  if (!isPast) throw new LedgerError('LEDGER_DAMAGED', message, { seq: row.seq });
}

function cutOff(expected: number, actual: number): LedgerError {
  const message = `read the cosigned checkpoints of the log: expected ${expected}, got ${actual}`;
  return new LedgerError('LEDGER_DAMAGED', message, { expected, actual });
}

/** Another tree than the one that was verified before, or rows that are not as they were signed. */
async function contradiction(log: Queries, before: Head): Promise<LedgerError> {
  if (await isOurPast(log, before))
    return new LedgerError('LEDGER_DAMAGED', `read the log: expected entries under the root that its key signed, got others`, {
      size: before.size,
    });
  const message = `read the log: it has another tree of ${before.size} entries than the one that was verified here before`;
  return new LedgerError('LOG_FORK', message, { size: before.size });
}
