// What an attacker or a worn-out stick would do, for the walk to show that it is noticed.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import Database from 'better-sqlite3';

/** Flips one byte in the middle of the blob `digest` on a medium; returns the path of the blob on it. */
export async function flipOneByte(medium, digest) {
  const relative = path.join('content', 'blobs', 'sha256', digest.slice('sha256:'.length));
  const file = path.join(medium, relative);
  const bytes = await readFile(file);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] ^= 1;
  await writeFile(file, bytes);
  return relative;
}

/** Edits the time of one entry in a copy of the ledger, past its triggers; returns the name of the row. */
export async function editOneRow(file) {
  const database = new Database(file);
  for (const { name } of database.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").all()) {
    database.exec(`DROP TRIGGER ${name}`);
  }
  database.prepare('UPDATE entry SET envelope = replace(envelope, ?, ?) WHERE idx = 3').run('"payload":"eyJ', '"payload":"eyK');
  database.close();
  return 'entry 3';
}
