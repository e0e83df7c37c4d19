/**
 * Which leaf an entry was proved to have, remembered from one question to the next: under the newest checkpoint that was asked about, and once the log has grown under
 * the next one, where that is proved to extend it. Proving a leaf anew takes the 255 hashes of its tile.
 */
import { type Checkpoint, equalBytes, SealaneError, verifyConsistency } from '@sealane/core';
import type { Ledger } from '@sealane/ledger';

/** Entry → hash of its leaf. */
export type ProvedLeaves = Map<number, Uint8Array>;

type Tree = Pick<Checkpoint, 'origin' | 'size' | 'root'>;

/** Leaves that are remembered of one log: some 150 bytes each. */
const MAX_LEAVES = 100_000;

/** By the origin of the log. */
const newest = new Map<string, Tree & { readonly leaves: ProvedLeaves }>();

/** What was proved under this checkpoint, to which `rememberLeaf` adds. Of one that is older than the newest nothing is kept. */
export async function provedLeaves(ledger: Pick<Ledger, 'consistencyProof'>, { origin, size, root }: Tree): Promise<ProvedLeaves> {
  const known = newest.get(origin);
  if (known?.size === size && equalBytes(known.root, root)) return known.leaves;
  if (known !== undefined && size < known.size) return new Map();
  const leaves: ProvedLeaves =
    known !== undefined && (await isPrefix(ledger, known, { origin, size, root })) ? known.leaves : new Map<number, Uint8Array>();
  newest.set(origin, { origin, size, root, leaves });
  return leaves;
}

/** Remembers a leaf that was proved. */
export function rememberLeaf(leaves: ProvedLeaves, index: number, leafHash: Uint8Array): void {
  if (leaves.size >= MAX_LEAVES) leaves.clear();
  leaves.set(index, leafHash);
}

export async function isPrefix(ledger: Pick<Ledger, 'consistencyProof'>, before: Tree, after: Tree): Promise<boolean> {
  try {
    const proof = await ledger.consistencyProof(before.size, after.size);
    verifyConsistency({ size1: before.size, size2: after.size, root1: before.root, root2: after.root, proof });
    return true;
  } catch (error) {
    // another history, or a ledger that cannot tell: all is proved anew
    if (error instanceof SealaneError) return false;
    throw error;
  }
}
