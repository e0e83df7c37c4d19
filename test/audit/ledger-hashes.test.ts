/** `ledger fsck --hashes` on every core: the bundled program with its threads says what one thread says, of a sound log and of edited ones. */
import { copyFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { base64 } from '@sealane/core';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestHome, testHome } from '../../packages/ledger/src/testing/open.js';
import { numbered, testKey } from '../../packages/ledger/src/testing/statements.js';
import { checkHashes } from '../../packages/ledger/src/verify/hashes.js';
import { runJson } from '../support/run.js';

/** Two chunks, and tiles of both that are full. */
const SIZES = [4000, 4096, 4700];

let home: TestHome;

/** Cosigned inside each chunk, and between them. */
beforeAll(async () => {
  home = testHome();
  const [ledger, key] = [await home.open(), testKey()];
  for (const [at, size] of SIZES.entries()) {
    const from = SIZES[at - 1] ?? 0;
    await ledger.append(Array.from({ length: size - from }, (_, n) => numbered(key, from + n)));
    await ledger.saveCosigned(home.cosigned(await ledger.checkpointNote()));
  }
  await ledger.close();
});

afterAll(async () => {
  await home.remove();
});

/** A copy of the file after an edit behind the back of its triggers. */
function edited(sql: string): string {
  const file = path.join(home.folder, 'copy.sqlite');
  copyFileSync(home.place.file, file);
  const database = new Database(file);
  database.pragma('foreign_keys = OFF');
  const triggers = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all() as string[];
  for (const name of triggers) database.exec(`DROP TRIGGER ${name}`);
  database.exec(sql);
  // another copy has this one's place next
  database.pragma('journal_mode = DELETE');
  database.close();
  return file;
}

const LEAF = 'UPDATE log_entry SET leaf = (SELECT leaf FROM log_entry WHERE idx = 8) WHERE idx =';
it.each([
  ['of a sound log', '', []],
  ['of a leaf in the second chunk', `${LEAF} 4300`, ['tile 0/16', 'commit 4700', 'cosigned 2']],
  ['of a leaf behind the last full tile', `${LEAF} 4699`, ['commit 4700', 'cosigned 2']],
  [
    'of a leaf that is gone from the first',
    'DELETE FROM log_entry WHERE idx = 3900',
    ['entry 3900', 'cosigned 0', 'cosigned 1', 'cosigned 2'],
  ],
  [
    'of edits everywhere, the first first',
    `${LEAF} 3; ${LEAF} 4200; UPDATE hash_tile SET data = zeroblob(8192) WHERE n = 7; DELETE FROM hash_tile WHERE n = 15`,
    ['tile 0/0', 'tile 0/7', 'tile 0/15', 'tile 0/16', 'commit 4700', 'cosigned 0', 'cosigned 1', 'cosigned 2'],
  ],
])('D1 says on every core what it says on one, %s', async (_, sql, expected) => {
  const file = edited(sql);
  const { json, stderr } = await runJson('sealane', ['ledger', 'fsck', '--file', file, '--hashes'], { env: { NODE_DEBUG: 'worker' } });
  expect(json.problems.map(({ where, key }: { where: string; key: string }) => `${where} ${key}`)).toEqual(expected);
  const { root, ...alone } = await checkHashes({ file });
  expect(json).toMatchObject({ ok: alone.ok, origin: alone.origin, size: alone.size, root: base64(root), problems: alone.problems });
  if (availableParallelism() > 1) expect(stderr).toContain('created Worker with ID 2');
});
