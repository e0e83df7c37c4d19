/**
 * The full check of a ledger: everything that can be recomputed is, and each row that does not fit is named.
 *
 * From the outside in: the database's own pages and schema → whose log it is → each entry (payload, from the archive where it was moved there, signature, leaf) → tiles → the signed commits →
 * cosigned checkpoints → the checkpoint that the caller holds → the projection. What can go unseen is a log cut back to an earlier commit
 * as a whole: only a checkpoint kept elsewhere shows that, so give one.
 */
import { emptyRoot, equalBytes, hex, parseVkey, SealaneError, type Vkey } from '@sealane/core';
import { type ErasedRow, erasedRows } from '../archive/erased-rows.js';
import { type Archive, openArchive, unlessUnreachable } from '../archive/read-packs.js';
import { type LogKeys, ownCheckpoint } from '../log/log-keys.js';
import { replayPage } from '../projection/rebuild.js';
import { PROJECTION_SCHEMA } from '../projection/schema.js';
import { schemaVersion } from '../store/initialise.js';
import { integerAt, textAt } from '../store/rows.js';
import { SCHEMA_VERSION } from '../store/schema.js';
import { openStore } from '../store/open-store.js';
import type { LedgerPlace } from '../store/place.js';
import { withScratch } from '../store/sqlite.js';
import type { Queries, Store } from '../store/store.js';
import { checkArchiveRows } from './archive-rows.js';
import { keyHashesIn, keyHashesOfCommits } from './commit-rows.js';
import { checkCosignedRows } from './cosigned-rows.js';
import { checkKeyRows } from './key-rows.js';
import { compareProjections } from './projection-rows.js';
import { type LedgerReport, Problems } from './report.js';
import { checkTree, type Tree } from './tree.js';

/** What to check a ledger against. */
export interface VerifyWish {
  readonly origin: string;
  /** A signed note that somebody kept: the log must be an extension of it. */
  readonly checkpoint?: string;
}

/** Checks a ledger, or a copy, that need not be well-formed. @throws LedgerError `LEDGER_UNREADABLE` there is none */
export async function verifyLedger(wish: VerifyWish & LedgerPlace): Promise<LedgerReport> {
  try {
    const store = await openStore(wish, 'read-only');
    try {
      return await verifyStore(store, wish, openArchive(wish.archive ?? []));
    } finally {
      await store.close();
    }
  } catch (error) {
    return unreadable(error, new Problems());
  }
}

/** Checks an open store. */
export async function verifyStore(store: Store, wish: VerifyWish, archive: Archive): Promise<LedgerReport> {
  const problems = new Problems();
  try {
    const differences = [...(await store.schemaDifferences())];
    // it evaluates constraints and expressions in indexes: not those that somebody else wrote
    const isOurs = differences.every(([, sql]) => sql === undefined);
    for (const text of isOurs ? await store.integrityProblems() : []) problems.add(store.dialect.name, 'integrity', 'ok', text);
    for (const [name, sql] of differences) problems.add('schema', name, 'as this version creates it', sql ?? 'missing');
    return await store.snapshot((view) => verifyView(store, view, { ...wish, archive }, problems));
  } catch (error) {
    return unreadable(error, problems);
  }
}

/** Pages or columns that cannot be read are a finding, not a failure of the check. */
function unreadable(error: unknown, problems: Problems): LedgerReport {
  if (!(error instanceof SealaneError) || error.code !== 'LEDGER_DAMAGED') throw error;
  problems.add('database', 'read', 'a readable ledger', error.message);
  return problems.report(0, emptyRoot());
}

