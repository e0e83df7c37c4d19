/** A log that replaces its key: who signs what, before, during and after, and what the thief of the old key cannot do. */
import { generateKeyPairSync } from 'node:crypto';
import path from 'node:path';
import { formatCheckpointText, openNote, parseCheckpoint, parseNote, parseVkey } from '@sealane/core';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Ledger } from '../ledger.js';
import { ed25519NoteSigner, type NoteSigner } from '../note-signer.js';
import { openLedger } from '../open-ledger.js';
import { orderErasure } from '../testing/erase-suite.js';
import { NOW, ORIGIN, type TestHome, testHome } from '../testing/open.js';
import { numbered, testKey } from '../testing/statements.js';

const author = testKey();
let home: TestHome;
let next: NoteSigner;

beforeEach(() => {
  home = testHome();
  next = ed25519NoteSigner(ORIGIN, generateKeyPairSync('ed25519').privateKey);
});
afterEach(async () => {
  await home.remove();
});

function open(logSigner: NoteSigner, otherSigner?: NoteSigner): Promise<Ledger> {
  return openLedger({ ...home.place, origin: ORIGIN, logSigner, ...(otherSigner === undefined ? {} : { otherSigner }), now: () => NOW });
}

async function witnessed(ledger: Ledger, number: number): Promise<string> {
  await ledger.append([numbered(author, number)]);
  const note = home.cosigned(await ledger.checkpointNote());
  await ledger.saveCosigned(note);
  return note;
}

const signers = (note: string): readonly string[] => {
  const known = [home.signer, next].map(({ vkey }) => parseVkey(vkey));
  return openNote(note, known).verified.map((vkey) => (vkey === known[0] ? 'old' : 'new'));
};

/** The key is replaced at 3 entries, after one under the old key alone and two under both. */
async function replaced(): Promise<{ readonly notes: readonly string[]; readonly ledger: Ledger }> {
  const before = await open(home.signer);
  const first = await witnessed(before, 1);
  await before.close();
  const during = await open(home.signer, next);
  const [second, third] = [await witnessed(during, 2), await witnessed(during, 3)];
  await during.replaceKey(next.vkey);
  await during.replaceKey(next.vkey);
  await during.close();
  const ledger = await open(next);
  return { notes: [first, second, third, await witnessed(ledger, 4)], ledger };
}

test('checkpoints are signed by the old key, then by both, then by the new one, and the ledger is sound', async () => {
  const { notes, ledger } = await replaced();
  expect(notes.map(signers)).toEqual([['old'], ['old', 'new'], ['old', 'new'], ['new']]);
  // a proof names the latest key that signed its checkpoint
  const [old, today] = [home.signer.vkey, next.vkey];
  expect(notes.map((note) => ledger.proofKey(note))).toEqual([old, today, today, today]);
  expect(ledger.vkey).toBe(today);
  for (const checkpoint of notes) expect(await ledger.verify({ checkpoint })).toMatchObject({ ok: true });
  await ledger.close();
});

test('the old key opens the ledger no more, and a process that still has it open signs nothing', async () => {
  const stale = await open(home.signer);
  const during = await open(home.signer, next);
  await during.append([numbered(author, 1)]);
  await during.replaceKey(next.vkey);
  await expect(stale.append([numbered(author, 2)])).rejects.toMatchObject({ code: 'LEDGER_MISMATCH' });
  await stale.close();
  // the process that replaced it goes on with the new key
  await witnessed(during, 3);
  expect(await during.verify()).toMatchObject({ ok: true, size: 2 });
  await during.close();
  await expect(open(home.signer)).rejects.toMatchObject({ code: 'LEDGER_MISMATCH' });
  // killed before the key's file had its name: whichever is named first
  await (await open(home.signer, next)).close();
});

