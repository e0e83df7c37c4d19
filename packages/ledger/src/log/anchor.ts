/**
 * The newest checkpoint of this log that anybody outside may hold, kept beside the database and not in it.
 *
 * Whoever restores an old backup of the database gets a log that would sign another history: a fork. The anchor remembers how far the log
 * had come, so the restored log refuses (DESIGN, Deployment: it never signs again under that origin).
 */
import { readFileSync } from 'node:fs';
import { type Checkpoint, equalBytes, LedgerError, LIMITS, SealaneError, utf8 } from '@sealane/core';
import { writeDurably } from '../durable-write.js';
import { reached } from '../points.js';
import { anchorOf } from '../store/place.js';
import { asLedgerError } from '../store/sqlite-errors.js';
import type { Queries, Store } from '../store/store.js';
import { type Head, headOf } from './commits.js';
import { isOurPast, latestCosigned } from './cosigned.js';
import { type LogKeys, ownCheckpoint } from './log-keys.js';

/** A file that holds one checkpoint. It is read and replaced inside write transactions only: their lock keeps two processes apart. */
export interface Anchor {
  /** The checkpoint kept, undefined before the first. While it does not change the same object. */
  newest(): Checkpoint | undefined;
  /** Whether this process found a log with this head to extend the checkpoint that is kept: the same head is the same log. */
  isHeldBy(head: Head): boolean;
  /** Takes note that a log with this head extends `shown`, which was kept at that time. */
  hold(head: Head, shown: Checkpoint | undefined): void;
  /** Keeps another one durably. @throws LedgerError `LEDGER_WRITE_FAILED` */
  keep(checkpoint: Checkpoint): void;
}

/** Opens the anchor of a ledger file; `keys` are asked for each time, since a log may get another. @throws LedgerError `LEDGER_DAMAGED` it holds no checkpoint of this log; `LEDGER_UNREADABLE` */
export function openAnchor(ledgerFile: string, keys: () => LogKeys): Anchor {
  const path = anchorOf(ledgerFile);
  let known: Checkpoint | undefined;
  const newest = (): Checkpoint | undefined => {
    const note = readNote(path);
    // verified once: another process may have replaced it since
    if (note !== known?.note) known = note === undefined ? undefined : anchoredCheckpoint(path, note, keys());
    return known;
  };
  let held: { readonly head: Head; readonly shown: Checkpoint | undefined } | undefined;
  newest();
  return {
    newest,
    isHeldBy: ({ size, root }) => held?.head.size === size && equalBytes(held.head.root, root) && held.shown === newest(),
    hold: (head, shown) => {
      held = { head, shown };
    },
    keep: (checkpoint) => {
      if (newest()?.note === checkpoint.note) return;
      writeDurably({ path, bytes: utf8(checkpoint.note), mode: 0o600 });
      known = checkpoint;
      reached('ledger:anchored');
    },
  };
}

function readNote(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').slice(0, LIMITS.checkpointBytes);
  } catch (error) {
    // a ledger without witnessed checkpoints has none
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw asLedgerError(error, `read anchor ${path}`);
  }
}

function anchoredCheckpoint(path: string, note: string, keys: LogKeys): Checkpoint {
  try {
    return ownCheckpoint(note, keys);
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    throw new LedgerError('LEDGER_DAMAGED', `read anchor ${path}: expected a checkpoint of this log, got: ${cause.message}`, {}, { cause });
  }
}

/**
 * Refuses to go on when the log is not an extension of all that it has shown: the anchor, which is returned, and the last cosigned checkpoint saved in it.
 *
 * @throws LedgerError `LOG_RESTORED` shorter; `LOG_FORK` as long, with another root
 */
export async function expectNotRestored(queries: Queries, anchor: Anchor): Promise<Checkpoint | undefined> {
  const head = await headOf(queries);
  const newest = anchor.newest();
  if (anchor.isHeldBy(head)) return newest;
  const saved = await latestCosigned(queries);
  if (saved !== undefined && saved.size > head.size) throw restored(saved.size, head.size);
  if (newest !== undefined && !(await isOurPast(queries, newest))) throw await contradiction(queries, newest);
  anchor.hold(head, newest);
  return newest;
}

/**
 * Takes note of a checkpoint of this log that somebody outside holds (a witness, the published lane). When the log here is not an extension of
 * it, that is kept for good, and this ledger never signs again.
 *
 * @throws LedgerError `LOG_RESTORED`, `LOG_FORK`, `LOG_NOT_INCLUDED` not signed by this log
 */
export async function observe(transaction: Queries, anchor: Anchor, checkpoint: Checkpoint): Promise<void> {
  // what was kept for good is not replaced by a checkpoint that happens to fit
  const newest = await expectNotRestored(transaction, anchor);
  // held against it already
  if (newest?.note === checkpoint.note) return;
  const head = await headOf(transaction);
  const ours = checkpoint.size === head.size ? equalBytes(checkpoint.root, head.root) : await isOurPast(transaction, checkpoint);
  // another may have been kept meanwhile
  if (!ours || checkpoint.size > (anchor.newest()?.size ?? 0)) anchor.keep(checkpoint);
  if (!ours) throw await contradiction(transaction, checkpoint);
  const kept = anchor.newest();
  if (kept?.note === checkpoint.note) anchor.hold(head, kept);
}

/** Brings an anchor that is missing, or that a kill left behind the last cosigned checkpoint, up to that one. */
export async function catchUp(store: Store, anchor: Anchor, keys: LogKeys): Promise<void> {
  const saved = await latestCosigned(store);
  if (saved === undefined || saved.size <= (anchor.newest()?.size ?? 0)) return;
  await store.write(async (transaction) => {
    const newest = anchor.newest();
    if (newest === undefined || (newest.size < saved.size && (await isOurPast(transaction, newest)))) {
      anchor.keep(ownCheckpoint(saved.note, keys));
    }
  });
}

async function contradiction(queries: Queries, checkpoint: Checkpoint): Promise<LedgerError> {
  const head = await headOf(queries);
  if (checkpoint.size > head.size) return restored(checkpoint.size, head.size);
  const message = `sign for ${checkpoint.origin}: the log has already shown another tree of ${checkpoint.size} entries than the one in this ledger`;
  return new LedgerError('LOG_FORK', message, { size: checkpoint.size });
}

/** Says that a log is shorter than it was. */
export function restored(shown: number, size: number): LedgerError {
  return new LedgerError(
    'LOG_RESTORED',
    `sign for the log: expected at least the ${shown} entries that it has shown, got a ledger of ${size}`,
    { shown, size },
  );
}