async function verifyView(
  store: Store,
  view: Queries,
  wish: VerifyWish & { readonly archive: Archive },
  problems: Problems,
): Promise<LedgerReport> {
  const version = await schemaVersion(store.dialect, view);
  if (version !== SCHEMA_VERSION) problems.add('schema', 'version', `${SCHEMA_VERSION}`, `${version}`);
  const first = await checkLedgerRow(view, wish.origin, problems);
  const keys = first === undefined ? undefined : await checkKeyRows(view, first, problems);
  const given = keys === undefined ? undefined : givenCheckpoint(wish, keys, problems);
  const cosignedSizes = (await view.all('SELECT DISTINCT size FROM cosigned')).map((row) => integerAt(row, 'size'));
  const elsewhere = {
    archive: unlessUnreachable(wish.archive),
    erased: keys === undefined ? new Map<number, ErasedRow>() : await erasedRows(view, keys),
  };
  return await withScratch(PROJECTION_SCHEMA, async (anew) => {
    const tree = await checkTree(view, {
      ...elsewhere,
      keys,
      problems,
      rootsWanted: new Set([...cosignedSizes, ...(given === undefined ? [] : [given.size])]),
      take: (entries) => replayPage(anew, entries),
    });
    if (keys !== undefined) await checkCosignedRows(view, { keys, tree, problems });
    if (given !== undefined) checkGiven(given, tree, problems);
    if (keys !== undefined) await checkArchiveRows(view, { keys, size: tree.size, erased: elsewhere.erased, problems });
    // the projection is made from the entries: comparing it with one made from edited entries, or from some of them, would name rows that are right
    if (tree.isSound && problems.unseen === null) await compareProjections({ anew, view, problems });
    return problems.report(tree.size, tree.root);
  });
}

/** Whose log this is, by the key it began with; undefined when signatures cannot be judged because this very row is wrong. */
async function checkLedgerRow(view: Queries, origin: string, problems: Problems): Promise<Vkey | undefined> {
  const [row, more] = await view.all('SELECT id, vkey FROM ledger ORDER BY id LIMIT 2');
  if (row === undefined) {
    problems.add('ledger', 1, `the key of ${origin}`, 'no row');
    return undefined;
  }
  if (more !== undefined) problems.add('ledger', integerAt(more, 'id'), 'one row', 'a second');
  const [id, text] = [integerAt(row, 'id'), textAt(row, 'vkey')];
  if (id !== 1) problems.add('ledger', 1, 'the row of the log', `row ${id}`);
  const vkey = parsed(text);
  const hashes = [...(await keyHashesOfCommits(view)), ...(await firstHandover(view))];
  const signs = vkey !== undefined && (hashes.length === 0 || hashes.includes(hex(vkey.keyHash)));
  if (vkey?.name !== origin || !signs) {
    problems.add('ledger', 1, `the key of ${origin} that signed the commits${hashes[0] === undefined ? '' : ` (${hashes[0]})`}`, text);
    return undefined;
  }
  return vkey;
}

/** Key hashes in the line by which the first key handed over: there may be no commit of its own. */
async function firstHandover(view: Queries): Promise<readonly string[]> {
  const row = await view.get('SELECT line FROM log_key ORDER BY id LIMIT 1');
  return row === undefined ? [] : keyHashesIn(textAt(row, 'line'));
}

function parsed(vkey: string): Vkey | undefined {
  try {
    return parseVkey(vkey);
  } catch (error) {
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}

interface Given {
  readonly size: number;
  readonly root: Uint8Array;
}

function givenCheckpoint({ checkpoint }: VerifyWish, keys: LogKeys, problems: Problems): Given | undefined {
  if (checkpoint === undefined) return undefined;
  try {
    return ownCheckpoint(checkpoint, keys);
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    problems.add('checkpoint', 'note', `a checkpoint signed by ${keys[0].vkey.name}`, error.message);
    return undefined;
  }
}

function checkGiven({ size, root }: Given, tree: Tree, problems: Problems): void {
  const actual = tree.roots.get(size);
  if (actual === undefined) problems.add('checkpoint', size, `a log of at least ${size} entries`, `one of ${tree.size}`);
  else if (!equalBytes(actual, root)) problems.add('checkpoint', size, `root ${hex(root)}`, `root ${hex(actual)}`);
}
