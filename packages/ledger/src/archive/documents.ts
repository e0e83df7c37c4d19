/**
 * Documents in an archive: reports, inventories and descriptions that test results name, which lie in a lane's content and not in the database. A pack of them is a
 * gzipped tar of `sha256-HEX`, each of which is what its name says. The rows say which pack has which; what the caller does with his copy is his.
 */
import { type Digest, digestFromHex, digestHex, hex, LedgerError, LIMITS, sha256, sha256Raw, utf8 } from '@sealane/core';
import { expectKeyOfToday } from '../log/log-keys.js';
import { reached } from '../points.js';
import { inLists } from '../store/in-list.js';
import { bytesAt } from '../store/rows.js';
import type { Queries } from '../store/store.js';
import { insertPackRow, nameOf, rawDigest } from './archive-rows.js';
import { copyPacks, MAX_PACKS_AT_ONCE, type PackToCopy } from './copy-packs.js';
import type { MovedOut, Mover } from './move-out.js';
import { damaged, filesIn, MAX_PACK_BYTES, MAX_PACK_ENTRIES, packFiles } from './pack.js';
import { openPlace, type PackName } from './place-shell.js';

/** Unpacked: the largest document beside a full pack, and the tar's own blocks. */
const MAX_UNPACKED_BYTES = LIMITS.evidenceBlobBytes + MAX_PACK_BYTES + MAX_PACK_ENTRIES * 4096;

/** What to pack. */
export interface MoveDocumentsWish {
  readonly documents: readonly Digest[];
  /** A document, checked against its digest; one that is not there any more is passed over. */
  readonly read: (digest: Digest) => Uint8Array | undefined;
  /** Places as for payloads; each gets every pack. */
  readonly places: readonly string[];
  /** Told of documents that are in the archive from now on: durable, and written down. */
  readonly moved: (documents: readonly Digest[]) => void;
}

/** A pack on its way. */
interface PackedDocuments extends PackToCopy {
  readonly documents: readonly Digest[];
  readonly documentBytes: number;
}

/** Packs documents, in the order of `moveOut`: nothing is told as moved that was not read back from every place. @throws as `moveOut` */
export async function moveDocumentsOut(mover: Mover, wish: MoveDocumentsWish): Promise<MovedOut> {
  const places = await Promise.all(wish.places.map((name) => openPlace(name, 'if-missing')));
  const done = { entries: 0, packs: 0, bytes: 0, payloadBytes: 0 };
  const open = [...wish.documents];
  while (open.length > 0) {
    const packs = await packNext(open, wish.read);
    if (packs.length === 0) break;
    await copyPacks(places, packs, `documents-${packs.reduce((sum, { documents }) => sum + documents.length, 0)}`);
    mover.keepPlaces(wish.places);
    await writeDown(mover, packs);
    reached('ledger:moved-out');
    wish.moved(packs.flatMap(({ documents }) => documents));
    done.packs += packs.length;
    for (const { bytes, documents, documentBytes } of packs) {
      done.bytes += bytes;
      done.entries += documents.length;
      done.payloadBytes += documentBytes;
    }
  }
  return done;
}

/** Takes the next documents off `open`. */
async function packNext(open: Digest[], read: MoveDocumentsWish['read']): Promise<readonly PackedDocuments[]> {
  const packs: PackedDocuments[] = [];
  while (packs.length < MAX_PACKS_AT_ONCE && open.length > 0) {
    const taken = new Map<Digest, Uint8Array>();
    let bytes = 0;
    for (let next = open[0]; next !== undefined && taken.size < MAX_PACK_ENTRIES; next = open[0]) {
      const content = read(next);
      if (content !== undefined && taken.size > 0 && bytes + content.length > MAX_PACK_BYTES) break;
      open.shift();
      if (content === undefined) continue;
      taken.set(next, content);
      bytes += content.length;
    }
    if (taken.size > 0) packs.push(await packed(taken, bytes));
  }
  return packs;
}

