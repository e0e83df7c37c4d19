/** The sites whose inventories may name a piece of hardware: by what the projection keeps of them, which is all but serials, and for those by the bytes of receipts. */
import type { FoundHardware } from '@sealane/core';
import { inLists } from '../store/in-list.js';
import { integerAt, textAt } from '../store/rows.js';
import type { Queries } from '../store/store.js';
import { hardwareIn, objectIn } from './fleet.js';

/** What is looked for: what an inventory without serials says, or bytes that a receipt holds in which a serial says it. */
export interface HardwareSought {
  readonly isNamed: (hardware: FoundHardware) => boolean;
  readonly bytes: Uint8Array;
}

const KINDS = 'SELECT id, body FROM document WHERE id IN (SELECT hardware FROM receipt)';

/** A receipt whose payload is elsewhere may hold anything. */
const HOLDING = `SELECT DISTINCT r.site FROM receipt r LEFT JOIN envelope v ON v.idx = r.idx
  WHERE v.idx IS NULL OR instr(v.payload, ?) > 0`;

/** Where payloads are not beside the projection, any receipt may hold it. */
const ANY = 'SELECT DISTINCT site FROM receipt';

/** Their names, in no order, and some of them twice. */
export async function sitesNaming(
  queries: Queries,
  { isNamed, bytes }: HardwareSought,
  payloads: 'beside' | 'elsewhere',
): Promise<readonly string[]> {
  const found = [...(await (payloads === 'beside' ? queries.all(HOLDING, bytes) : queries.all(ANY)))];
  const kinds = (await queries.all(KINDS)).filter((row) => isNamed(hardwareIn(objectIn(textAt(row, 'body')))));
  for (const { marks, values } of inLists(kinds.map((row) => integerAt(row, 'id'))))
    found.push(...(await queries.all(`SELECT DISTINCT site FROM receipt WHERE hardware IN (${marks})`, ...values)));
  return found.map((row) => textAt(row, 'site'));
}
