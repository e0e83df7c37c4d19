/**
 * Erases what statements say, as an entry of the log orders it: in one transaction a row of `erased` for each, signed by the log's key, takes the place of
 * the envelope, and the projection is made anew from what is left. Leaves, tiles and proofs stay as they are. Whether the order counts is for the caller to say.
 */
import { digestFromHex, digestHex, equalBytes, fromHex, leafHash, LedgerError, parseStatement, parseVkey, sha256 } from '@sealane/core';
import type { LedgerEntry } from '../log/entry.js';
import { headOf } from '../log/commits.js';
import { leafAt } from '../log/leaf-row.js';
import { expectKeyOfToday } from '../log/log-keys.js';
import { reached } from '../points.js';
import { rebuildProjection } from '../projection/rebuild.js';
import { bytesAt } from '../store/rows.js';
import type { Queries } from '../store/store.js';
import type { FillIn } from './absent.js';
import { nameOf } from './archive-rows.js';
import { type ErasedStatement, erasedBy, erasedText } from './erasures.js';
import type { Mover } from './move-out.js';
import { isOfLeaf } from './pack.js';
import type { Archive } from './read-packs.js';

/** What is read of an archive, since nothing is erased that a pack has. */
export interface Packs {
  readonly archive: Archive;
  readonly fillIn: FillIn;
}

/**
 * Erases what the entry `order` names and is still there; durable when it resolves with their indexes. What it says of each must be so: nothing else is left.
 *
 * @throws LedgerError `STATEMENT_UNKNOWN` the entry orders nothing, or says something else of a statement than that says; `STATEMENT_ARCHIVED` a pack has it; `ARCHIVE_UNREACHABLE` a place where one may be is
 *   away, or the projection cannot be made anew; `LEDGER_*` of a write
 */
export async function erasePayloads(
  { store, keys, signer }: Mover,
  { archive, fillIn }: Packs,
  { index: erasure, statement, statementDigest: order }: LedgerEntry,
): Promise<readonly number[]> {
  const named = erasedBy(statement);
  if (named.length === 0)
    throw new LedgerError('STATEMENT_UNKNOWN', `erase by entry ${erasure}: expected an erasure of statements, got none`, { erasure });
  const erased = await store.write(async (transaction) => {
    await expectKeyOfToday(transaction, keys());
    const open: number[] = [];
    for (const said of named) if (await isThere(transaction, archive, said)) open.push(said.logIndex);
    const { size } = await headOf(transaction);
    const { name } = parseVkey(signer().vkey);
    for (const index of open) {
      const line = signer().sign(erasedText(name, { index, erasure, order, size }));
      await transaction.run('INSERT INTO erased(idx, erasure, size, line) VALUES (?, ?, ?, ?)', index, erasure, size, line);
      await transaction.run('DELETE FROM envelope WHERE idx = ?', index);
    }
    if (open.length > 0) await rebuildProjection(transaction, { fillIn, keys: keys() });
    reached('ledger:envelopes-removed');
    return open;
  });
  reached('ledger:erased');
  return erased;
}

/** Whether a statement is still there to be erased. */
async function isThere(transaction: Queries, archive: Archive, said: ErasedStatement): Promise<boolean> {
  const { logIndex } = said;
  if ((await transaction.get('SELECT idx FROM erased WHERE idx = ?', logIndex)) !== undefined) return false;
  await expectInNoPack(transaction, archive, logIndex);
  const row = await transaction.get('SELECT e.leaf, v.payload FROM log_entry e JOIN envelope v ON v.idx = e.idx WHERE e.idx = ?', logIndex);
  if (row !== undefined && isSaidOf(said, leafAt(row), bytesAt(row, 'payload'))) return true;
  throw new LedgerError(
    'STATEMENT_UNKNOWN',
    `erase entry ${logIndex}: expected statement ${said.statement} of leaf ${said.leaf}, of the type and about what the erasure says, got another`,
    { logIndex },
  );
}

/** By what is left a statement is found where it is asked for: an erasure that says less, or something else, would hide it. */
function isSaidOf({ statement, leaf, predicateType, subject }: ErasedStatement, leafBytes: Uint8Array, payload: Uint8Array): boolean {
  if (sha256(payload) !== statement || !equalBytes(leafHash(leafBytes), fromHex(digestHex(leaf)))) return false;
  if (!isOfLeaf({ payload }, leafBytes)) return false;
  const parsed = parseStatement(payload);
  const about = new Set(parsed.subject.map(({ digest }) => digestFromHex(digest.sha256)));
  return parsed.predicateType === predicateType && about.size === new Set(subject).size && subject.every((digest) => about.has(digest));
}

/** A pack that has it would bring it back. One that no place has any more does not. */
async function expectInNoPack(transaction: Queries, archive: Archive, index: number): Promise<void> {
  const rows = await transaction.all(
    'SELECT p.digest, p.bytes FROM archived a JOIN archive_pack p ON p.id = a.pack WHERE a.idx = ?',
    index,
  );
  for (const pack of rows.map(nameOf)) {
    if (!(await holds(archive, pack, index))) continue;
    throw new LedgerError('STATEMENT_ARCHIVED', `erase entry ${index}: expected it in no pack of the archive, got it in ${pack.digest}`, {
      index,
      pack: pack.digest,
    });
  }
}

async function holds(archive: Archive, pack: Parameters<Archive['read']>[0], index: number): Promise<boolean> {
  try {
    return (await archive.read(pack)).has(index);
  } catch (error) {
    // all its places were asked, and none has it
    if (error instanceof LedgerError && error.code === 'ARCHIVE_DAMAGED') return false;
    throw error;
  }
}
