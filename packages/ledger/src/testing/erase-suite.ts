/** What must hold of a ledger from which something was erased, whatever database keeps the rows. */
import { digestFromHex, type ErrorCode, hex, type JsonObject, leafHash, PREDICATE, verifyInclusion } from '@sealane/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Ledger } from '../ledger.js';
import type { ErasedEntry } from '../log/entry-rows.js';
import type { TestHome } from './open.js';
import { numbered, signed, testKey } from './statements.js';

const withCode = (code: ErrorCode): object => expect.objectContaining({ code }) as object;
const NUMBER = 'urn:example:number:v1';

/** Logs an erasure of entry `index`, with other words about it where they are given; its index. */
export async function orderErasure(ledger: Ledger, index: number, other: JsonObject = {}): Promise<number> {
  const { statement, statementDigest } = await ledger.entry(index);
  const said = {
    logIndex: index,
    statement: statementDigest,
    leaf: digestFromHex(hex(leafHash(await ledger.leaf(index)))),
    predicateType: statement.predicateType,
    subject: statement.subject.map(({ digest }) => digestFromHex(digest.sha256)),
    ...other,
  };
  const words = { documents: [], statements: [said], reason: 'names a colleague', issuedAt: '2026-11-24T10:00:00Z' };
  const [logged] = await ledger.append([signed(testKey(), PREDICATE.erasure, { ...words, salt: '00112233445566778899aabbccddeeff' })]);
  if (logged === undefined) throw new Error('nothing was logged');
  return logged.index;
}

/** Describes erasing in a ledger on one kind of store. */
export function describeErasing(name: string, makeHome: () => TestHome | Promise<TestHome>): void {
  const author = testKey();
  let home: TestHome;
  let ledger: Ledger;

  beforeEach(async () => {
    home = await makeHome();
    ledger = await home.open();
    await ledger.append(Array.from({ length: 12 }, (_, n) => numbered(author, n)));
  });
  afterEach(async () => {
    await ledger.close();
    await home.remove();
  });

  describe(name, () => {
    test('what was erased is nowhere: whoever looks for it fails, or is told; leaf, proof, and the rest are as before', async () => {
      const [{ statementDigest, statement }, leaf] = [await ledger.entry(3), await ledger.leaf(3)];
      const subject = digestFromHex(statement.subject[0]!.digest.sha256);
      const erasure = await orderErasure(ledger, 3);
      expect(await ledger.erase(erasure)).toEqual([3]);
      expect(await ledger.erase(erasure)).toEqual([]);
      const anew = await home.open();
      await anew.rebuildProjection();
      expect(await anew.verify()).toMatchObject({ ok: true, problems: [] });
      for (const asked of [
        () => anew.entry(3),
        () => anew.entries(0, 5),
        () => anew.entriesAt([3]),
        () => anew.byStatement(statementDigest),
        () => anew.statementsAbout(subject),
        () => anew.evidenceAbout(subject),
        () => anew.evidenceAboutEach([subject]),
        () => anew.statementsOf([NUMBER]),
        () => anew.statementsBy(author.id),
      ])
        await expect(asked()).rejects.toEqual(withCode('STATEMENT_ERASED'));
      const gone: ErasedEntry[] = [];
      expect(await anew.noting((entry) => void gone.push(entry)).statementsAbout(subject)).toMatchObject([{ index: 10 }]);
      expect(gone).toEqual([{ index: 3, statementDigest, keyId: author.id, erasure }]);
      expect(await anew.leaf(3)).toEqual(leaf);
      const [size, root] = [await anew.size(), await anew.rootAt(await anew.size())];
      verifyInclusion({ leafHash: leafHash(leaf), index: 3, size, proof: await anew.inclusionProof(3, size), root });
      // who logs it again brings nothing back, and others go behind
      expect(await anew.append([numbered(author, 3), numbered(author, 300)])).toMatchObject([{ index: 3, existed: true }, { index: size }]);
      await expect(anew.entry(3)).rejects.toEqual(withCode('STATEMENT_ERASED'));
      await anew.close();
    });

    test('who had read it before, in another process, forgets it when it next looks at the log', async () => {
      const other = await home.open();
      await other.refresh();
      expect(await other.entry(3)).toMatchObject({ index: 3 });
      await ledger.erase(await orderErasure(ledger, 3));
      await other.refresh();
      await expect(other.entry(3)).rejects.toEqual(withCode('STATEMENT_ERASED'));
      expect(await other.entry(4)).toMatchObject({ index: 4 });
      await other.close();
    });

    test.each<readonly [string, JsonObject]>([
      ['about something else', { subject: [`sha256:${'0'.repeat(64)}`] }],
      ['about more', { subject: [`sha256:${'0'.repeat(64)}`, `sha256:${'1'.repeat(64)}`] }],
      ['of another kind', { predicateType: PREDICATE.spdx }],
      ['another statement', { statement: `sha256:${'0'.repeat(64)}` }],
      ['of another leaf', { leaf: `sha256:${'0'.repeat(64)}` }],
      ['at another place', { logIndex: 4 }],
    ])('an erasure that says a statement is %s erases nothing: it would not be found where it is asked for', async (_, other) => {
      await expect(ledger.erase(await orderErasure(ledger, 3, other))).rejects.toEqual(withCode('STATEMENT_UNKNOWN'));
      expect(await ledger.entries(0, 100)).toHaveLength(13);
      expect(await ledger.verify()).toMatchObject({ ok: true });
    });

    test('what is no erasure erases nothing', async () => {
      await expect(ledger.erase(3)).rejects.toEqual(withCode('STATEMENT_UNKNOWN'));
      await expect(ledger.erase(100)).rejects.toEqual(withCode('STATEMENT_UNKNOWN'));
    });
  });
}