test('what the old key signs behind its last size is no checkpoint of this log', async () => {
  const { notes, ledger } = await replaced();
  const { root } = parseCheckpoint(notes[3] ?? '');
  const text = formatCheckpointText({ origin: ORIGIN, size: 4, root });
  const forged = home.cosigned(`${text}\n${home.signer.sign(text)}`);
  await expect(ledger.saveCosigned(forged)).rejects.toMatchObject({ code: 'LOG_NOT_INCLUDED' });
  await expect(ledger.observe(forged)).rejects.toMatchObject({ code: 'LOG_NOT_INCLUDED' });
  expect((await ledger.verify({ checkpoint: forged })).problems).toMatchObject([{ where: 'checkpoint' }]);
  await ledger.close();
});

test('a key can be replaced before anything was logged, and again', async () => {
  const third = ed25519NoteSigner(ORIGIN, generateKeyPairSync('ed25519').privateKey);
  const empty = await open(home.signer, next);
  await empty.replaceKey(next.vkey);
  await empty.close();
  const second = await open(next, third);
  await second.replaceKey(third.vkey);
  await second.close();
  const ledger = await open(third);
  const note = await witnessed(ledger, 1);
  expect(parseNote(note).signatures).toHaveLength(2);
  expect(await ledger.verify({ checkpoint: note })).toMatchObject({ ok: true, problems: [] });
  await ledger.close();
});

test('what is archived right after, before anything is logged, is signed by the new key, and the ledger is sound', async () => {
  const during = await open(home.signer, next);
  for (const number of [1, 2, 3]) await during.append([numbered(author, number)]);
  await during.replaceKey(next.vkey);
  await during.close();
  const archive = [`oci:${path.join(home.folder, 'cold')}`];
  const ledger = await openLedger({ ...home.place, origin: ORIGIN, logSigner: next, now: () => NOW, archive });
  expect((await ledger.moveOut({ before: 2, predicateTypes: ['urn:example:number:v1'], places: archive })).entries).toBe(2);
  expect(await ledger.verify()).toMatchObject({ ok: true, problems: [] });
  await ledger.close();
});

test('what is erased right after, by an order of before, is signed by the new key, and the ledger is sound', async () => {
  const during = await open(home.signer, next);
  for (const number of [1, 2, 3]) await during.append([numbered(author, number)]);
  const order = await orderErasure(during, 1);
  await during.replaceKey(next.vkey);
  await during.close();
  const ledger = await open(next);
  expect(await ledger.erase(order)).toEqual([1]);
  expect(await ledger.verify()).toMatchObject({ ok: true, problems: [] });
  await expect(ledger.entry(1)).rejects.toMatchObject({ code: 'STATEMENT_ERASED' });
  await ledger.close();
});

test('only a key that is at hand is handed over to', async () => {
  const ledger = await open(home.signer);
  await expect(ledger.replaceKey(next.vkey)).rejects.toMatchObject({ code: 'LEDGER_MISMATCH' });
  expect(await ledger.verify()).toMatchObject({ ok: true });
  await ledger.close();
});

test.each([
  ['another key', `UPDATE log_key SET vkey = (SELECT vkey FROM ledger)`, 'log-key'],
  ['another size, to let the old key sign more', 'UPDATE log_key SET size = 4', 'log-key'],
  ['no row: the old key as if it were today’s', 'DELETE FROM log_key', 'commit'],
  ['a row more, by nobody', `INSERT INTO log_key SELECT 2, 4, 4, vkey, replaced_at, line FROM log_key`, 'log-key'],
])('an edited row is found: %s', async (_, sql, where) => {
  const { ledger } = await replaced();
  await ledger.close();
  const database = new Database(home.place.file);
  for (const name of ['log_key_frozen', 'log_key_kept']) database.exec(`DROP TRIGGER ${name}`);
  database.exec(sql);
  database.close();
  const reader = await openLedger({ ...home.place, origin: ORIGIN, readOnly: true, now: () => NOW });
  const { problems } = await reader.verify();
  expect(problems.filter((problem) => problem.where !== 'schema')).toContainEqual(expect.objectContaining({ where }));
  await reader.close();
});
