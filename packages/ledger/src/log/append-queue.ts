/**
 * Group commit: while one commit waits for the disk, requests gather, and the next commit takes them together.
 *
 * A request is never split over two commits. What fails in a commit fails for all in it: entries are checked before they queue here, so
 * what is left to fail is the disk.
 */
import type { AppendResult } from './append.js';
import type { PreparedEntry } from './entry.js';

/** Entries a commit takes at most: with more the last one waits longer than the disk takes (research: p99 77 ms at 2,048). */
const MAX_GROUP = 1000;

interface Request {
  readonly entries: readonly PreparedEntry[];
  readonly resolve: (results: readonly AppendResult[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Commits a batch durably. */
export type CommitBatch = (batch: readonly PreparedEntry[]) => Promise<readonly AppendResult[]>;

/** Makes the function that queues a request. `defer` runs a callback after what is ready to be read has been read (`setImmediate`). */
export function appendQueue(commit: CommitBatch, defer: (run: () => void) => void): CommitBatch {
  const waiting: Request[] = [];
  let isRunning = false;

  const drain = async (): Promise<void> => {
    for (let group = takeGroup(waiting); group.length > 0; group = takeGroup(waiting)) {
      await commitGroup(group, commit);
      await new Promise<void>(defer);
    }
    isRunning = false;
  };

  return (entries) =>
    new Promise((resolve, reject) => {
      waiting.push({ entries, resolve, reject });
      if (isRunning) return;
      isRunning = true;
      // commitGroup gives every failure to its requests, so nothing can reject here
      defer(() => void drain());
    });
}

function takeGroup(waiting: Request[]): readonly Request[] {
  let [count, entries] = [0, 0];
  for (const request of waiting) {
    entries += request.entries.length;
    if (count > 0 && entries > MAX_GROUP) break;
    count += 1;
  }
  return waiting.splice(0, count);
}

async function commitGroup(group: readonly Request[], commit: CommitBatch): Promise<void> {
  try {
    const results = await commit(group.flatMap(({ entries }) => entries));
    let at = 0;
    for (const { entries, resolve } of group) {
      resolve(results.slice(at, at + entries.length));
      at += entries.length;
    }
  } catch (error) {
    for (const { reject } of group) reject(error);
  }
}
