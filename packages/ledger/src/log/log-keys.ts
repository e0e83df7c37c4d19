/**
 * The keys of a log: the one it began with, and those that replaced it, in order.
 *
 * A key is replaced by a row of `log_key` that the key before it signed. From its size on commits are signed by the new key only, and from its number of
 * saved checkpoints on their seals are: who finds the old key, and the database too, can add nothing behind that row.
 */
import { type Checkpoint, formatVkey, LedgerError, openNote, parseCheckpoint, parseNote, parseVkey, isBy, type Vkey } from '@sealane/core';
import type { NoteSigner } from '../note-signer.js';
import { integerAt, textAt } from '../store/rows.js';
import type { Queries } from '../store/store.js';
import { headOf } from './commits.js';
import { cosignedCount } from './cosigned.js';

/** A key of the log. Its own are the commits of more than `fromSize` entries, and the seals from the `fromCosigned`th (0-based) on. */
export interface LogKey {
  readonly vkey: Vkey;
  readonly fromSize: number;
  readonly fromCosigned: number;
}

/** Every key of a log, the first one first. There is always one. */
export type LogKeys = readonly [LogKey, ...LogKey[]];

/** A row of `log_key`. */
export interface KeyRow {
  /** 1, 2, 3 … */
  readonly id: number;
  readonly size: number;
  readonly cosigned: number;
  readonly vkey: string;
  /** RFC 3339 UTC. */
  readonly replacedAt: string;
  /** By the key before. */
  readonly line: string;
}

/** The rows, in order. */
export async function keyRows(queries: Queries): Promise<readonly KeyRow[]> {
  return (await queries.all('SELECT * FROM log_key ORDER BY id')).map((row) => ({
    id: integerAt(row, 'id'),
    size: integerAt(row, 'size'),
    cosigned: integerAt(row, 'cosigned'),
    vkey: textAt(row, 'vkey'),
    replacedAt: textAt(row, 'replaced_at'),
    line: textAt(row, 'line'),
  }));
}

/** The keys of a log that began with the key `first`. @throws CoreError `VKEY_MALFORMED` */
export async function readLogKeys(queries: Queries, first: string): Promise<LogKeys> {
  const later = (await keyRows(queries)).map(({ vkey, size, cosigned }) => ({
    vkey: parseVkey(vkey),
    fromSize: size,
    fromCosigned: cosigned,
  }));
  // -1: the empty tree is its own too
  return [{ vkey: parseVkey(first), fromSize: -1, fromCosigned: 0 }, ...later];
}

/** The key of today. */
export function newestKey(keys: LogKeys): Vkey {
  return (keys.at(-1) ?? keys[0]).vkey;
}

/** The key that signs the commit of `size` entries. */
export function commitKey(keys: LogKeys, size: number): Vkey {
  return (keys.findLast(({ fromSize }) => fromSize < size) ?? keys[0]).vkey;
}

/** The keys that may have signed while the log had `size` entries: two, where one took the other's place then. */
export function keysAt(keys: LogKeys, size: number): readonly Vkey[] {
  return keys
    .filter(({ fromSize }, at) => fromSize <= size && (keys[at + 1]?.fromSize ?? Number.MAX_SAFE_INTEGER) >= size)
    .map(({ vkey }) => vkey);
}

/** The key that seals the saved checkpoint `seq`. */
export function sealKey(keys: LogKeys, seq: number): Vkey {
  return (keys.findLast(({ fromCosigned }) => fromCosigned <= seq) ?? keys[0]).vkey;
}

/**
 * The keys that count on a checkpoint of `size` entries: that of its commit, and later ones, which sign it again when they take over.
 */
function checkpointKeys(keys: LogKeys, size: number): readonly Vkey[] {
  return keys.filter((_, at) => (keys[at + 1]?.fromSize ?? Number.MAX_SAFE_INTEGER) >= size).map(({ vkey }) => vkey);
}

/**
 * A checkpoint that this log really signed.
 *
 * @throws CoreError `NOTE_MALFORMED`, `CHECKPOINT_MALFORMED`, `NOTE_UNVERIFIED`; LedgerError `LOG_NOT_INCLUDED` of another log, not signed, or by a key
 * that was replaced before
 */
export function ownCheckpoint(note: string, keys: LogKeys): Checkpoint {
  const checkpoint = parseCheckpoint(note);
  const { name } = keys[0].vkey;
  if (checkpoint.origin !== name || openNote(note, checkpointKeys(keys, checkpoint.size)).verified.length === 0) {
    throw new LedgerError(
      'LOG_NOT_INCLUDED',
      `read a checkpoint: expected one signed by ${name}, got one of ${checkpoint.origin} without that signature`,
    );
  }
  return checkpoint;
}

/** The key that proofs under a checkpoint of this log name: the latest that signed it, since others bound an earlier one by time. */
export function proofKey(note: string, keys: LogKeys): Vkey {
  const { signatures } = parseNote(note);
  const { size } = parseCheckpoint(note);
  const found = checkpointKeys(keys, size).findLast((vkey) => signatures.some((signature) => isBy(signature, vkey)));
  return found ?? newestKey(keys);
}

/** The text under the line of a key row. */
export function keyRowText(origin: string, { id, size, cosigned, vkey, replacedAt }: Omit<KeyRow, 'line'>): string {
  return `urn:sealane:log-key:v1 ${origin}\n${id}\n${size}\n${cosigned}\n${vkey}\n${replacedAt}\n`;
}

/** Writes the row by which `signer`'s key hands over to `next`, at the size that the log has now. */
export async function insertKey(transaction: Queries, signer: NoteSigner, next: string, replacedAt: string): Promise<void> {
  const { size } = await headOf(transaction);
  const id = ((await keyRows(transaction)).at(-1)?.id ?? 0) + 1;
  const row = { id, size, cosigned: await cosignedCount(transaction), vkey: next, replacedAt };
  const line = signer.sign(keyRowText(parseVkey(signer.vkey).name, row));
  await transaction.run(
    'INSERT INTO log_key(id, size, cosigned, vkey, replaced_at, line) VALUES (?, ?, ?, ?, ?, ?)',
    id,
    size,
    row.cosigned,
    next,
    replacedAt,
    line,
  );
}

/**
 * Refuses to sign rows with a key that another process has replaced meanwhile.
 *
 * @throws LedgerError `LEDGER_MISMATCH`
 */
export async function expectKeyOfToday(transaction: Queries, keys: LogKeys): Promise<void> {
  const row = await transaction.get('SELECT vkey FROM log_key ORDER BY id DESC LIMIT 1');
  const [ours, today] = [formatVkey(newestKey(keys)), row === undefined ? formatVkey(keys[0].vkey) : textAt(row, 'vkey')];
  if (ours === today) return;
  throw new LedgerError(
    'LEDGER_MISMATCH',
    `sign for the log: expected its key of today, ${today}, got ${ours}`,
    {},
    { hint: 'its key was replaced: bring the new one to this host, as keys/log.pem' },
  );
}
