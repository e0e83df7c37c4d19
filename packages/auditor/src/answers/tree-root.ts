/** The root of a whole Merkle tree out of its leaf hashes (RFC 9162, section 2.1.1). */
import { emptyRoot, nodeHash } from '@sealane/core';

/** Pairs hashes level by level; the odd one out goes up as it is, which is the same tree as RFC 9162's recursion. O(number of leaves). */
export function treeRoot(leafHashes: readonly Uint8Array[]): Uint8Array {
  let level = leafHashes;
  while (level.length > 1) level = parents(level);
  return level[0] ?? emptyRoot();
}

function parents(level: readonly Uint8Array[]): readonly Uint8Array[] {
  const above: Uint8Array[] = [];
  for (let at = 0; at < level.length; at += 2) {
    const [left, right] = [level[at], level[at + 1]];
    if (left !== undefined) above.push(right === undefined ? left : nodeHash(left, right));
  }
  return above;
}
