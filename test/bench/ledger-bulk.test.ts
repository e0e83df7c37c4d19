import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { INTOTO_PAYLOAD_TYPE, makeEnvelope } from '@sealane/core';
import { ed25519NoteSigner, openLedger, verifyLedger } from '@sealane/ledger';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { leafPartsAt } from '../../packages/ledger/src/log/leaf-row.js';
import { ROOT, runProgram } from '../support/run.js';

const ORIGIN = 'lane.example';
const ENTRIES = 2600;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sealane-bulk-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('a ledger that is filled for measuring is what appending the same envelopes makes', async () => {
  const made = path.join(folder, 'made');
  const maker = path.join(ROOT, 'test', 'bench', 'ledger-make.mjs');
  const { exit, stderr } = await runProgram(process.execPath, [maker, '--entries', `${ENTRIES}`, '--data', made]);
  expect([exit, stderr]).toEqual([0, expect.stringContaining('done')]);
  const file = path.join(made, 'home', 'ledger', 'ledger.sqlite');
  expect(await verifyLedger({ file, origin: ORIGIN })).toMatchObject({ ok: true, complete: true, size: ENTRIES });
  const [filled, appended] = [contentsOf(file), contentsOf(await appendAgain(file, path.join(made, 'home', 'keys', 'log.pem')))];
  expect(appended.size).toBe(ENTRIES);
  expect([...filled.schema]).toEqual([...appended.schema]);
  for (const [table, rows] of appended.rows) expect([table, filled.rows.get(table)]).toEqual([table, rows]);
});

/** The envelopes of a ledger appended to an empty one: commit by commit, and what witnesses gave back where it was. */
async function appendAgain(file: string, pem: string): Promise<string> {
  const from = new Database(file, { readonly: true });
  let now = '';
  const logSigner = ed25519NoteSigner(ORIGIN, createPrivateKey(readFileSync(pem)));
  const again = path.join(folder, 'again.sqlite');
  const ledger = await openLedger({ file: again, origin: ORIGIN, logSigner, now: () => now });
  const commits = from.prepare('SELECT size, previous, committed_at FROM log_commit ORDER BY size').all() as Commit[];
  const entries = from.prepare<[number, number], Entry>(
    'SELECT e.leaf, v.payload FROM log_entry e JOIN envelope v ON v.idx = e.idx WHERE e.idx >= ? AND e.idx < ? ORDER BY e.idx',
  );
  const saved = from.prepare<[number], { note: string; saved_at: string }>('SELECT note, saved_at FROM cosigned WHERE size = ?');
  for (const { size, previous, committed_at } of commits) {
    now = committed_at;
    await ledger.append(entries.all(previous, size).map(signed));
    for (const { note, saved_at } of saved.all(size)) {
      now = saved_at;
      await ledger.saveCosigned(note);
    }
  }
  await ledger.close();
  from.close();
  return again;
}

interface Commit {
  readonly size: number;
  readonly previous: number;
  readonly committed_at: string;
}

interface Entry {
  readonly leaf: Uint8Array;
  readonly payload: Uint8Array;
}

function signed({ payload, ...row }: Entry): { readonly envelope: ReturnType<typeof makeEnvelope>; readonly spki: Uint8Array } {
  const { signature, spki } = leafPartsAt({ ...row });
  return { envelope: makeEnvelope(INTOTO_PAYLOAD_TYPE, payload, signature), spki };
}

interface Contents {
  readonly size: number;
  readonly schema: ReadonlyMap<string, string>;
  readonly rows: ReadonlyMap<string, readonly unknown[]>;
}

/** What statements made a database, and the rows of each table. */
function contentsOf(file: string): Contents {
  const database = new Database(file, { readonly: true });
  const made = database.prepare('SELECT name, type, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name').all() as Made[];
  const tables = made.filter(({ type }) => type === 'table').map(({ name }) => name);
  const rows = new Map(tables.map((name) => [name, database.prepare(`SELECT * FROM ${name} ORDER BY 1, 2`).all()]));
  database.close();
  return { size: rows.get('log_entry')?.length ?? 0, schema: new Map(made.map(({ name, sql }) => [name, sql])), rows };
}

interface Made {
  readonly name: string;
  readonly type: string;
  readonly sql: string;
}
