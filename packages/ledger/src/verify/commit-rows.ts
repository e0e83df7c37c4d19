/** The signed commits: each follows the one before, and both its lines are by the log's key over what the row says. */
import { formatCheckpointText, hex, openNote, parseNote, SealaneError, type Vkey } from '@sealane/core';
import { commitKey, type LogKeys } from '../log/log-keys.js';
import { type Commit, commitOf, commitText } from '../log/commits.js';
import { textAt } from '../store/rows.js';
import type { Queries } from '../store/store.js';
import type { Problems } from './report.js';

/** A commit, and whether its row is as the log's key signed it: only then its root is a measure for the entries. */
export interface CheckedCommit extends Commit {
  readonly isSigned: boolean;
}

/** Checks the commits with sizes from `begin` (exclusive) to `end` (inclusive); `previous` is the size of the commit before them. */
export async function checkCommitRows(
  view: Queries,
  range: {
    readonly begin: number;
    readonly end: number;
    readonly previous: number;
    readonly keys: LogKeys | undefined;
    readonly problems: Problems;
  },
): Promise<readonly CheckedCommit[]> {
  const { begin, end, keys, problems } = range;
  const checked: CheckedCommit[] = [];
  let { previous } = range;
  for (const row of await view.all('SELECT * FROM log_commit WHERE size > ? AND size <= ? ORDER BY size', begin, end)) {
    const commit = commitOf(row);
    checkOrder(commit, previous, problems);
    const isSigned = keys !== undefined && checkLines(commit, commitKey(keys, commit.size), problems);
    checked.push({ ...commit, isSigned });
    previous = commit.size;
  }
  return checked;
}

function checkOrder({ size, previous }: Commit, before: number, problems: Problems): void {
  if (previous > before) problems.add('commit', previous, `the commit that ${size} follows`, 'no row');
  else if (previous !== before) problems.add('commit', size, `to follow the commit of size ${before}`, `follows ${previous}`);
}

function checkLines(commit: Commit, vkey: Vkey, problems: Problems): boolean {
  const wrong = wrongLines(commit, vkey);
  if (wrong.length > 0)
    problems.add('commit', commit.size, `a row signed by ${vkey.name}`, `a row that its ${wrong.join(' and ')} does not sign`);
  return wrong.length === 0;
}

/** Which of a commit's lines are not by this key over what its row says. */
export function wrongLines(commit: Commit, vkey: Vkey): readonly string[] {
  const checkpoint = formatCheckpointText({ origin: vkey.name, size: commit.size, root: commit.root });
  return [
    ...(isLineOver(checkpoint, commit.checkpointLine, vkey) ? [] : ['checkpoint line']),
    ...(isLineOver(commitText(vkey.name, commit), commit.commitLine, vkey) ? [] : ['commit line']),
  ];
}

/** The commit of the largest size whose row is as the log's key of then signed it. */
export async function lastSignedCommit(view: Queries, keys: LogKeys): Promise<Commit | undefined> {
  for (let below = Number.MAX_SAFE_INTEGER; ;) {
    const row = await view.get('SELECT * FROM log_commit WHERE size < ? ORDER BY size DESC LIMIT 1', below);
    if (row === undefined) return undefined;
    const commit = commitOf(row);
    if (wrongLines(commit, commitKey(keys, commit.size)).length === 0) return commit;
    below = commit.size;
  }
}

/** Whether `line` is exactly one signature line, by this key, over this text. */
export function isLineOver(text: string, line: string, vkey: Vkey): boolean {
  try {
    const note = `${text}\n${line}`;
    return parseNote(note).text === text && parseNote(note).signatures.length === 1 && openNote(note, [vkey]).verified.length === 1;
  } catch (error) {
    if (error instanceof SealaneError) return false;
    throw error;
  }
}

/** Key hashes (hex) in the lines of the first and the last commit: what to judge the ledger's own key row by. */
export async function keyHashesOfCommits(view: Queries): Promise<readonly string[]> {
  const rows = await view.all(
    'SELECT checkpoint_line, commit_line FROM log_commit WHERE size IN (SELECT min(size) FROM log_commit UNION SELECT max(size) FROM log_commit)',
  );
  return rows.flatMap((row) => [textAt(row, 'checkpoint_line'), textAt(row, 'commit_line')]).flatMap(keyHashesIn);
}

/** Key hashes (hex) in a signature line. */
export function keyHashesIn(line: string): readonly string[] {
  try {
    return parseNote(`text\n\n${line}`).signatures.map(({ keyHash }) => hex(keyHash));
  } catch (error) {
    // the row is named when its own turn comes
    if (error instanceof SealaneError) return [];
    throw error;
  }
}
