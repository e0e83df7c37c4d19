/** Rows of `archive_pack`, `archived` and `erased`: where payloads are that have no envelope any more. What is packed of documents is in `documents.ts`. */
import { base64, type Digest, digestFromHex, digestHex, fromHex, hex, parseVkey } from '@sealane/core';
import { headOf } from '../log/commits.js';
import type { NoteSigner } from '../note-signer.js';
import { inLists } from '../store/in-list.js';
import { bytesAt, integerAt, textAt } from '../store/rows.js';
import type { Queries, Row } from '../store/store.js';
import { packedEntries } from './pack.js';
import type { PackName } from './place-shell.js';

/** A row of `archive_pack`, signed by the key of the log's size then. */
export interface PackRow extends PackName {
  /** 1, 2, 3 … */
  readonly id: number;
  /** `packedEntries` or `packedDocuments` of what it holds. */
  readonly entries: Uint8Array;
  /** Size of the log when it was packed. */
  readonly size: number;
  /** RFC 3339 UTC. */
  readonly packedAt: string;
  readonly line: string;
}

/** A pack out of its row. */
export function packOf(row: Row): PackRow {
  return {
    id: integerAt(row, 'id'),
    digest: digestFromHex(hex(bytesAt(row, 'digest'))),
    bytes: integerAt(row, 'bytes'),
    entries: bytesAt(row, 'entries'),
    size: integerAt(row, 'size'),
    packedAt: textAt(row, 'packed_at'),
    line: textAt(row, 'line'),
  };
}

/** The text under the line of a pack. */
export function packText(origin: string, { id, digest, bytes, entries, size, packedAt }: Omit<PackRow, 'line'>): string {
  return `urn:sealane:archive-pack:v1 ${origin}\n${id}\n${digest}\n${bytes}\n${base64(entries)}\n${size}\n${packedAt}\n`;
}

/** A pack to be written down; `entries` as in its row. */
export interface NewPack {
  readonly signer: NoteSigner;
  readonly pack: PackName;
  readonly entries: Uint8Array;
  readonly packedAt: string;
}

/** Writes down which pack holds which entries. */
export async function insertPack(
  transaction: Queries,
  { indexes, ...pack }: Omit<NewPack, 'entries'> & { readonly indexes: readonly number[] },
): Promise<void> {
  const id = await insertPackRow(transaction, { ...pack, entries: packedEntries(indexes) });
  for (const index of indexes) await transaction.run('INSERT INTO archived(idx, pack) VALUES (?, ?)', index, id);
}

/** Writes down a pack; the id that what it holds refers to. */
export async function insertPackRow(transaction: Queries, { signer, pack, entries, packedAt }: NewPack): Promise<number> {
  const last = await transaction.get('SELECT coalesce(max(id), 0) AS id FROM archive_pack');
  const id = 1 + (last === undefined ? 0 : integerAt(last, 'id'));
  const row = { id, digest: pack.digest, bytes: pack.bytes, entries, size: (await headOf(transaction)).size, packedAt };
  const line = signer.sign(packText(parseVkey(signer.vkey).name, row));
  await transaction.run(
    'INSERT INTO archive_pack(id, digest, bytes, entries, size, packed_at, line) VALUES (?, ?, ?, ?, ?, ?, ?)',
    id,
    rawDigest(pack.digest),
    pack.bytes,
    row.entries,
    row.size,
    packedAt,
    line,
  );
  return id;
}

/** Where the payload of an entry is that has no envelope: in a pack, or gone by the entry `erasure`. */
export type Elsewhere = { readonly pack: PackName } | { readonly erasure: number };

/** Where the payloads of these entries are; of those that are nowhere there is none. What was erased is not looked for in packs. */
export async function whereabouts(queries: Queries, indexes: readonly number[]): Promise<ReadonlyMap<number, Elsewhere>> {
  const found = new Map<number, Elsewhere>();
  for (const { marks, values } of inLists(indexes)) {
    // the newest pack of an entry comes last
    const packs = await queries.all(
      `SELECT a.idx, p.digest, p.bytes FROM archived a JOIN archive_pack p ON p.id = a.pack WHERE a.idx IN (${marks}) ORDER BY a.pack`,
      ...values,
    );
    for (const row of packs) found.set(integerAt(row, 'idx'), { pack: nameOf(row) });
    const erased = await queries.all(`SELECT idx, erasure FROM erased WHERE idx IN (${marks})`, ...values);
    for (const row of erased) found.set(integerAt(row, 'idx'), { erasure: integerAt(row, 'erasure') });
  }
  return found;
}

/** Digest and length of a pack. */
export function nameOf(row: Row): PackName {
  return { digest: digestFromHex(hex(bytesAt(row, 'digest'))), bytes: integerAt(row, 'bytes') };
}

/** A digest as columns have it. */
export function rawDigest(digest: Digest): Uint8Array {
  return fromHex(digestHex(digest));
}
