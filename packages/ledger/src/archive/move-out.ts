/**
 * Moves payloads out of the database into an archive.
 *
 * In order: pack what goes, each payload held against its leaf → copy the packs to every place, durably → offer them there under a tag → read each back from
 * each place and hold every payload against its leaf once more → in one transaction write down which pack has which entry, and remove the envelopes. Killed
 * anywhere, the database has a payload or knows a pack that was read back in every place; what is packed a second time lies there once.
 */
import { equalBytes, LedgerError, sha256 } from '@sealane/core';
import { leavesAt } from '../log/entry-rows.js';
import { expectKeyOfToday, type LogKeys } from '../log/log-keys.js';
import type { NoteSigner } from '../note-signer.js';
import { reached } from '../points.js';
import { inLists } from '../store/in-list.js';
import { bytesAt, bytesOrNullAt, integerAt } from '../store/rows.js';
import type { Queries, Store } from '../store/store.js';
import { insertPack } from './archive-rows.js';
import { copyPacks, MAX_PACKS_AT_ONCE, type PackToCopy } from './copy-packs.js';
import { decodePack, encodePack, isOfLeaf, MAX_PACK_BYTES, MAX_PACK_ENTRIES, type Payload } from './pack.js';
import { openPlace } from './place-shell.js';

/** What to move. */
export interface MoveOutWish {
  /** Entries below this index. */
  readonly before: number;
  /** Statements of these types only. */
  readonly predicateTypes: readonly string[];
  /** Places as `archivePlace` writes them, which `LedgerPlace.archive` names too; each gets every pack. */
  readonly places: readonly string[];
}

/** What was moved. `bytes` = of the packs. */
export interface MovedOut {
  readonly entries: number;
  readonly packs: number;
  readonly bytes: number;
  /** Payloads that went, in bytes. */
  readonly payloadBytes: number;
}

/** What moving works on. */
export interface Mover {
  readonly store: Store;
  readonly keys: () => LogKeys;
  readonly signer: () => NoteSigner;
  readonly now: () => string;
  /** Writes down where packs lie; durable when it returns. */
  readonly keepPlaces: (places: readonly string[]) => void;
}

/** A pack on its way. */
interface Packed extends PackToCopy {
  readonly payloads: readonly Payload[];
}

/**
 * Moves payloads; durable when it resolves. The newest entry stays, so that what comes next has a place behind it.
 *
 * @throws LedgerError `LEDGER_DAMAGED` a payload is not what its leaf is about; `ARCHIVE_UNREACHABLE`, `ARCHIVE_DAMAGED` a place does not give back what it took: of
 *   what was not moved before, nothing is removed; `LEDGER_*` of a write; OciError of a place
 */
export async function moveOut(mover: Mover, wish: MoveOutWish): Promise<MovedOut> {
  const places = await Promise.all(wish.places.map((name) => openPlace(name, 'if-missing')));
  const done = { entries: 0, packs: 0, bytes: 0, payloadBytes: 0 };
  for (let after = -1; ;) {
    const packs = await packNext(mover.store, wish, after);
    const last = packs.at(-1)?.payloads.at(-1);
    if (last === undefined) return done;
    await copyPacks(places, packs, `entries-${packs[0]?.payloads[0]?.index ?? 0}-${last.index}`);
    // a place that took nothing is not kept, and nothing is removed before it is: who reads from then on has to know where to look
    mover.keepPlaces(wish.places);
    await removeFrom(mover, packs);
    reached('ledger:moved-out');
    done.packs += packs.length;
    for (const { bytes, payloads } of packs) {
      done.bytes += bytes;
      done.entries += payloads.length;
      done.payloadBytes += payloads.reduce((sum, { payload }) => sum + payload.length, 0);
    }
    after = last.index;
  }
}

