/** Where payloads are that have no envelope: packs signed by the log's key, each with the entries that it was made of, and erasures that name what they erased. */
import { digestFromHex, equalBytes, hex } from '@sealane/core';
import { packOf, packText } from '../archive/archive-rows.js';
import { packedDocuments } from '../archive/documents.js';
import type { ErasedRow } from '../archive/erased-rows.js';
import { packedEntries } from '../archive/pack.js';
import { keysAt, type LogKeys } from '../log/log-keys.js';
import { bytesAt, integerAt } from '../store/rows.js';
import type { Queries } from '../store/store.js';
import { isLineOver } from './commit-rows.js';
import type { Problems } from './report.js';

/** What is checked beside what the entries themselves showed. */
export interface ArchiveCheck {
  readonly keys: LogKeys;
  /** Entries of the log. */
  readonly size: number;
  readonly erased: ReadonlyMap<number, ErasedRow>;
  readonly problems: Problems;
}

/** Checks every row of `archive_pack`, `archived`, `archived_document` and `erased`. What the packs hold is checked with their entries; no check needs a document. */
export async function checkArchiveRows(view: Queries, check: ArchiveCheck): Promise<void> {
  const { keys, size, erased, problems } = check;
  let expected = 1;
  for (const row of await view.all('SELECT * FROM archive_pack ORDER BY id')) {
    const pack = packOf(row);
    if (pack.id !== expected) problems.add('archive', expected, `a pack before ${pack.id}`, 'no row');
    expected = pack.id + 1;
    const indexes = (await view.all('SELECT idx FROM archived WHERE pack = ? ORDER BY idx', pack.id)).map((each) => integerAt(each, 'idx'));
    const rows = await view.all('SELECT n, digest FROM archived_document WHERE pack = ? ORDER BY n', pack.id);
    const gap = rows.findIndex((each, at) => integerAt(each, 'n') !== at);
    if (gap >= 0) problems.add('archive', pack.id, `document ${gap} of the pack`, `one numbered ${integerAt(rows[gap] ?? {}, 'n')}`);
    const documents = rows.map((each) => digestFromHex(hex(bytesAt(each, 'digest'))));
    const held = documents.length > 0 && indexes.length === 0 ? packedDocuments(documents) : packedEntries(indexes);
    const { name } = keys[0].vkey;
    if (!keysAt(keys, pack.size).some((vkey) => isLineOver(packText(name, pack), pack.line, vkey)))
      problems.add('archive', pack.id, `a pack signed by ${name}`, 'a row that its line does not sign');
    else if (!equalBytes(held, pack.entries) || (indexes.length > 0 && documents.length > 0))
      problems.add('archive', pack.id, 'what it was made of', `${indexes.length + documents.length} others`);
  }
  const strays = await view.all(
    'SELECT a.idx, a.pack FROM archived a LEFT JOIN archive_pack p ON p.id = a.pack WHERE p.id IS NULL OR a.idx < 0 OR a.idx >= ? ORDER BY a.idx, a.pack LIMIT 100',
    size,
  );
  for (const row of strays)
    problems.add('archive', `${integerAt(row, 'idx')}/${integerAt(row, 'pack')}`, 'an entry of the log, in a pack', 'a row of another');
  const astray = await view.all(
    'SELECT a.pack, a.n FROM archived_document a LEFT JOIN archive_pack p ON p.id = a.pack WHERE p.id IS NULL ORDER BY a.pack, a.n LIMIT 100',
  );
  for (const row of astray)
    problems.add('archive', `${integerAt(row, 'pack')}/${integerAt(row, 'n')}`, 'a document in a pack', 'a row of none');
  for (const { index, erasure, said } of erased.values())
    if (said === undefined || index >= size || erasure >= size)
      problems.add('erased', index, `entry ${erasure} to erase it`, 'one that does not say so');
}
