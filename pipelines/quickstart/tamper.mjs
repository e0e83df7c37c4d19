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

/** Edits one statement in a copy of the ledger, past the trigger that keeps its rows, and puts that back; returns what was edited. */
export async function editOneRow(file) {
  const database = new Database(file);
  const { sql } = database.prepare("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = 'envelope_frozen'").get();
  database.exec('DROP TRIGGER envelope_frozen');
  database.exec("UPDATE envelope SET payload = CAST(replace(CAST(payload AS TEXT), 'PASSED', 'FAILED') AS BLOB) WHERE idx = 2");
  database.exec(sql);
  database.close();
  return 'the statement of entry 2';
}
