/**
 * Rows of `cosigned`: checkpoints as witnesses gave them back, in the order in which they came.
 *
 * Which witnesses count is policy and not known here, so each row is sealed by the log's key: an edited line is found without their keys.
 */
import { base64, type Checkpoint, equalBytes, LedgerError, parseNote, sha256Raw, utf8 } from '@sealane/core';
import type { NoteSigner } from '../note-signer.js';
import { integerAt, textAt } from '../store/rows.js';
import type { Queries, Row } from '../store/store.js';
import { headOf } from './commits.js';
import { rootOf } from './proofs.js';

/** A row of `cosigned`. */
export interface SavedCheckpoint {
  /** 0, 1, 2 …: the order of saving. */
  readonly seq: number;
  readonly size: number;
  readonly note: string;
  /** RFC 3339 UTC. */
  readonly savedAt: string;
  readonly sealLine: string;
}

/** Whether a checkpoint is a prefix of the log as it is here. */
export async function isOurPast(queries: Queries, { size, root }: Pick<Checkpoint, 'size' | 'root'>): Promise<boolean> {
  const head = await headOf(queries);
  return size <= head.size && equalBytes(await rootOf(queries, size), root);
}

/** The text under a seal. */
export function sealText(origin: string, { seq, size, note, savedAt }: Omit<SavedCheckpoint, 'sealLine'>): string {
  return `urn:sealane:cosigned:v1 ${origin}\n${seq}\n${size}\n${base64(sha256Raw(utf8(note)))}\n${savedAt}\n`;
}

/** Saves a checkpoint that has more than the log's own signature; one that is there already is left as it is. `answers`: what saved ones are looked up in. */
export async function insertCosigned(
  { transaction, answers }: { readonly transaction: Queries; readonly answers: Queries },
  { checkpoint, signer, savedAt }: { readonly checkpoint: Checkpoint; readonly signer: NoteSigner; readonly savedAt: string },
): Promise<void> {
  const { origin, size, note } = checkpoint;
  if (parseNote(note).signatures.length < 2) {
    throw new LedgerError('LOG_WITNESS', `save checkpoint ${size}: expected a cosignature beside the log's signature, got none`);
  }
  const rows = await answers.all('SELECT note FROM cosigned WHERE size = ?', size);
  if (rows.some((row) => textAt(row, 'note') === note)) return;
  const seq = await cosignedCount(answers);
  await insertSaved(transaction, { seq, size, note, savedAt, sealLine: signer.sign(sealText(origin, { seq, size, note, savedAt })) });
}

/** Writes a row. */
export async function insertSaved(transaction: Queries, { seq, size, note, savedAt, sealLine }: SavedCheckpoint): Promise<void> {
  const values = [seq, size, note, savedAt, sealLine];
  await transaction.run('INSERT INTO cosigned(seq, size, note, saved_at, seal_line) VALUES (?, ?, ?, ?, ?)', ...values);
}

/** How many are saved: they are numbered from 0 without a gap. */
export async function cosignedCount(queries: Queries): Promise<number> {
  const last = await queries.get('SELECT seq FROM cosigned ORDER BY seq DESC LIMIT 1');
  return last === undefined ? 0 : integerAt(last, 'seq') + 1;
}

/** The saved checkpoint of the largest size, of at most `maxSize` entries where that is given; of several of one size the last saved. */
export async function latestCosigned(queries: Queries, maxSize = Number.MAX_SAFE_INTEGER): Promise<SavedCheckpoint | undefined> {
  const row = await queries.get('SELECT * FROM cosigned WHERE size <= ? ORDER BY size DESC, seq DESC LIMIT 1', maxSize);
  return row === undefined ? undefined : savedOf(row);
}

/** The first saved checkpoint whose tree holds entry `index` and that `accepts`, where given. */
export type FirstCovering = (index: number, accepts?: (note: string) => boolean) => Promise<string | null>;

/** The checkpoint that is the first for each entry from `from` on that it holds. */
interface KeptFirst {
  readonly from: number;
  readonly size: number;
  readonly note: string;
}

/** Checkpoints that are kept. */
const MAX_KEPT = 1000;

/**
 * Looks up each checkpoint once: the first one above an entry stays the first, and it is also the first for every later entry that it holds, since one
 * that was saved before and held that would have been found.
 */
export function keptFirst(queries: Queries): FirstCovering {
  let kept: readonly KeptFirst[] = [];
  return async (index, accepts) => {
    if (accepts !== undefined) return (await firstCovering(queries, index, accepts))?.note ?? null;
    // most who ask, ask about what is new
    const known = kept.findLast(({ from, size }) => from <= index && index < size);
    if (known !== undefined) return known.note;
    const found = await firstCovering(queries, index, () => true);
    if (found === undefined) return null;
    const { note, size } = found;
    const others = kept.filter((each) => each.note !== note).slice(1 - MAX_KEPT);
    kept = [...others, { from: Math.min(index, ...kept.filter((each) => each.note === note).map(({ from }) => from)), size, note }];
    return note;
  };
}

/** Checkpoints read at a time: mostly the first one does. */
const PAGE = 8;

async function firstCovering(queries: Queries, index: number, accepts: (note: string) => boolean): Promise<SavedCheckpoint | undefined> {
  for (let seq = -1; ;) {
    const rows = await queries.all('SELECT * FROM cosigned WHERE size > ? AND seq > ? ORDER BY seq LIMIT ?', index, seq, PAGE);
    const saved = rows.map(savedOf);
    const found = saved.find(({ note }) => accepts(note));
    const last = saved.at(-1);
    if (found !== undefined || last === undefined || rows.length < PAGE) return found;
    seq = last.seq;
  }
}

/** A saved checkpoint out of its row. */
export function savedOf(row: Row): SavedCheckpoint {
  return {
    seq: integerAt(row, 'seq'),
    size: integerAt(row, 'size'),
    note: textAt(row, 'note'),
    savedAt: textAt(row, 'saved_at'),
    sealLine: textAt(row, 'seal_line'),
  };
}
