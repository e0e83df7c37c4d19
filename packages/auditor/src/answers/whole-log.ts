/**
 * Every entry that witnesses had seen, read from the first to the last: each leaf is hashed, and the root of those hashes is that of the checkpoint. What is
 * collected on the way was not picked by an index, so nothing of its kind was left out.
 */
import { AuditorError, equalBytes, leafHash, logLeaf, parseCheckpoint } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { doubt } from './answer.js';
import type { Inquiry } from './inquiry.js';
import { treeRoot } from './tree-root.js';

/** What was read: every entry, by type; their number is `entries`, and their root that of the checkpoint. `inDoubt`: how many could be neither counted nor passed over. */
export interface WholeLog {
  readonly entries: number;
  readonly root: string;
  readonly byType: Readonly<Record<string, number>>;
  readonly inDoubt: number;
}

/** Entries read at a time. */
const PAGE = 500;

/**
 * Hands all entries to `take`, page by page in their order. Those of the types `counted` that are logged and not witnessed yet become doubts.
 *
 * @throws AuditorError `LOG_WITNESS` nothing is witnessed, so nothing is proved complete; `PROOF_MISMATCH` these are not the leaves of the checkpoint
 */
export async function readWholeLog(
  inquiry: Inquiry,
  counted: readonly string[],
  take: (entries: readonly LedgerEntry[]) => Promise<void>,
): Promise<WholeLog> {
  const { ledger } = inquiry.context;
  const { size, root } = await witnessedHead(inquiry);
  const hashes: Uint8Array[] = [];
  // of an entry that was erased the leaf is what is there
  const hashBelow = async (index: number): Promise<void> => {
    while (hashes.length < index) hashes.push(leafHash(await ledger.leaf(hashes.length)));
  };
  const byType: Record<string, number> = {};
  for (let begin = 0; begin < size; begin += PAGE) {
    const entries = await ledger.entries(begin, Math.min(PAGE, size - begin));
    for (const { index, envelope, spki, certified, statement } of entries) {
      await hashBelow(index);
      hashes.push(leafHash(logLeaf(envelope, spki, certified?.certificate)));
      byType[statement.predicateType] = (byType[statement.predicateType] ?? 0) + 1;
    }
    await take(entries);
  }
  await hashBelow(size);
  if (hashes.length !== size || !equalBytes(treeRoot(hashes), root))
    throw new AuditorError(
      'PROOF_MISMATCH',
      `prove that nothing was left out: expected ${size} leaves of the checkpoint's root, got others`,
    );
  await doubtUnwitnessed(inquiry, size, counted);
  return { entries: size, root: Buffer.from(root).toString('base64'), byType, inDoubt: inquiry.evidence.doubts.length };
}

async function witnessedHead({ context: { ledger } }: Inquiry): Promise<{ readonly size: number; readonly root: Uint8Array }> {
  const note = await ledger.latestCosigned();
  if (note !== null) return parseCheckpoint(note);
  throw new AuditorError('LOG_WITNESS', `prove that nothing was left out: expected a cosigned checkpoint of ${ledger.origin}, got none`);
}

/** What is logged and not witnessed may belong to the answer: it is named. */
async function doubtUnwitnessed({ context, evidence }: Inquiry, size: number, counted: readonly string[]): Promise<void> {
  const later = await context.ledger.entries(size, PAGE);
  for (const entry of later.filter(({ statement }) => counted.includes(statement.predicateType)))
    doubt(evidence, entry, 'LOG_WITNESS', `entry ${entry.index} is logged, and no witness has seen it yet`);
}
