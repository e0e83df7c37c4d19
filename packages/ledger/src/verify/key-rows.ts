/** Rows of `log_key`: each is signed by the key before it, and none goes back behind the one before. */
import { parseVkey, SealaneError, type Vkey } from '@sealane/core';
import { type KeyRow, keyRows, keyRowText, type LogKeys } from '../log/log-keys.js';
import type { Queries } from '../store/store.js';
import { isLineOver } from './commit-rows.js';
import type { Problems } from './report.js';

/** The keys of a log that began with `first`; undefined when a key cannot be read, so that signatures cannot be judged. */
export async function checkKeyRows(view: Queries, first: Vkey, problems: Problems): Promise<LogKeys | undefined> {
  let keys: LogKeys = [{ vkey: first, fromSize: -1, fromCosigned: 0 }];
  for (const row of await keyRows(view)) {
    const before = keys.at(-1) ?? keys[0];
    if (row.id !== keys.length) problems.add('log-key', keys.length, `a row before ${row.id}`, 'no row');
    if (!isLineOver(keyRowText(first.name, row), row.line, before.vkey))
      problems.add('log-key', row.id, 'a row signed by the key that it replaces', 'a row that its line does not sign');
    else if (row.size < before.fromSize || row.cosigned < before.fromCosigned)
      problems.add('log-key', row.id, `a size of at least ${before.fromSize}`, `${row.size}`);
    const vkey = keyIn(row);
    if (vkey?.name !== first.name) {
      problems.add('log-key', row.id, `a key of ${first.name}`, row.vkey);
      return undefined;
    }
    keys = [...keys, { vkey, fromSize: row.size, fromCosigned: row.cosigned }];
  }
  return keys;
}

function keyIn({ vkey }: KeyRow): Vkey | undefined {
  try {
    return parseVkey(vkey);
  } catch (error) {
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}
