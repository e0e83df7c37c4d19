/**
 * Rows of `log_commit`: the head of the log after each commit, signed twice by the log's key.
 *
 * The checkpoint line goes out to witnesses and verifiers. The commit line stays here: it binds the time and the head before to the head, so
 * that a row that is edited, cut out or put in is found. It counts the cosigned checkpoints too: none can be cut off behind a commit. Its first line is not the log's origin, so nobody can take it for a checkpoint.
 */
import { base64, emptyRoot, formatCheckpointText } from '@sealane/core';
import type { NoteSigner } from '../note-signer.js';
import { bytesAt, integerAt, textAt } from '../store/rows.js';
import type { Queries, Row } from '../store/store.js';

/** Size and root of the log. */
export interface Head {
  readonly size: number;
  readonly root: Uint8Array;
}

/** A commit as recorded. */
export interface Commit extends Head {
  /** Size before it; 0 for the first. */
  readonly previous: number;
  /** Rows of `cosigned` at that time. */
  readonly cosigned: number;
  /** RFC 3339 UTC. */
  readonly committedAt: string;
  readonly checkpointLine: string;
  readonly commitLine: string;
}

/** The last commit, or undefined for an empty log. */
export async function lastCommit(queries: Queries): Promise<Commit | undefined> {
  const row = await queries.get('SELECT * FROM log_commit ORDER BY size DESC LIMIT 1');
  return row === undefined ? undefined : commitOf(row);
}

/** The head: the last commit's, or the empty tree. */
export async function headOf(queries: Queries): Promise<Head> {
  const last = await lastCommit(queries);
  return { size: last?.size ?? 0, root: last?.root ?? emptyRoot() };
}

/** Size after the last commit before `time` (RFC 3339 UTC); 0 before the first. */
export async function sizeAt(log: Queries, time: string): Promise<number> {
  const row = await log.get('SELECT coalesce(max(size), 0) AS size FROM log_commit WHERE committed_at < ?', time);
  return row === undefined ? 0 : integerAt(row, 'size');
}

/** A commit out of its row. */
export function commitOf(row: Row): Commit {
  return {
    size: integerAt(row, 'size'),
    previous: integerAt(row, 'previous'),
    cosigned: integerAt(row, 'cosigned'),
    root: bytesAt(row, 'root'),
    committedAt: textAt(row, 'committed_at'),
    checkpointLine: textAt(row, 'checkpoint_line'),
    commitLine: textAt(row, 'commit_line'),
  };
}

/** The text under a commit line. */
export function commitText(
  origin: string,
  { size, root, previous, cosigned, committedAt }: Pick<Commit, 'size' | 'root' | 'previous' | 'cosigned' | 'committedAt'>,
): string {
  return `urn:sealane:commit:v1 ${origin}\n${size}\n${base64(root)}\n${previous}\n${cosigned}\n${committedAt}\n`;
}

/** Signs and writes the row of a commit. */
export async function insertCommit(
  transaction: Queries,
  {
    origin,
    signer,
    commit,
  }: {
    readonly origin: string;
    readonly signer: NoteSigner;
    readonly commit: Omit<Commit, 'checkpointLine' | 'commitLine'>;
  },
): Promise<void> {
  const checkpointLine = signer.sign(formatCheckpointText({ origin, size: commit.size, root: commit.root }));
  await insertSigned(transaction, { ...commit, checkpointLine, commitLine: signer.sign(commitText(origin, commit)) });
}

/** Writes the row of a commit that is signed. */
export async function insertSigned(transaction: Queries, commit: Commit): Promise<void> {
  const { size, previous, root, cosigned, committedAt, checkpointLine, commitLine } = commit;
  await transaction.run(
    'INSERT INTO log_commit(size, previous, root, cosigned, committed_at, checkpoint_line, commit_line) VALUES (?, ?, ?, ?, ?, ?, ?)',
    size,
    previous,
    root,
    cosigned,
    committedAt,
    checkpointLine,
    commitLine,
  );
}

/** The log-signed checkpoint of a commit, as a note. */
export function checkpointOf(origin: string, { size, root, checkpointLine }: Pick<Commit, 'size' | 'root' | 'checkpointLine'>): string {
  return `${formatCheckpointText({ origin, size, root })}\n${checkpointLine}`;
}
