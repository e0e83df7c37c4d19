/**
 * The newest checkpoint of this log that anybody outside may hold, kept beside the database and not in it.
 *
 * Whoever restores an old backup of the database gets a log that would sign another history: a fork. The anchor remembers how far the log
 * had come, so the restored log refuses (DESIGN, Deployment: it never signs again under that origin).
 */
import { readFileSync } from 'node:fs';
import { type Checkpoint, LedgerError, LIMITS, SealaneError, utf8, type Vkey } from '@sealane/core';
import { writeDurably } from '../durable-write.js';
import { reached } from '../points.js';
import type { Queries } from '../store/store.js';
import { headOf } from './commits.js';
import { isOurPast, latestCosigned, ownCheckpoint } from './cosigned.js';

/** A file that holds one checkpoint. */
export interface Anchor {
  /** The checkpoint kept, undefined before the first. */
  newest(): Checkpoint | undefined;
  /** Keeps another one durably. */
  keep(checkpoint: Checkpoint): void;
}

/** Opens the anchor of a ledger file. @throws LedgerError `LEDGER_DAMAGED` it holds no checkpoint of this log */
export function openAnchor(ledgerFile: string, vkey: Vkey): Anchor {
  const path = `${ledgerFile}.anchor`;
  let newest = readAnchor(path, vkey);
  return {
    newest: () => newest,
    keep: (checkpoint) => {
      if (newest?.note === checkpoint.note) return;
      writeDurably({ path, bytes: utf8(checkpoint.note), mode: 0o600 });
      newest = checkpoint;
      reached('ledger:anchored');
    },
  };
}

function readAnchor(path: string, vkey: Vkey): Checkpoint | undefined {
  let note: string;
  try {
    note = readFileSync(path, 'utf8').slice(0, LIMITS.checkpointBytes);
  } catch (error) {
    // a ledger without witnessed checkpoints has none
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return ownCheckpoint(note, vkey);
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    throw new LedgerError('LEDGER_DAMAGED', `read anchor ${path}: expected a checkpoint of this log, got: ${cause.message}`, {}, { cause });
  }
}

/**
 * Refuses to go on when the log is not an extension of all that it has shown: the anchor, and the last cosigned checkpoint saved in it.
 *
 * @throws LedgerError `LOG_RESTORED` shorter; `LOG_FORK` as long, with another root
 */
export async function expectNotRestored(queries: Queries, anchor: Anchor): Promise<void> {
  const saved = await latestCosigned(queries);
  const head = await headOf(queries);
  const newest = anchor.newest();
  if (saved !== undefined && saved.size > head.size) throw restored(saved.size, head.size);
  if (newest !== undefined && !(await isOurPast(queries, newest))) throw await contradiction(queries, newest);
}

/**
 * Takes note of a checkpoint of this log that somebody outside holds (a witness, the published lane). When the log here is not an extension of
 * it, that is kept for good, and this ledger never signs again.
 *
 * @throws LedgerError `LOG_RESTORED`, `LOG_FORK`, `LOG_NOT_INCLUDED` not signed by this log
 */
export async function observe(queries: Queries, anchor: Anchor, checkpoint: Checkpoint): Promise<void> {
  const ours = await isOurPast(queries, checkpoint);
  if (!ours || checkpoint.size > (anchor.newest()?.size ?? 0)) anchor.keep(checkpoint);
  if (!ours) throw await contradiction(queries, checkpoint);
}

async function contradiction(queries: Queries, checkpoint: Checkpoint): Promise<LedgerError> {
  const head = await headOf(queries);
  if (checkpoint.size > head.size) return restored(checkpoint.size, head.size);
  const message = `sign for ${checkpoint.origin}: the log has already shown another tree of ${checkpoint.size} entries than the one in this ledger`;
  return new LedgerError('LOG_FORK', message, { size: checkpoint.size });
}

function restored(shown: number, size: number): LedgerError {
  return new LedgerError(
    'LOG_RESTORED',
    `sign for the log: expected at least the ${shown} entries that it has shown, got a ledger of ${size}`,
    { shown, size },
  );
}
