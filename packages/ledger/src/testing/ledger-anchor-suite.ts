/** What must hold of the checkpoints that a ledger signs, and of those that it refuses to sign after. */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type ErrorCode, openNote, parseCheckpoint, parseVkey } from '@sealane/core';
import { expect, test } from 'vitest';
import type { NewEntry } from '../log/entry.js';
import { ed25519NoteSigner } from '../note-signer.js';
import { openLedger } from '../open-ledger.js';
import { verifyLedger } from '../verify/verify.js';
import { NOW, ORIGIN, type TestHome } from './open.js';
import { numbered, testKey } from './statements.js';

const withCode = (code: ErrorCode): object => expect.objectContaining({ code }) as object;

/** `home` is an empty place of each test's own, `makeHome` makes one more. */
export function describeAnchor(home: () => TestHome, makeHome: () => TestHome | Promise<TestHome>): void {
  const author = testKey();

  /** Opens the ledger for one statement: where the database is not the promoter's own, opening it already refuses. */
  const appendAlone = async (entry: NewEntry): Promise<void> => {
    const ledger = await home().open();
    try {
      await ledger.append([entry]);
    } finally {
      await ledger.close();
    }
  };

  test('signs its head, and saves cosigned checkpoints in the order in which they came', async () => {
    const ledger = await home().open();
    const notes: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      await ledger.append([numbered(author, n)]);
      const note = await ledger.checkpointNote();
      expect(openNote(note, [parseVkey(ledger.vkey)]).verified).toHaveLength(1);
      expect(parseCheckpoint(note)).toMatchObject({ origin: ORIGIN, size: n + 1 });
      notes.push(home().cosigned(note, 1_000 + n));
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
    const later = home().cosigned(await ledger.checkpointNote(), 1_003);
    await ledger.saveCosigned(later);
    expect(await ledger.firstCosignedCovering(3)).toBe(later);
    expect(await ledger.verify()).toMatchObject({ ok: true });
    await ledger.close();
  });

  test('hands over to another key, and copies that', async () => {
    const next = ed25519NoteSigner(ORIGIN, generateKeyPairSync('ed25519').privateKey);
    const place = { ...home().place, origin: ORIGIN, logSigner: home().signer, otherSigner: next, now: () => NOW };
    const ledger = await openLedger(place);
    await ledger.append([numbered(author, 1)]);
    await ledger.saveCosigned(home().cosigned(await ledger.checkpointNote()));
    await ledger.replaceKey(next.vkey);
    await ledger.append([numbered(author, 2)]);
    const file = path.join(home().folder, 'copy.sqlite');
    await ledger.copyTo(file);
    await ledger.close();
    await expect(home().open()).rejects.toEqual(withCode('LEDGER_MISMATCH'));
    const copy = await openLedger({ file, origin: ORIGIN, readOnly: true, now: () => NOW });
    expect(copy.vkey).toBe(next.vkey);
    expect(await copy.verify()).toMatchObject({ ok: true, size: 2, problems: [] });
    await copy.close();
  });

  test('takes no checkpoint that is another log’s, unsigned, uncosigned, or of another tree', async () => {
    const ledger = await home().open();
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
    const ledger = await home().open();
    await ledger.append([numbered(author, 1)]);
    await ledger.close();
    const backup = await home().backup();
    const later = await home().open();
    await later.append([numbered(author, 2)]);
    await later.saveCosigned(home().cosigned(await later.checkpointNote()));
    await later.close();
    await home().restore(backup);
    await expect(appendAlone(numbered(author, 3))).rejects.toEqual(withCode('LOG_RESTORED'));
    expect((await verifyLedger({ ...home().place, origin: ORIGIN })).size).toBe(1);
    // grown where the anchor is not: as long again, and still not the log that was witnessed
    const grown = await home().openAt(backup);
    await grown.append([numbered(author, 3), numbered(author, 4)]);
    await grown.close();
    await home().restore(backup);
    await expect(appendAlone(numbered(author, 5))).rejects.toEqual(withCode('LOG_FORK'));
  });

  test('refuses to sign for good once it has seen a checkpoint of its own that it does not know', async () => {
    const ledger = await home().open();
    await ledger.append([numbered(author, 1)]);
    await ledger.close();
    const backup = await home().backup();
    const later = await home().open();
    await later.append([numbered(author, 2)]);
    const lost = await later.checkpointNote();
    await later.close();
    const restored = await home().openAt(backup);
    await restored.append([numbered(author, 7)]);
    await expect(restored.observe(lost)).rejects.toEqual(withCode('LOG_FORK'));
    await expect(restored.append([numbered(author, 8)])).rejects.toEqual(withCode('LOG_FORK'));
    await restored.close();
    const again = await home().openAt(backup);
    await expect(again.append([numbered(author, 8)])).rejects.toEqual(withCode('LOG_FORK'));
    await again.close();
  });

  test('what it refuses for is not forgotten when a checkpoint that fits comes after it, nor when it is opened again', async () => {
    const ledger = await home().open();
    await ledger.append([numbered(author, 1)]);
    await ledger.close();
    const backup = await home().backup();
    const later = await home().open();
    await later.append([numbered(author, 2)]);
    const lost = await later.checkpointNote();
    await later.close();
    const restored = await home().openAt(backup);
    await restored.append([numbered(author, 7), numbered(author, 8)]);
    const fitting = home().cosigned(await restored.checkpointNote());
    await restored.saveCosigned(fitting);
    const anchor = readFileSync(`${backup.file}.anchor`);
    await expect(restored.observe(lost)).rejects.toEqual(withCode('LOG_FORK'));
    await expect(restored.observe(fitting)).rejects.toEqual(withCode('LOG_FORK'));
    await expect(restored.saveCosigned(fitting)).rejects.toEqual(withCode('LOG_FORK'));
    await restored.close();
    const again = await home().openAt(backup);
    await expect(again.append([numbered(author, 9)])).rejects.toEqual(withCode('LOG_FORK'));
    await again.close();
    // the anchor alone is what it refuses for
    writeFileSync(`${backup.file}.anchor`, anchor);
    const freed = await home().openAt(backup);
    expect((await freed.append([numbered(author, 9)]))[0]).toMatchObject({ index: 3 });
    await freed.close();
  });

  test('two open ledgers share one anchor: it never goes back, and both heed it', async () => {
    const [one, two] = [await home().open(), await home().open()];
    await one.append([numbered(author, 1)]);
    const early = home().cosigned(await one.checkpointNote());
    await two.append([numbered(author, 2)]);
    const late = home().cosigned(await two.checkpointNote());
    await two.saveCosigned(late);
    await one.saveCosigned(early);
    expect(readFileSync(`${home().place.file}.anchor`, 'utf8')).toBe(late);
    writeFileSync(`${home().place.file}.anchor`, early.slice(0, 40));
    await expect(one.append([numbered(author, 3)])).rejects.toEqual(withCode('LEDGER_DAMAGED'));
    await expect(two.append([numbered(author, 3)])).rejects.toEqual(withCode('LEDGER_DAMAGED'));
    await one.close();
    await two.close();
  });
}
