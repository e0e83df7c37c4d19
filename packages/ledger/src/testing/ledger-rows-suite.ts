/** What must hold of what a ledger answers from its projection. */
import { type Digest, envelopePayload, type JsonObject, parseStatement, PREDICATE, sha256, statementDigestOf, utf8 } from '@sealane/core';
import { expect, test } from 'vitest';
import type { NewEntry } from '../log/entry.js';
import type { TestHome } from './open.js';
import { oneOfEach, signed, testKey } from './statements.js';

const release = sha256(utf8('release 1'));
/** Nothing is said about it. */
const stranger = sha256(utf8('release 2'));

function predicateOf({ envelope }: NewEntry): JsonObject {
  return parseStatement(envelopePayload(envelope)).predicate;
}

/** `home` is an empty place of each test's own. */
export function describeRows(home: () => TestHome): void {
  const author = testKey();
  const site = testKey();

  test('finds the last decision of those who may decide, where their keys count', async () => {
    const ledger = await home().open();
    const other = testKey();
    const decided = (key: typeof author, counter: number | null, to = 'prod'): NewEntry =>
      signed(key, PREDICATE.decision, {
        verificationResult: counter === null ? 'FAILED' : 'PASSED',
        policy: { uri: `policy/${to}.json`, digest: { sha256: release.slice('sha256:'.length) } },
        sealane_promotion: { release, counter, from: null, to },
      });
    await ledger.append([decided(author, 1), decided(author, 2), decided(author, null), decided(author, 7, 'dev'), decided(other, 9)]);
    const last = async (fromIndex: number, untilIndex: number | null, ...keys: readonly (typeof author)[]): Promise<unknown> =>
      (
        await ledger.lastPassed(
          'prod',
          keys.map((key) => ({ keyId: key.id, fromIndex, untilIndex })),
        )
      )?.counter;
    expect([await last(0, null, author), await last(0, null, author, other), await last(0, null, other)]).toEqual([2, 9, 9]);
    expect([await last(0, 1, author), await last(2, null, author), await last(0, null, site), await last(0, null)]).toEqual([
      1,
      undefined,
      undefined,
      undefined,
    ]);
    await ledger.close();
  });

  test('answers from the projection, and the same after it is rebuilt', async () => {
    const ledger = await home().open();
    await ledger.append(oneOfEach(author, site));
    const answers = async (): Promise<object> => ({
      about: (await ledger.statementsAbout(release)).map(({ index }) => index),
      tests: (await ledger.statementsAbout(release, 'https://in-toto.io/attestation/test-result/v0.1')).map(({ index }) => index),
      by: (await ledger.statementsBy(site.id)).map(({ index }) => index),
      indexesBy: await ledger.indexesBy(site.id),
      counts: [...(await ledger.typeCounts(8))].map(([, count]) => count),
      ofType: (await ledger.statementsOf([PREDICATE.receipt, PREDICATE.approval])).map(({ index }) => index),
      releases: await ledger.releases(),
      named: await ledger.releaseByName('api', '1.0.0'),
      with: (await ledger.releasesWith(sha256(utf8('part')))).map(({ index }) => index),
      sitesAbout: await ledger.sitesAbout([release]),
      sitesAboutOthers: await ledger.sitesAbout([sha256(utf8('release 2'))]),
      withHardware: await ledger.sitesWithHardware({ word: 'any', isNamed: (found) => 'devices' in found, bytes: utf8('no such bytes') }),
      holding: await ledger.sitesWithHardware({ word: 'shop-17', isNamed: () => false, bytes: utf8('shop-17') }),
      back: await ledger.sitesBack(),
      unnamed: await ledger.releaseByName('api', '1.0.1'),
      decisions: await ledger.decisions({ stage: 'prod', release }),
      elsewhere: await ledger.decisions({ stage: 'dev' }),
      ofMany: [
        await ledger.releases([stranger, release]),
        await ledger.releases([]),
        await ledger.decisions({ release: [release, stranger] }),
      ],
      evidence: [...(await ledger.evidenceAboutEach([stranger, release, release]))].map(([about, entries]) => [
        about,
        entries.map(({ index }) => index),
      ]),
      approvals: await ledger.approvals({ release }),
      results: await ledger.testResults(release),
      testedOn: await ledger.testedHardware(),
      testsOn: (await ledger.testsOn(await ledger.testedHardware())).map(({ index }) => index),
      testsElsewhere: await ledger.testsOn([stranger]),
      revocations: await ledger.revocations(),
      sites: await ledger.sites('shop-17'),
      receipts: await ledger.receiptsOf('shop-17'),
      links: [...(await ledger.receiptLinks(['shop-17', 'shop-18']))],
      receiptsAt: await ledger.receiptsAt([6, 7]),
      receiptIndexes: await ledger.receiptIndexes('shop-17'),
      latest: await ledger.latestReceipts(),
      keys: (await ledger.keysSeen()).map(({ keyId, firstIndex }) => [keyId, firstIndex]),
    });
    const before = await answers();
    expect(before).toMatchObject({
      about: [0, 1, 2, 3, 4, 5, 6, 7],
      tests: [2],
      by: [7],
      indexesBy: [7],
      counts: [1, 1, 1, 1, 1, 1, 1, 1],
      ofType: [3, 7],
      releases: [{ index: 0, release, name: 'api', version: '1.0.0', keyId: author.id }],
      named: [{ index: 0 }],
      with: [0],
      sitesAbout: ['shop-17'],
      sitesAboutOthers: [],
      withHardware: ['shop-17'],
      holding: ['shop-17'],
      back: [],
      unnamed: [],
      decisions: [{ index: 4, release, stage: 'prod', from: 'dev', counter: 1, result: 'PASSED' }],
      elsewhere: [],
      ofMany: [[{ index: 0, release }], [], [{ index: 4, release }]],
      // no receipt is evidence
      evidence: [
        [stranger, []],
        [release, [0, 1, 2, 3, 4, 5, 6]],
      ],
      approvals: [{ index: 3, verdict: 'approve', stage: 'prod' }],
      results: [{ index: 2, result: 'PASSED', suite: 'unit', hardware: sha256(utf8('hbom')) }],
      testedOn: [sha256(utf8('hbom'))],
      testsOn: [2],
      testsElsewhere: [],
      revocations: [{ index: 5, reason: 'broken', floor: 2 }],
      sites: [{ index: 6, site: 'shop-17', siteKeyId: site.id, stage: 'prod' }],
      receipts: [{ index: 7, site: 'shop-17', seq: 1, event: 'installed', release, prev: sha256(utf8('receipt 0')) }],
      // what it names as the one before it is not there
      links: [['shop-17', [{ index: 7, seq: 1, keyId: site.id, event: 'installed', release, previous: null, follows: false }]]],
      receiptsAt: [{ index: 7, site: 'shop-17', seq: 1, event: 'installed', release, prev: sha256(utf8('receipt 0')) }],
      receiptIndexes: [7],
      latest: [{ index: 7 }],
      keys: [
        [author.id, 0],
        [site.id, 7],
      ],
    });
    await ledger.rebuildProjection();
    expect(await answers()).toEqual(before);
    expect(await ledger.verify()).toMatchObject({ ok: true });
    await ledger.close();
  });

  test('names the sites of which a receipt may be missing, and those that went back, however receipts came', async () => {
    const ledger = await home().open();
    const entries = oneOfEach(author, site);
    const [record, receipt] = [predicateOf(entries[6]!), predicateOf(entries[7]!)];
    const told = (name: string, seq: number, change = {}): ReturnType<typeof signed> =>
      signed(site, PREDICATE.receipt, { ...receipt, site: name, seq, at: `2026-11-24T10:00:0${seq}Z`, ...change });
    const names = ['whole', 'gap', 'late', 'stranger', 'clock', 'back'];
    await ledger.append(names.map((name) => signed(author, PREDICATE.siteRecord, { ...record, site: name })));
    await ledger.append([...[1, 2, 3].map((seq) => told('whole', seq)), told('gap', 1), told('gap', 3)]);
    await ledger.append([told('late', 1), told('late', 3)]);
    await ledger.append([told('late', 2), told('clock', 1), told('clock', 2, { at: '2026-11-24T10:00:00Z' })]);
    // what fills a gap under another key fills nothing
    const byStranger = signed(author, PREDICATE.receipt, { ...receipt, site: 'stranger', seq: 2 });
    await ledger.append([told('stranger', 1), byStranger, told('stranger', 3)]);
    await ledger.append([told('back', 1), told('back', 2, { event: 'rolled-back' })]);
    const missing = (): Promise<readonly string[]> => ledger.sitesAbout([sha256(utf8('release 2'))]);
    expect(await missing()).toEqual(['gap', 'late', 'stranger', 'clock']);
    expect(await ledger.sitesAbout([release])).toEqual(names);
    expect(await ledger.sitesBack()).toEqual(['back']);
    await ledger.rebuildProjection();
    expect(await missing()).toEqual(['gap', 'late', 'stranger', 'clock']);
    expect(await ledger.verify()).toMatchObject({ ok: true });
    await ledger.close();
  });

  test('tells which receipts name the one before them, by the entries that are asked of, and again when more have come', async () => {
    const ledger = await home().open();
    const receipt = predicateOf(oneOfEach(author, site)[7]!);
    const told = (seq: number, prev: Digest | null, change = {}): ReturnType<typeof signed> =>
      signed(site, PREDICATE.receipt, { ...receipt, seq, prev, at: `2026-11-24T10:00:0${seq}Z`, ...change });
    const digestOf = ({ envelope }: ReturnType<typeof signed>): Digest => statementDigestOf(envelope);
    const first = told(1, null);
    const second = told(2, digestOf(first));
    const third = told(3, digestOf(second));
    const links = async (size?: number): Promise<unknown> =>
      [...(await ledger.receiptLinks(['shop-17'], size)).values()].flat().map(({ index, follows }) => [index, follows]);
    await ledger.append([first]);
    await ledger.append([second, third]);
    const plain = [
      [0, false],
      [1, true],
      [2, true],
    ];
    expect([await links(), await links(2), await links()]).toEqual([plain, plain.slice(0, 2), plain]);
    // a second one of the number comes before the third, which does not name it
    await ledger.append([told(2, digestOf(first), { reason: 'a clone' })]);
    expect(await links()).toEqual([plain[0], plain[1], [3, false], [2, false]]);
    expect(await links(3)).toEqual(plain);
    await ledger.close();
  });
}