async function packed(taken: ReadonlyMap<Digest, Uint8Array>, documentBytes: number): Promise<PackedDocuments> {
  const bytes = await packFiles([...taken].map(([digest, content]) => [`sha256-${digestHex(digest)}`, content]));
  const isWhole = async (): Promise<boolean> => {
    const back = await decodeDocuments(bytes);
    return [...taken.keys()].every((digest) => back.has(digest));
  };
  const digest = sha256(bytes);
  const title = `documents-${digestHex(digest).slice(0, 16)}`;
  return { digest, bytes: bytes.length, packed: bytes, title, isWhole, documents: [...taken.keys()], documentBytes };
}

async function writeDown({ store, keys, signer, now }: Mover, packs: readonly PackedDocuments[]): Promise<void> {
  await store.write(async (transaction) => {
    await expectKeyOfToday(transaction, keys());
    for (const { digest, bytes, documents } of packs) {
      const entries = packedDocuments(documents);
      const id = await insertPackRow(transaction, { signer: signer(), pack: { digest, bytes }, entries, packedAt: now() });
      for (const [n, document] of documents.entries())
        await transaction.run('INSERT INTO archived_document(pack, n, digest) VALUES (?, ?, ?)', id, n, rawDigest(document));
    }
  });
}

/** Reads a pack of documents whose digest has been checked. @throws LedgerError `ARCHIVE_DAMAGED` it is none, or has one that is not what its name says */
export async function decodeDocuments(bytes: Uint8Array): Promise<ReadonlyMap<Digest, Uint8Array>> {
  const documents = new Map<Digest, Uint8Array>();
  for (const [name, content] of await filesIn(bytes, MAX_UNPACKED_BYTES)) {
    const digest = sha256(content);
    if (name !== `sha256-${digestHex(digest)}` || documents.has(digest))
      throw damaged(`sha256-HEX, each once and what its name says, got ${JSON.stringify(name.slice(0, 80))}`);
    documents.set(digest, content);
  }
  return documents;
}

/** The digest of the names of documents, in their own order: it binds the rows of `archived_document` to their pack. */
export function packedDocuments(documents: readonly Digest[]): Uint8Array {
  return sha256Raw(utf8([...documents].sort().join('\n')));
}

/** Which of these were packed. */
export async function documentsArchived(queries: Queries, documents: readonly Digest[]): Promise<ReadonlySet<Digest>> {
  const found = new Set<Digest>();
  for (const { marks, values } of inLists(documents.map(rawDigest)))
    for (const row of await queries.all(`SELECT DISTINCT digest FROM archived_document WHERE digest IN (${marks})`, ...values))
      found.add(digestFromHex(hex(bytesAt(row, 'digest'))));
  return found;
}

/**
 * A document out of the newest pack that a place has of it; undefined where it was never packed.
 *
 * @throws LedgerError `ARCHIVE_UNREACHABLE` it may be in a place that was not reached; `ARCHIVE_DAMAGED` no place has a pack of it as it was
 */
export async function documentIn(queries: Queries, read: ReadDocuments, digest: Digest): Promise<Uint8Array | undefined> {
  const rows = await queries.all(
    'SELECT p.digest, p.bytes FROM archived_document a JOIN archive_pack p ON p.id = a.pack WHERE a.digest = ? ORDER BY p.id DESC',
    rawDigest(digest),
  );
  let failure: LedgerError | undefined;
  for (const pack of rows.map(nameOf)) {
    try {
      const content = (await read(pack)).get(digest);
      if (content !== undefined) return content;
      failure ??= damaged(`${digest} in ${pack.digest}, got none`);
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      // what an older pack has counts as well; a place that was not reached may have the newest
      if (failure?.code !== 'ARCHIVE_UNREACHABLE') failure = error;
    }
  }
  if (failure !== undefined) throw failure;
  return undefined;
}

/** Reads a pack of documents from the first place that has it. */
export type ReadDocuments = (pack: PackName) => Promise<ReadonlyMap<Digest, Uint8Array>>;
