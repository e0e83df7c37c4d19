/** Rows of entries whose envelope is not in the database: what they say is fetched from the archive, and what was erased is said to be. */
import { LedgerError } from '@sealane/core';
import { leafAt } from '../log/leaf-row.js';
import { integerAt } from '../store/rows.js';
import type { Queries, Row } from '../store/store.js';
import { whereabouts } from './archive-rows.js';
import { isOfLeaf } from './pack.js';
import type { Archive } from './read-packs.js';

/** Rows with a leaf and a payload, in the order in which they came: those with a payload, and those that were erased, with the entry that ordered it. */
export type FilledRow = { readonly row: Row; readonly erasure?: undefined } | { readonly row: Row; readonly erasure: number };

/** Brings the payloads of rows of which some have none; every row has `idx`, `leaf`, `payload` and `timestamp`. */
export type FillIn = (queries: Queries, rows: readonly Row[]) => Promise<readonly FilledRow[]>;

/**
 * Fills rows in from an archive.
 *
 * @throws LedgerError (the function) `LEDGER_DAMAGED` an envelope that is nowhere; `ARCHIVE_UNREACHABLE`, `ARCHIVE_DAMAGED` also where a pack has other bytes
 *   for an entry than its leaf is about
 */
export function fillFrom(archive: Archive): FillIn {
  return async (queries, rows) => {
    const absent = rows.filter(({ payload }) => payload === null).map((row) => integerAt(row, 'idx'));
    if (absent.length === 0) return rows.map((row) => ({ row }));
    const places = await whereabouts(queries, absent);
    const filled: FilledRow[] = [];
    for (const row of rows) {
      const index = integerAt(row, 'idx');
      const place = row['payload'] === null ? places.get(index) : undefined;
      if (row['payload'] !== null) filled.push({ row });
      else if (place === undefined)
        throw new LedgerError('LEDGER_DAMAGED', `read entry ${index}: expected its envelope, or where it was moved to, got neither`, {
          index,
        });
      else if ('erasure' in place) filled.push({ row, erasure: place.erasure });
      else filled.push({ row: { ...row, ...ofEntry(await archive.read(place.pack), row, place.pack.digest) } });
    }
    return filled;
  };
}

function ofEntry(pack: Awaited<ReturnType<Archive['read']>>, row: Row, digest: string): Row {
  const index = integerAt(row, 'idx');
  const found = pack.get(index);
  if (found !== undefined && isOfLeaf(found, leafAt(row))) return { payload: found.payload, timestamp: found.timestamp };
  const got = found === undefined ? 'none' : 'another';
  throw new LedgerError('ARCHIVE_DAMAGED', `read entry ${index} in pack ${digest}: expected the payload of its leaf, got ${got}`, {
    index,
  });
}