/** The next packs of entries behind `after`. */
async function packNext(store: Queries, { before, predicateTypes }: MoveOutWish, after: number): Promise<readonly Packed[]> {
  const packs: Packed[] = [];
  for (let from = after; packs.length < MAX_PACKS_AT_ONCE;) {
    const payloads = await nextPayloads(store, { before, predicateTypes, after: from });
    const last = payloads.at(-1);
    if (last === undefined) break;
    from = last.index;
    const packed = await encodePack(payloads);
    const isWhole = async (): Promise<boolean> => {
      const back = await decodePack(packed);
      return payloads.every((payload) => isSame(payload, back.get(payload.index)));
    };
    const title = `entries-${payloads[0]?.index ?? 0}-${last.index}`;
    packs.push({ digest: sha256(packed), bytes: packed.length, packed, title, isWhole, payloads });
  }
  return packs;
}

async function nextPayloads(
  store: Queries,
  { before, predicateTypes, after }: Pick<MoveOutWish, 'before' | 'predicateTypes'> & { readonly after: number },
): Promise<readonly Payload[]> {
  const rows = await store.all(
    `SELECT s.idx, length(v.payload) AS bytes FROM statement s JOIN predicate_type t ON t.id = s.predicate_type JOIN envelope v ON v.idx = s.idx
      WHERE s.idx > ? AND s.idx < ? AND s.idx < (SELECT max(idx) FROM log_entry) AND t.uri IN (${predicateTypes.map(() => '?').join(', ')})
      ORDER BY s.idx LIMIT ${MAX_PACK_ENTRIES}`,
    after,
    before,
    ...predicateTypes,
  );
  const taken: number[] = [];
  let bytes = 0;
  for (const row of rows) {
    bytes += integerAt(row, 'bytes');
    if (taken.length > 0 && bytes > MAX_PACK_BYTES) break;
    taken.push(integerAt(row, 'idx'));
  }
  return await payloadsAt(store, taken);
}

/** The payloads of entries that have an envelope, each held against its leaf. @throws LedgerError `LEDGER_DAMAGED` */
async function payloadsAt(store: Queries, indexes: readonly number[]): Promise<readonly Payload[]> {
  const payloads: Payload[] = [];
  for (const { marks, values } of inLists(indexes)) {
    const rows = await store.all(`SELECT idx, payload, timestamp FROM envelope WHERE idx IN (${marks}) ORDER BY idx`, ...values);
    for (const row of rows)
      payloads.push({ index: integerAt(row, 'idx'), payload: bytesAt(row, 'payload'), timestamp: bytesOrNullAt(row, 'timestamp') });
  }
  const leaves = await leavesAt(store, indexes);
  const wrong = payloads.find((payload) => !isOfLeaf(payload, leaves.get(payload.index) ?? new Uint8Array()));
  if (wrong === undefined) return payloads;
  throw new LedgerError('LEDGER_DAMAGED', `archive entry ${wrong.index}: expected the payload of its leaf, got another`, {
    index: wrong.index,
  });
}

function isSame(wanted: Payload, got: Payload | undefined): boolean {
  if (got === undefined || !equalBytes(wanted.payload, got.payload)) return false;
  return wanted.timestamp === null ? got.timestamp === null : got.timestamp !== null && equalBytes(wanted.timestamp, got.timestamp);
}

/** Writes packs down and removes the envelopes that they hold, as long as these are as they were packed. */
async function removeFrom({ store, keys, signer, now }: Mover, packs: readonly Packed[]): Promise<void> {
  await store.write(async (transaction) => {
    await expectKeyOfToday(transaction, keys());
    for (const { digest, bytes, payloads } of packs) {
      const indexes = payloads.map(({ index }) => index);
      const there = new Map((await payloadsAt(transaction, indexes)).map((payload) => [payload.index, payload]));
      const gone = payloads.find((payload) => !isSame(payload, there.get(payload.index)));
      if (gone !== undefined)
        throw new LedgerError('LEDGER_BUSY', `archive entry ${gone.index}: expected its envelope as it was packed, got none or another`);
      await insertPack(transaction, { signer: signer(), pack: { digest, bytes }, indexes, packedAt: now() });
      for (const { marks, values } of inLists(indexes)) await transaction.run(`DELETE FROM envelope WHERE idx IN (${marks})`, ...values);
    }
    reached('ledger:envelopes-removed');
  });
}
