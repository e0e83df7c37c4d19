/**
 * Documents of test results, in `lane/content` or in the archive: which may go there, how they come back, and how they are read where they are away. What a channel
 * offers, its sites read: it stays, and comes back before a waybill lists it. Where the archive cannot be reached nothing is decided.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Digest, digestHex, isDigest, LedgerError, LIMITS, PREDICATE, PromoterError, type Statement } from '@sealane/core';
import type { Ledger, LedgerEntry, MovedOut, PastLedger } from '@sealane/ledger';
import { namedBlobs, parseWaybill } from '@sealane/trust';
import { type ContentPlace, readBlob } from '../content.js';
import { durableWrite, PUBLIC_FILE, removeFiles } from '../disk-shell.js';
import { statementOf } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';

/** What documents are read from. */
export interface DocumentSource extends ContentPlace {
  readonly ledger: Pick<PastLedger, 'documentsArchived' | 'archivedDocument' | 'statementsAbout'>;
}

/** Statements that name documents. */
type Naming = Pick<Statement, 'predicateType' | 'predicate'>;

/** Statements that name an inventory beside test results: it stays, as they do. */
const RIGS: readonly string[] = [PREDICATE.rig, PREDICATE.rigRebuild];

/** The same place, where the documents of these statements are read that are in the archive only. @throws LedgerError `ARCHIVE_UNREACHABLE`, `ARCHIVE_DAMAGED` */
export async function withDocuments<T extends DocumentSource>(place: T, statements: readonly Naming[]): Promise<T> {
  const away = await documentsAway(place, statements);
  return away.size === 0 ? place : { ...place, blobs: new Map([...(place.blobs ?? []), ...away]) };
}

/** Puts the documents of these statements back into content; those that are there, or were erased, are passed over. Durable when it resolves. @throws as `withDocuments` */
export async function bringBack({ home, ledger }: DocumentSource, statements: readonly Naming[]): Promise<number> {
  const away = await documentsAway({ home, ledger }, statements);
  for (const [digest, bytes] of away) durableWrite(blobFile(home.content, digest), bytes, PUBLIC_FILE);
  return away.size;
}

async function documentsAway(place: DocumentSource, statements: readonly Naming[]): Promise<ReadonlyMap<Digest, Uint8Array>> {
  const found = new Map<Digest, Uint8Array>();
  const { home, blobs, ledger } = place;
  // most lanes have them all: nothing is asked then
  const missing = [...new Set(statements.flatMap(namedBlobs))].filter(
    (digest) => blobs?.has(digest) !== true && !existsSync(blobFile(home.content, digest)),
  );
  for (const digest of missing.length === 0 ? [] : await ledger.documentsArchived(missing)) {
    // what was erased does not come back, whatever an old copy of the archive has
    if ((await ledger.statementsAbout(digest, PREDICATE.erasure)).length > 0) continue;
    const bytes = await ledger.archivedDocument(digest);
    if (bytes !== undefined) found.set(digest, bytes);
  }
  return found;
}

/**
 * Moves documents into the archive that test results below entry `before` name, and none from there on, no rig's record and no waybill that a channel offers.
 * Killed anywhere, a document is in content or in every place of the archive; the same call goes on.
 *
 * @throws as `Ledger.moveDocumentsOut`; PromoterError `CONTENT_MISSING` the waybill of a channel is not there
 */
export async function archiveDocuments(promoter: Promoter, before: number, places: readonly string[]): Promise<MovedOut> {
  const { home, ledger } = promoter;
  const results = await resultsOf(ledger);
  const needed = new Set([
    ...results.filter(({ index }) => index >= before).flatMap(({ statement }) => namedBlobs(statement)),
    ...(await ledger.statementsOf(RIGS)).map((entry) => statementOf(entry).predicate['inventory']).filter(isDigest),
    ...offered(promoter),
  ]);
  const old = results.filter(({ index }) => index < before).flatMap(({ statement }) => namedBlobs(statement));
  return await ledger.moveDocumentsOut({
    documents: [...new Set(old)].filter((digest) => !needed.has(digest)),
    read: (digest) => readBlob({ home }, digest),
    places,
    moved: (documents) => {
      removeFiles(documents.map((digest) => blobFile(home.content, digest)));
    },
  });
}

/** Brings back the documents of the test results from entry `from` to below `to`; how many. @throws as `withDocuments` */
export async function thawDocuments(promoter: Promoter, { from, to }: { readonly from: number; readonly to: number }): Promise<number> {
  const results = (await resultsOf(promoter.ledger)).filter(({ index }) => index >= from && index < to);
  let count = 0;
  // one after the other: an inventory may be large, and there may be many
  for (const { statement } of results) count += await bringBack(promoter, [statement]);
  return count;
}

/** Refuses to erase a document that a pack would bring back. One that no place has any more does not. @throws PromoterError `STATEMENT_ARCHIVED`; LedgerError `ARCHIVE_UNREACHABLE` */
export async function expectInNoPack({ ledger }: Pick<Promoter, 'ledger'>, documents: readonly Digest[]): Promise<void> {
  for (const digest of await ledger.documentsArchived(documents)) {
    if (!(await isInPack(ledger, digest))) continue;
    throw new PromoterError('STATEMENT_ARCHIVED', `erase ${digest}: expected it in no pack of the archive, got it in one`, { digest });
  }
}

async function isInPack(ledger: Ledger, digest: Digest): Promise<boolean> {
  try {
    return (await ledger.archivedDocument(digest)) !== undefined;
  } catch (error) {
    // all its places were asked, and none has it
    if (error instanceof LedgerError && error.code === 'ARCHIVE_DAMAGED') return false;
    throw error;
  }
}

/** All test results; those that were erased name nothing any more. */
async function resultsOf(ledger: Ledger): Promise<readonly LedgerEntry[]> {
  return await ledger.noting(() => undefined).statementsOf([PREDICATE.testResult]);
}

/** What waybills list that a channel offers, now or on the way back. */
function offered(promoter: Promoter): readonly Digest[] {
  const choices = [...promoter.lane.stages.keys()].flatMap((stage) => {
    const { groups, rollback } = stageOf(promoter, stage).channel;
    return [...groups, ...rollback];
  });
  return choices.flatMap(({ waybill }) => {
    const bytes = readBlob(promoter, waybill);
    if (bytes !== undefined && bytes.length <= LIMITS.waybillBytes) return parseWaybill(bytes).blobs.map(({ digest }) => digest);
    throw new PromoterError('CONTENT_MISSING', `archive documents: expected waybill ${waybill} of a channel, got nothing`, { waybill });
  });
}

function blobFile(content: string, digest: Digest): string {
  return path.join(content, 'blobs', 'sha256', digestHex(digest));
}
