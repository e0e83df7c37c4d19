/** Release statements about releases: found by what statements are about, since releases have no index of their own for it, and there are ever more of them. */
import { type Digest, digestHex, fromHex, PREDICATE } from '@sealane/core';
import { inLists } from '../store/in-list.js';
import type { Queries } from '../store/store.js';
import { type ReleaseRecord, records } from './records.js';

/** The statements that make these releases, in log order. */
export async function releasesBeing(queries: Queries, releases: readonly Digest[]): Promise<readonly ReleaseRecord[]> {
  const found: ReleaseRecord[] = [];
  for (const { marks, values } of inLists(releases.map((release) => fromHex(digestHex(release))))) {
    const rows = await queries.all(
      `SELECT p.*, e.statement, k.key_id AS signer, a.digest FROM artifact a
        JOIN subject o ON o.artifact = a.id JOIN predicate_type t ON t.id = o.predicate_type JOIN release p ON p.idx = o.idx AND p.artifact = a.id
        JOIN log_entry e ON e.idx = p.idx JOIN statement s ON s.idx = p.idx JOIN key_seen k ON k.id = s.key
        WHERE a.digest IN (${marks}) AND t.uri = ?`,
      ...values,
      PREDICATE.release,
    );
    found.push(...rows.map(records.release));
  }
  return found.sort((left, right) => left.index - right.index);
}
