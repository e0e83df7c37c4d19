import { leafHash, utf8 } from '@sealane/core';
import { expect, test } from 'vitest';
import { provedLeaves, rememberLeaf } from './proved-leaves.js';
import { treeRoot } from './tree-root.js';

const hashes = (words: string): readonly Uint8Array[] => Array.from(words).map((word) => leafHash(utf8(word)));
const tree = (origin: string, words: string): { readonly origin: string; readonly size: number; readonly root: Uint8Array } => {
  return { origin, size: words.length, root: treeRoot(hashes(words)) };
};
/** Of trees of one entry and of two: the second leaf. */
const ledger = (second: string): { consistencyProof: () => Promise<readonly Uint8Array[]> } => ({
  consistencyProof: () => Promise.resolve(hashes(second)),
});

test('what was proved stands under the checkpoint of a log that has grown, and not under one of another history', async () => {
  const first = await provedLeaves(ledger(''), tree('grows.example', 'a'));
  rememberLeaf(first, 0, leafHash(utf8('a')));
  expect((await provedLeaves(ledger('b'), tree('grows.example', 'a'))).size).toBe(1);
  expect([...(await provedLeaves(ledger('b'), tree('grows.example', 'ab'))).keys()]).toEqual([0]);
  // an older one is proved by itself, and the newest stays
  expect((await provedLeaves(ledger('b'), tree('grows.example', 'a'))).size).toBe(0);
  expect((await provedLeaves(ledger('b'), tree('grows.example', 'ab'))).size).toBe(1);
  expect((await provedLeaves(ledger('b'), tree('grows.example', 'xb'))).size).toBe(0);
});

test('a proof that does not hold, or another log, brings nothing along', async () => {
  const first = await provedLeaves(ledger(''), tree('forks.example', 'a'));
  rememberLeaf(first, 0, leafHash(utf8('a')));
  expect((await provedLeaves(ledger('a'), tree('other.example', 'a'))).size).toBe(0);
  expect((await provedLeaves(ledger('c'), tree('forks.example', 'ab'))).size).toBe(0);
});
