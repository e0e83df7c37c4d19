/** What must hold of the log of a ledger: entries, proofs, copies. */
import { type ErrorCode, hex, leafHash, logLeaf, statementDigestOf, verifyConsistency, verifyInclusion } from '@sealane/core';
import { expect, test } from 'vitest';
import { openLedger } from '../open-ledger.js';
import { NOW, ORIGIN, type TestHome } from './open.js';
import { numbered, oneOfEach, signed, testKey } from './statements.js';

const withCode = (code: ErrorCode): object => expect.objectContaining({ code }) as object;

/** `home` is an empty place of each test's own. */
export function describeLog(home: () => TestHome): void {
  const author = testKey();
  const site = testKey();

  test('logs statements and proves every one of them at every size', async () => {
    const ledger = await home().open();
    const entries = oneOfEach(author, site);
    const results = await ledger.append(entries);
    expect(results.map(({ index, existed }) => [index, existed])).toEqual(entries.map((_, index) => [index, false]));
    for (let size = 1; size <= entries.length; size += 1) {
      const root = await ledger.rootAt(size);
      for (let index = 0; index < size; index += 1) {
        const proof = await ledger.inclusionProof(index, size);
        verifyInclusion({ leafHash: leafHash(await ledger.leaf(index)), index, size, proof, root });
      }
      verifyConsistency({
        size1: size,
        size2: entries.length,
        root1: root,
        root2: await ledger.rootAt(entries.length),
        proof: await ledger.consistencyProof(size, entries.length),
      });
    }
    const { root } = await ledger.head();
    expect(hex(await ledger.rootAt(entries.length))).toBe(hex(root));
    await ledger.close();
  });

  test('gives back the envelope, key, statement, digest and time of an entry', async () => {
    const ledger = await home().open();
    const [entry] = oneOfEach(author, site);
    await ledger.append([entry!]);
    const read = await ledger.entry(0);
    expect(read).toMatchObject({
      index: 0,
      keyId: author.id,
      loggedAt: NOW,
      statementDigest: statementDigestOf(entry!.envelope),
      envelope: entry!.envelope,
    });
    expect(read.statement.predicate).toMatchObject({ name: 'api' });
    expect(hex(await ledger.leaf(0))).toBe(hex(logLeaf(read.envelope, read.spki)));
    expect(await ledger.byStatement(read.statementDigest)).toHaveLength(1);
    await expect(ledger.entry(1)).rejects.toEqual(withCode('STATEMENT_UNKNOWN'));
    await ledger.close();
  });

  test('keeps the first index of a statement by one key, in one batch and later, and logs it again for another key', async () => {
    const ledger = await home().open();
    // two signatures over the same payload: ECDSA gives different ones each time
    const again = (): ReturnType<typeof signed> => signed(author, 'urn:example:v1', { same: true });
    const results = await ledger.append([again(), again(), signed(site, 'urn:example:v1', { same: true })]);
    expect(results.map(({ index, existed }) => [index, existed])).toEqual([
      [0, false],
      [0, true],
      [1, false],
    ]);
    expect((await ledger.append([again()]))[0]).toMatchObject({ index: 0, existed: true });
    expect(await ledger.size()).toBe(2);
    await ledger.close();
  });

  test('refuses a statement by another key, one that is none, and one of ours with a field missing, and logs nothing', async () => {
    const ledger = await home().open();
    const good = numbered(author, 1);
    await expect(ledger.append([good, { ...numbered(author, 2), spki: site.spki }])).rejects.toEqual(withCode('STATEMENT_SIGNATURE'));
    await expect(ledger.append([signed(author, 'urn:sealane:release:v1', { name: 'api' })])).rejects.toEqual(
      withCode('STATEMENT_MALFORMED'),
    );
    await expect(ledger.append([{ ...good, envelope: { ...good.envelope, payloadType: 'text/plain' } }])).rejects.toEqual(
      withCode('ENVELOPE_MALFORMED'),
    );
    expect(await ledger.size()).toBe(0);
    await ledger.close();
  });

  test('goes on where another process has appended meanwhile', async () => {
    const [one, two] = [await home().open(), await home().open()];
    for (let n = 0; n < 30; n += 2) {
      expect((await one.append([numbered(author, n)]))[0]).toMatchObject({ index: n });
      expect((await two.append([numbered(author, n + 1)]))[0]).toMatchObject({ index: n + 1 });
    }
    const report = await one.verify();
    expect(report).toMatchObject({ ok: true, size: 30 });
    await one.close();
    await two.close();
  });

  test('crosses tile borders: 600 entries, and the tree opened anew goes on', async () => {
    const first = await home().open();
    await first.append(Array.from({ length: 255 }, (_, n) => numbered(author, n)));
    await first.append(Array.from({ length: 2 }, (_, n) => numbered(author, 255 + n)));
    await first.close();
    const second = await home().open();
    await second.append(Array.from({ length: 343 }, (_, n) => numbered(author, 257 + n)));
    const root = await second.rootAt(600);
    for (const index of [0, 255, 256, 511, 599]) {
      verifyInclusion({
        leafHash: leafHash(await second.leaf(index)),
        index,
        size: 600,
        proof: await second.inclusionProof(index, 600),
        root,
      });
    }
    expect(await second.verify()).toMatchObject({ ok: true, problems: [], size: 600 });
    await second.close();
  });

  test('a copy is an SQLite file with every row, which anybody can check', async () => {
    const ledger = await home().open();
    await ledger.append([...oneOfEach(author, site), ...Array.from({ length: 256 }, (_, n) => numbered(author, 100 + n))]);
    await ledger.saveCosigned(home().cosigned(await ledger.checkpointNote()));
    const file = `${home().place.file}.copy`;
    await ledger.copyTo(file);
    const whole = await ledger.verify();
    expect(whole).toMatchObject({ ok: true, problems: [], size: 265 });
    const copy = await openLedger({ file, origin: ORIGIN, now: () => NOW });
    expect(await copy.verify()).toEqual(whole);
    expect(await copy.latestCosigned()).toBe(await ledger.latestCosigned());
    expect(await copy.receiptsOf('shop-17')).toEqual(await ledger.receiptsOf('shop-17'));
    await copy.close();
    await expect(ledger.copyTo(file)).rejects.toMatchObject({ code: expect.stringMatching(/^LEDGER_/) as string });
    await ledger.close();
  });

  test('a text that a database could not keep is refused before it reaches one', async () => {
    const ledger = await home().open();
    const named = (version: string): ReturnType<typeof signed> =>
      signed(author, 'urn:sealane:release:v1', { name: 'api', version, components: [] });
    for (const version of ['1.0\u0000', 'x'.repeat(2000)]) {
      await expect(ledger.append([named(version)])).rejects.toEqual(withCode('STATEMENT_MALFORMED'));
    }
    await expect(ledger.append([signed(author, 'urn:example:\u0000', {})])).rejects.toEqual(withCode('STATEMENT_MALFORMED'));
    expect(await ledger.append([named('1.0')])).toMatchObject([{ index: 0 }]);
    await ledger.close();
  });
}
