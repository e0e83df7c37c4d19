/** What must hold of payloads that were moved to an archive, whatever database keeps the rows. */
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Digest, type ErrorCode, leafHash, PREDICATE, sha256, utf8, verifyInclusion } from '@sealane/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Ledger } from '../ledger.js';
import { fsckLedger } from '../verify/fsck.js';
import type { LedgerPlace } from '../store/place.js';
import type { TestHome } from './open.js';
import { numbered, oneOfEach, testKey } from './statements.js';

const withCode = (code: ErrorCode): object => expect.objectContaining({ code }) as object;
const NUMBER = 'urn:example:number:v1';

/** Describes the archive of a ledger on one kind of store. */
export function describeArchive(name: string, makeHome: () => TestHome | Promise<TestHome>): void {
  const author = testKey();
  let home: TestHome;
  let folders: readonly string[];
  let place: LedgerPlace;

  beforeEach(async () => {
    home = await makeHome();
    folders = ['warm', 'cold'].map((folder) => path.join(home.folder, folder));
    place = { ...home.place, archive: folders.map((folder) => `oci:${folder}`) };
  });
  afterEach(async () => {
    await home.remove();
  });

  /** A ledger of one of each kind, then `count` numbers, a checkpoint saved. */
  async function filled(count: number): Promise<Ledger> {
    const ledger = await home.openAt(place);
    await ledger.append([...oneOfEach(author, testKey()), ...Array.from({ length: count }, (_, n) => numbered(author, n + 2))]);
    await ledger.saveCosigned(home.cosigned(await ledger.checkpointNote()));
    return ledger;
  }

  const moveNumbers = (ledger: Ledger, before = 1000): ReturnType<Ledger['moveOut']> =>
    ledger.moveOut({ before, predicateTypes: [NUMBER], places: place.archive ?? [] });

  const blobsIn = (folder: string): readonly string[] => {
    const blobs = path.join(folder, 'blobs', 'sha256');
    return readdirSync(blobs).map((blob) => path.join(blobs, blob));
  };
  const packsIn = (folder: string): readonly string[] => blobsIn(folder).filter((file) => readFileSync(file)[0] === 0x1f);

  describe(name, () => {
    test('what was moved is read, proved, rebuilt and verified as before, and can be moved back', async () => {
      const ledger = await filled(30);
      const [before, proofs] = [await ledger.entries(0, 1000), await ledger.inclusionProof(20, 39)];
      expect(await moveNumbers(ledger)).toMatchObject({ entries: 30, packs: 1 });
      for (const folder of folders) expect(packsIn(folder)).toHaveLength(1);
      const anew = await home.openAt(place);
      expect(await anew.entries(0, 1000)).toEqual(before);
      expect(await anew.entry(20)).toEqual(before[20]);
      expect(await anew.byStatement(before[20]!.statementDigest)).toEqual([before[20]]);
      expect(await anew.statementsOf([NUMBER])).toHaveLength(31);
      // what is elsewhere may hold any word
      const naming = await anew.statementsNaming({ types: [NUMBER], word: 'nowhere' });
      expect(naming).toEqual(expect.arrayContaining(Array.from({ length: 30 }, (_, at) => at + 8)));
      expect(await anew.inclusionProof(20, 39)).toEqual(proofs);
      const { leaf, statementDigest } = await anew.entryLeaf(20);
      expect(statementDigest).toBe(before[20]!.statementDigest);
      verifyInclusion({ leafHash: leafHash(leaf), index: 20, size: 39, proof: proofs, root: await anew.rootAt(39) });
      expect(await anew.verify()).toMatchObject({ ok: true, problems: [], unseen: null, size: 39 });
      expect(await fsckLedger(place)).toMatchObject({ ok: true, archived: 30, gone: [] });
      await anew.rebuildProjection();
      expect(await anew.verify()).toMatchObject({ ok: true });
      // the same statement again is known, although its envelope is elsewhere; the newest stayed, and others go behind it
      expect(await anew.append([numbered(author, 30), numbered(author, 5000)])).toMatchObject([
        { index: 37, existed: true },
        { index: 39 },
      ]);
      expect(await moveNumbers(anew)).toMatchObject({ entries: 1, packs: 1 });
      expect(await moveNumbers(anew)).toMatchObject({ entries: 0, packs: 0 });
      expect(await anew.moveIn({ from: 10, to: 20 })).toEqual({ entries: 10 });
      expect(await fsckLedger(place)).toMatchObject({ ok: true, archived: 21 });
      expect(await anew.moveIn({ from: 0, to: 1000 })).toEqual({ entries: 21 });
      for (const folder of folders) rmSync(folder, { recursive: true });
      expect(await (await home.openAt(home.place)).verify()).toMatchObject({ ok: true, unseen: null });
      expect(await moveNumbers(anew)).toMatchObject({ entries: 31 });
      expect(await anew.verify()).toMatchObject({ ok: true });
      await anew.close();
      await ledger.close();
    });

    test('more than a pack holds goes into several', async () => {
      const ledger = await filled(270);
      expect(await moveNumbers(ledger)).toMatchObject({ entries: 270, packs: 2 });
      for (const folder of folders) expect(packsIn(folder)).toHaveLength(2);
      expect(await ledger.statementsOf([NUMBER])).toHaveLength(271);
      await ledger.close();
    });

    test('other kinds and later entries stay, and nothing is asked of an archive that need not be read', async () => {
      const ledger = await filled(20);
      expect(await moveNumbers(ledger, 15)).toMatchObject({ entries: 7 });
      for (const folder of folders) rmSync(folder, { recursive: true });
      expect(await ledger.entry(15)).toMatchObject({ index: 15 });
      expect(await ledger.statementsOf([PREDICATE.receipt])).toHaveLength(1);
      await ledger.close();
    });

    test('documents are packed beside entries, read back, told as moved, and fetched; rows are signed for', async () => {
      const ledger = await filled(20);
      const texts = Array.from({ length: 300 }, (_, n) => utf8(`report ${n}`));
      const contents = new Map(texts.map((bytes) => [sha256(bytes), bytes]));
      const [gone, ...documents] = contents.keys();
      const moved: string[] = [];
      const wish = {
        documents: [...contents.keys()],
        // one is not there any more
        read: (digest: Digest) => (digest === gone ? undefined : contents.get(digest)),
        places: place.archive ?? [],
        moved: (some: readonly Digest[]) => void moved.push(...some),
      };
      expect(await ledger.moveDocumentsOut(wish)).toMatchObject({ entries: 299, packs: 2 });
      expect(moved).toEqual(documents);
      for (const folder of folders) expect(packsIn(folder)).toHaveLength(2);
      await moveNumbers(ledger);
      expect(await ledger.verify()).toMatchObject({ ok: true, problems: [] });
      await ledger.close();
      rmSync(folders[0]!, { recursive: true });
      const anew = await home.openAt(place);
      expect(await anew.documentsArchived([...contents.keys()])).toEqual(new Set(documents));
      expect(await anew.archivedDocument(documents[280]!)).toEqual(contents.get(documents[280]!));
      expect(await anew.archivedDocument(gone!)).toBeUndefined();
      // packed again it lies there once, and either pack will do
      expect(await anew.moveDocumentsOut({ ...wish, documents: documents.slice(0, 3) })).toMatchObject({ entries: 3, packs: 1 });
      expect(await anew.verify()).toMatchObject({ ok: true });
      await anew.close();
      const [newest] = packsIn(folders[0]!);
      rmSync(newest!);
      rmSync(path.join(folders[1]!, 'blobs', 'sha256', path.basename(newest!)));
      const later = await home.openAt(place);
      expect(await later.archivedDocument(documents[2]!)).toEqual(contents.get(documents[2]!));
      await later.close();
      for (const folder of folders) renameSync(folder, `${folder}.away`);
      const cut = await home.openAt(place);
      await expect(cut.archivedDocument(documents[2]!)).rejects.toEqual(withCode('ARCHIVE_UNREACHABLE'));
      await cut.close();
      for (const folder of folders) {
        renameSync(`${folder}.away`, folder);
        for (const pack of packsIn(folder)) rmSync(pack);
      }
      const without = await home.openAt(place);
      await expect(without.archivedDocument(documents[2]!)).rejects.toEqual(withCode('ARCHIVE_DAMAGED'));
      await without.close();
    });

    test('an archive that is away is said to be away: nothing is taken for nothing, proofs and the tree hold, logging goes on', async () => {
      const ledger = await filled(20);
      await moveNumbers(ledger);
      await ledger.close();
      for (const folder of folders) renameSync(folder, `${folder}.away`);
      const cut = await home.openAt(place);
      await expect(cut.entry(12)).rejects.toEqual(withCode('ARCHIVE_UNREACHABLE'));
      await expect(cut.statementsOf([NUMBER])).rejects.toEqual(withCode('ARCHIVE_UNREACHABLE'));
      await expect(cut.rebuildProjection()).rejects.toEqual(withCode('ARCHIVE_UNREACHABLE'));
      await expect(cut.moveIn({ from: 0, to: 100 })).rejects.toEqual(withCode('ARCHIVE_UNREACHABLE'));
      expect(await cut.verify()).toMatchObject({ ok: false, problems: [], unseen: { entries: 20 }, size: 29, root: await cut.rootAt(29) });
      expect(await cut.inclusionProof(12, 29)).toHaveLength(5);
      expect(await cut.append([numbered(author, 900)])).toMatchObject([{ index: 29 }]);
      await cut.close();
      // a ledger whose place names no archive says so too
      const none = await home.openAt(home.place);
      await expect(none.entry(12)).rejects.toMatchObject({
        code: 'ARCHIVE_UNREACHABLE',
        message: expect.stringContaining('archive.json') as string,
      });
      await none.close();
      renameSync(`${folders[1]!}.away`, folders[1]!);
      expect(await fsckLedger(place)).toMatchObject({ ok: true, unseen: null });
    });

    test('a pack that was changed counts for nothing; another place may have it', async () => {
      const ledger = await filled(20);
      await moveNumbers(ledger);
      await ledger.close();
      const spoil = (folder: string): void => {
        for (const file of packsIn(folder)) writeFileSync(file, readFileSync(file).fill(7, 40, 44));
      };
      spoil(folders[0]!);
      expect(await fsckLedger(place)).toMatchObject({ ok: true });
      spoil(folders[1]!);
      const report = await fsckLedger(place);
      expect(report.problems.map(({ where, key }) => `${where} ${key}`)).toEqual(Array.from({ length: 20 }, (_, at) => `entry ${at + 8}`));
      const read = await home.openAt(place);
      await expect(read.entry(12)).rejects.toEqual(withCode('ARCHIVE_DAMAGED'));
      await read.close();
    });

    test('a place that cannot be written costs nothing: every envelope stays', async () => {
      const ledger = await filled(20);
      writeFileSync(folders[1]!, 'a file where a folder should be');
      await expect(moveNumbers(ledger)).rejects.toThrow();
      expect(await fsckLedger(home.place)).toMatchObject({ ok: true, archived: 0 });
      rmSync(folders[1]!);
      expect(await moveNumbers(ledger)).toMatchObject({ entries: 20 });
      await ledger.close();
    });

    test('a copy of the ledger takes the rows, and needs the same archive', async () => {
      const ledger = await filled(20);
      await moveNumbers(ledger);
      const file = path.join(mkdtempSync(path.join(home.folder, 'copy-')), 'ledger.sqlite');
      await ledger.copyTo(file);
      await ledger.close();
      expect(await fsckLedger({ file })).toMatchObject({ ok: false, archived: 20, problems: [], unseen: { entries: 20 } });
      expect(await fsckLedger({ file, archive: place.archive ?? [] })).toMatchObject({ ok: true, archived: 20 });
    });
  });
}
