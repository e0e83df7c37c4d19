/** Documents that a question reads and that are in the archive: fetched, and the question asked once more. */
import { type Digest, PREDICATE } from '@sealane/core';
import type { AuditContext } from './context.js';

/**
 * Runs `work`; when it missed blobs that were archived, fetches these and runs it anew, until it misses none of them. Nearly always it runs once.
 *
 * @throws LedgerError `ARCHIVE_UNREACHABLE`, `ARCHIVE_DAMAGED`: an answer without them would be another; and as `work`
 */
export async function withArchived<T>(context: AuditContext, work: (context: AuditContext) => Promise<T>): Promise<T> {
  const fetched = new Map<Digest, Uint8Array>();
  const asked = new Set<Digest>();
  for (;;) {
    const missed = new Set<Digest>();
    const readBlob = (digest: Digest): Uint8Array | undefined => {
      const bytes = context.readBlob(digest) ?? fetched.get(digest);
      if (bytes === undefined && !asked.has(digest)) missed.add(digest);
      return bytes;
    };
    const answer = await work({ ...context, readBlob });
    for (const digest of missed.size === 0 ? [] : await context.ledger.documentsArchived([...missed])) {
      asked.add(digest);
      // what was erased is told to be, whatever an old copy of the archive has
      if ((await context.ledger.statementsAbout(digest, PREDICATE.erasure)).length > 0) continue;
      const bytes = await context.ledger.archivedDocument(digest);
      if (bytes !== undefined) fetched.set(digest, bytes);
    }
    if (![...missed].some((digest) => fetched.has(digest))) return answer;
  }
}
