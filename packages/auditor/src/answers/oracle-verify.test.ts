/** `verify` against the naive oracle: the root by the definition of RFC 6962, and every word of another history that was logged. */
import { createHash } from 'node:crypto';
import { parseCheckpoint } from '@sealane/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeHistories, counted, everyTime, tellHistories } from '../testing/oracle.js';
import { verifyAll } from './verify.js';

beforeAll(tellHistories);
afterAll(closeHistories);

const hashed = (...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
};

/** RFC 6962, section 2.1, word for word. */
function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves;
  if (first === undefined) return hashed();
  if (leaves.length === 1) return hashed(Uint8Array.of(0), first);
  let left = 1;
  while (left * 2 < leaves.length) left *= 2;
  return hashed(Uint8Array.of(1), rootOf(leaves.slice(0, left)), rootOf(leaves.slice(left)));
}

test('verify: the root of all leaves, and each approval and receipt that saw another log, by whom it is to say so', async () => {
  const seen = { same: 0, other: 0, stranger: 0 };
  await everyTime(async (history, context, when) => {
    // it is asked of the whole log, and of no time
    if (when.asOf !== undefined || when.asKnown !== undefined) return;
    const { answer, checkpoint } = await verifyAll(context);
    const entries = await context.ledger.entries(0, history.told.length);
    const leaves = await Promise.all(entries.map(async ({ index }) => await context.ledger.leaf(index)));
    expect(parseCheckpoint(checkpoint ?? '')).toMatchObject({ size: history.told.length, root: rootOf(leaves) });
    const placeOf = new Map(entries.map(({ statementDigest, index }) => [statementDigest as string, index]));
    // a receipt of these histories quotes a root that no log has
    const others = [...counted(history, 'approval', {}).filter(({ sawThisLog }) => !sawThisLog), ...counted(history, 'receipt', {})];
    const byPlace = (left: number, right: number): number => left - right;
    expect(answer.problems.map(({ where }) => where)).toEqual(answer.problems.map(() => 'quoted'));
    expect(answer.problems.map(({ key }) => placeOf.get(key) ?? -1).sort(byPlace)).toEqual(others.map(({ index }) => index).sort(byPlace));
    expect(answer.ok).toBe(others.length === 0);
    seen.other += others.length;
    seen.same += counted(history, 'approval', {}).filter(({ sawThisLog }) => sawThisLog).length;
    seen.stranger += history.told.filter(({ kind, isOwn }) => !isOwn && (kind === 'approval' || kind === 'receipt')).length;
  });
  // histories without each of these would show nothing
  expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).toBeGreaterThan(0);
});
