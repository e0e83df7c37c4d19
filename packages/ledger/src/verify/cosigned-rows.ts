/** Saved cosigned checkpoints: sealed by the log's key, numbered without a gap, and each a prefix of the entries as they are. */
import { equalBytes, hex, SealaneError } from '@sealane/core';
import { type SavedCheckpoint, savedOf, sealText } from '../log/cosigned.js';
import { type LogKeys, ownCheckpoint, sealKey } from '../log/log-keys.js';
import type { Queries } from '../store/store.js';
import { isLineOver, lastSignedCommit } from './commit-rows.js';
import type { Problems } from './report.js';
import type { Tree } from './tree.js';

/** Checks every row of `cosigned`. */
export async function checkCosignedRows(
  view: Queries,
  { keys, tree, problems }: { readonly keys: LogKeys; readonly tree: Tree; readonly problems: Problems },
): Promise<void> {
  let expected = 0;
  for (const row of await view.all('SELECT * FROM cosigned ORDER BY seq')) {
    const saved = savedOf(row);
    if (saved.seq !== expected) problems.add('cosigned', expected, `a row before ${saved.seq}`, 'no row');
    expected = saved.seq + 1;
    const vkey = sealKey(keys, saved.seq);
    if (!isLineOver(sealText(vkey.name, saved), saved.sealLine, vkey))
      problems.add('cosigned', saved.seq, `a row sealed by ${vkey.name}`, 'a row that its seal does not fit');
    else checkPast(saved, keys, tree, problems);
  }
  const counted = (await lastSignedCommit(view, keys))?.cosigned ?? 0;
  if (expected < counted) problems.add('cosigned', expected, `${counted} rows, as the last commit counted`, `${expected}`);
}

function checkPast(saved: SavedCheckpoint, keys: LogKeys, tree: Tree, problems: Problems): void {
  try {
    const { size, root } = ownCheckpoint(saved.note, keys);
    const actual = tree.roots.get(size);
    if (actual === undefined) problems.add('cosigned', saved.seq, `a log of at least ${size} entries`, `one of ${tree.size}`);
    else if (!equalBytes(actual, root)) problems.add('cosigned', saved.seq, `root ${hex(root)} at size ${size}`, `root ${hex(actual)}`);
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    problems.add('cosigned', saved.seq, `a checkpoint signed by ${keys[0].vkey.name}`, error.message);
  }
}
