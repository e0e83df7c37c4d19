/** What must hold of a ledger, whatever database keeps its rows. */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  type Digest,
  envelopePayload,
  type ErrorCode,
  hex,
  type JsonObject,
  leafHash,
  logLeaf,
  openNote,
  parseCheckpoint,
  parseStatement,
  parseVkey,
  PREDICATE,
  sha256,
  statementDigestOf,
  utf8,
  verifyConsistency,
  verifyInclusion,
} from '@sealane/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NewEntry } from '../log/entry.js';
import { ed25519NoteSigner } from '../note-signer.js';
import { openLedger } from '../open-ledger.js';
import { verifyLedger } from '../verify/verify.js';
import { NOW, ORIGIN, type TestHome } from './open.js';
import { numbered, oneOfEach, signed, testKey } from './statements.js';

const withCode = (code: ErrorCode): object => expect.objectContaining({ code }) as object;
const release = sha256(utf8('release 1'));
/** Nothing is said about it. */
const stranger = sha256(utf8('release 2'));

function predicateOf({ envelope }: NewEntry): JsonObject {
  return parseStatement(envelopePayload(envelope)).predicate;
}

/** Describes the ledger on one kind of store; `makeHome` makes an empty place for one. */
export function describeLedger(name: string, makeHome: () => TestHome | Promise<TestHome>): void {
  const author = testKey();
  const site = testKey();
  let home: TestHome;

  beforeEach(async () => {
    home = await makeHome();
  });
  afterEach(async () => {
    await home.remove();
  });

  /** Opens the ledger for one statement: where the database is not the promoter's own, opening it already refuses. */
  const appendAlone = async (entry: NewEntry): Promise<void> => {
    const ledger = await home.open();
    try {
      await ledger.append([entry]);
    } finally {
      await ledger.close();
    }
  };

  describe(name, () => {
    test('logs statements and proves every one of them at every size', async () => {
      const ledger = await home.open();
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
      const ledger = await home.open();
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
      const ledger = await home.open();
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
      const ledger = await home.open();
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
      const [one, two] = [await home.open(), await home.open()];
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
      const first = await home.open();
      await first.append(Array.from({ length: 255 }, (_, n) => numbered(author, n)));
      await first.append(Array.from({ length: 2 }, (_, n) => numbered(author, 255 + n)));
      await first.close();
      const second = await home.open();
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

    test('finds the last decision of those who may decide, where their keys count', async () => {
      const ledger = await home.open();
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
      const ledger = await home.open();
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
        withHardware: await ledger.sitesWithHardware({ isNamed: (found) => 'devices' in found, bytes: utf8('no such bytes') }),
        holding: await ledger.sitesWithHardware({ isNamed: () => false, bytes: utf8('shop-17') }),
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
      const ledger = await home.open();
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
      const ledger = await home.open();
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

    test('signs its head, and saves cosigned checkpoints in the order in which they came', async () => {
      const ledger = await home.open();
      const notes: string[] = [];
      for (let n = 0; n < 3; n += 1) {
        await ledger.append([numbered(author, n)]);
        const note = await ledger.checkpointNote();
        expect(openNote(note, [parseVkey(ledger.vkey)]).verified).toHaveLength(1);
        expect(parseCheckpoint(note)).toMatchObject({ origin: ORIGIN, size: n + 1 });
        notes.push(home.cosigned(note, 1_000 + n));
      }
      expect(await ledger.latestCosigned()).toBeNull();
      await ledger.saveCosigned(notes[1]!);
      await ledger.saveCosigned(notes[2]!);
      await ledger.saveCosigned(notes[0]!);
      await ledger.saveCosigned(notes[2]!);
      expect(await ledger.latestCosigned()).toBe(notes[2]);
      // the first that was saved: an answer once given stays
      for (const index of [1, 0, 1]) expect(await ledger.firstCosignedCovering(index)).toBe(notes[1]);
      expect(await ledger.firstCosignedCovering(0, (note) => note !== notes[1])).toBe(notes[2]);
      expect(await ledger.firstCosignedCovering(2)).toBe(notes[2]);
      expect(await ledger.firstCosignedCovering(3)).toBeNull();
      await ledger.append([numbered(author, 3)]);
      const later = home.cosigned(await ledger.checkpointNote(), 1_003);
      await ledger.saveCosigned(later);
      expect(await ledger.firstCosignedCovering(3)).toBe(later);
      expect(await ledger.verify()).toMatchObject({ ok: true });
      await ledger.close();
    });

    test('hands over to another key, and copies that', async () => {
      const next = ed25519NoteSigner(ORIGIN, generateKeyPairSync('ed25519').privateKey);
      const place = { ...home.place, origin: ORIGIN, logSigner: home.signer, otherSigner: next, now: () => NOW };
      const ledger = await openLedger(place);
      await ledger.append([numbered(author, 1)]);
      await ledger.saveCosigned(home.cosigned(await ledger.checkpointNote()));
      await ledger.replaceKey(next.vkey);
      await ledger.append([numbered(author, 2)]);
      const file = path.join(home.folder, 'copy.sqlite');
      await ledger.copyTo(file);
      await ledger.close();
      await expect(home.open()).rejects.toEqual(withCode('LEDGER_MISMATCH'));
      const copy = await openLedger({ file, origin: ORIGIN, readOnly: true, now: () => NOW });
      expect(copy.vkey).toBe(next.vkey);
      expect(await copy.verify()).toMatchObject({ ok: true, size: 2, problems: [] });
      await copy.close();
    });

    test('takes no checkpoint that is another log’s, unsigned, uncosigned, or of another tree', async () => {
      const ledger = await home.open();
      await ledger.append([numbered(author, 1)]);
      const own = await ledger.checkpointNote();
      await expect(ledger.saveCosigned(own)).rejects.toEqual(withCode('LOG_WITNESS'));
      const other = await makeHome();
      const stranger = await other.open();
      await stranger.append([numbered(author, 2)]);
      await expect(ledger.saveCosigned(other.cosigned(await stranger.checkpointNote()))).rejects.toEqual(withCode('LOG_NOT_INCLUDED'));
      await stranger.close();
      await other.remove();
      expect(await ledger.latestCosigned()).toBeNull();
      expect((await ledger.append([numbered(author, 3)]))[0]).toMatchObject({ index: 1 });
      await ledger.close();
    });

    test('refuses to sign after an old copy was restored, however far the copy is appended to elsewhere', async () => {
      const ledger = await home.open();
      await ledger.append([numbered(author, 1)]);
      await ledger.close();
      const backup = await home.backup();
      const later = await home.open();
      await later.append([numbered(author, 2)]);
      await later.saveCosigned(home.cosigned(await later.checkpointNote()));
      await later.close();
      await home.restore(backup);
      await expect(appendAlone(numbered(author, 3))).rejects.toEqual(withCode('LOG_RESTORED'));
      expect((await verifyLedger({ ...home.place, origin: ORIGIN })).size).toBe(1);
      // grown where the anchor is not: as long again, and still not the log that was witnessed
      const grown = await home.openAt(backup);
      await grown.append([numbered(author, 3), numbered(author, 4)]);
      await grown.close();
      await home.restore(backup);
      await expect(appendAlone(numbered(author, 5))).rejects.toEqual(withCode('LOG_FORK'));
    });

    test('refuses to sign for good once it has seen a checkpoint of its own that it does not know', async () => {
      const ledger = await home.open();
      await ledger.append([numbered(author, 1)]);
      await ledger.close();
      const backup = await home.backup();
      const later = await home.open();
      await later.append([numbered(author, 2)]);
      const lost = await later.checkpointNote();
      await later.close();
      const restored = await home.openAt(backup);
      await restored.append([numbered(author, 7)]);
      await expect(restored.observe(lost)).rejects.toEqual(withCode('LOG_FORK'));
      await expect(restored.append([numbered(author, 8)])).rejects.toEqual(withCode('LOG_FORK'));
      await restored.close();
      const again = await home.openAt(backup);
      await expect(again.append([numbered(author, 8)])).rejects.toEqual(withCode('LOG_FORK'));
      await again.close();
    });

    test('what it refuses for is not forgotten when a checkpoint that fits comes after it, nor when it is opened again', async () => {
      const ledger = await home.open();
      await ledger.append([numbered(author, 1)]);
      await ledger.close();
      const backup = await home.backup();
      const later = await home.open();
      await later.append([numbered(author, 2)]);
      const lost = await later.checkpointNote();
      await later.close();
      const restored = await home.openAt(backup);
      await restored.append([numbered(author, 7), numbered(author, 8)]);
      const fitting = home.cosigned(await restored.checkpointNote());
      await restored.saveCosigned(fitting);
      const anchor = readFileSync(`${backup.file}.anchor`);
      await expect(restored.observe(lost)).rejects.toEqual(withCode('LOG_FORK'));
      await expect(restored.observe(fitting)).rejects.toEqual(withCode('LOG_FORK'));
      await expect(restored.saveCosigned(fitting)).rejects.toEqual(withCode('LOG_FORK'));
      await restored.close();
      const again = await home.openAt(backup);
      await expect(again.append([numbered(author, 9)])).rejects.toEqual(withCode('LOG_FORK'));
      await again.close();
      // the anchor alone is what it refuses for
      writeFileSync(`${backup.file}.anchor`, anchor);
      const freed = await home.openAt(backup);
      expect((await freed.append([numbered(author, 9)]))[0]).toMatchObject({ index: 3 });
      await freed.close();
    });

    test('two open ledgers share one anchor: it never goes back, and both heed it', async () => {
      const [one, two] = [await home.open(), await home.open()];
      await one.append([numbered(author, 1)]);
      const early = home.cosigned(await one.checkpointNote());
      await two.append([numbered(author, 2)]);
      const late = home.cosigned(await two.checkpointNote());
      await two.saveCosigned(late);
      await one.saveCosigned(early);
      expect(readFileSync(`${home.place.file}.anchor`, 'utf8')).toBe(late);
      writeFileSync(`${home.place.file}.anchor`, early.slice(0, 40));
      await expect(one.append([numbered(author, 3)])).rejects.toEqual(withCode('LEDGER_DAMAGED'));
      await expect(two.append([numbered(author, 3)])).rejects.toEqual(withCode('LEDGER_DAMAGED'));
      await one.close();
      await two.close();
    });

    test('a copy is an SQLite file with every row, which anybody can check', async () => {
      const ledger = await home.open();
      await ledger.append([...oneOfEach(author, site), ...Array.from({ length: 256 }, (_, n) => numbered(author, 100 + n))]);
      await ledger.saveCosigned(home.cosigned(await ledger.checkpointNote()));
      const file = `${home.place.file}.copy`;
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
      const ledger = await home.open();
      const named = (version: string): ReturnType<typeof signed> =>
        signed(author, 'urn:sealane:release:v1', { name: 'api', version, components: [] });
      for (const version of ['1.0\u0000', 'x'.repeat(2000)]) {
        await expect(ledger.append([named(version)])).rejects.toEqual(withCode('STATEMENT_MALFORMED'));
      }
      await expect(ledger.append([signed(author, 'urn:example:\u0000', {})])).rejects.toEqual(withCode('STATEMENT_MALFORMED'));
      expect(await ledger.append([named('1.0')])).toMatchObject([{ index: 0 }]);
      await ledger.close();
    });
  });
}
