/**
 * Group commit: while one commit waits for the disk, requests gather, and the next commit takes them together.
 *
 * A request is never split over two commits. What fails in a commit fails for all in it: entries are checked before one begins, so
 * what is left to fail is the disk.
 */
import type { AppendResult } from './append.js';
import type { NewEntry, PreparedEntry } from './entry.js';

/** Entries a commit takes at most: with more the last one waits longer than the disk takes (research: p99 77 ms at 2,048). */
const MAX_GROUP = 1000;

interface Request {
  readonly count: number;
  readonly prepared: Promise<readonly PreparedEntry[]>;
  readonly resolve: (results: readonly AppendResult[]) => void;
  readonly reject: (error: unknown) => void;
}

/** What the queue works with: how an entry is checked, how a batch is committed, and how to wait until what is ready to be read has been read (`setImmediate`). */
export interface AppendSteps {
  readonly prepare: (entry: NewEntry) => Promise<PreparedEntry>;
  readonly commit: (batch: readonly PreparedEntry[]) => Promise<readonly AppendResult[]>;
  readonly defer: (run: () => void) => void;
}

/** Makes the function that takes requests, in their order. Entries are checked from the moment they come, also while a commit is written. */
export function appendQueue({ prepare, commit, defer }: AppendSteps): (entries: readonly NewEntry[]) => Promise<readonly AppendResult[]> {
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
      const prepared = Promise.all(entries.map(prepare));
      // heard of when its group is taken
      prepared.catch(() => undefined);
      waiting.push({ count: entries.length, prepared, resolve, reject });
      if (isRunning) return;
      isRunning = true;
      // commitGroup gives every failure to its requests, so nothing can reject here
      defer(() => void drain());
    });
}

function takeGroup(waiting: Request[]): readonly Request[] {
  let [taken, entries] = [0, 0];
  for (const { count } of waiting) {
    entries += count;
    if (taken > 0 && entries > MAX_GROUP) break;
    taken += 1;
  }
  return waiting.splice(0, taken);
}

/** A request with an entry that cannot be logged fails by itself, and those beside it go on. */
async function commitGroup(group: readonly Request[], commit: AppendSteps['commit']): Promise<void> {
  const ready: (Request & { readonly entries: readonly PreparedEntry[] })[] = [];
  for (const request of group) {
    try {
      ready.push({ ...request, entries: await request.prepared });
    } catch (error) {
      request.reject(error);
    }
  }
  if (ready.length === 0) return;
  try {
    const results = await commit(ready.flatMap(({ entries }) => entries));
    let at = 0;
    for (const { count, resolve } of ready) {
      resolve(results.slice(at, at + count));
      at += count;
    }
  } catch (error) {
    for (const { reject } of ready) reject(error);
  }
}
