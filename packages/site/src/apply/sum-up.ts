/**
 * Which queued receipts one receipt may stand for, and what it says of them. Pure.
 *
 * Only refusals are summed up, and earlier summaries: what was installed, taken back or allowed, and what was found beside a release, is told one by one.
 */
import { type Digest, hardwareDrift, type JsonObject } from '@sealane/core';
import {
  MAX_SUMMED_REFUSALS,
  MAX_SUMMED_RUNS,
  type ReceiptPredicate,
  type ReceiptSummary,
  type SummedRefusal,
  type SummedRun,
} from '@sealane/trust';

/** A queued receipt: statement digest, size on disk, what it says. */
export interface WaitingReceipt {
  readonly digest: Digest;
  readonly bytes: number;
  readonly said: ReceiptPredicate;
}

/** How much may wait before refusals are summed up. */
export interface QueueBound {
  readonly receipts: number;
  readonly bytes: number;
}

/** Fewer are not worth another receipt: else a queue of what is never summed up would get one for each refusal. */
const MIN_SUMMED = 8;

/**
 * The summary that is due, or undefined. `queue` is in the order of the chain. The newest half of what may wait stays as it is, for people who look; of the older
 * ones all refusals go but those in which other hardware is seen than in the receipt before.
 */
export function sumUp(queue: readonly WaitingReceipt[], bound: QueueBound): ReceiptSummary | undefined {
  if (queue.length <= bound.receipts && sum(queue.map(({ bytes }) => bytes)) <= bound.bytes) return undefined;
  const older = queue.slice(0, firstKept(queue, bound));
  const chosen: WaitingReceipt[] = [];
  let runs: readonly SummedRun[] = [];
  for (const [at, each] of older.entries()) {
    if (!isSummable(each.said, older[at - 1]?.said)) continue;
    const joined = joinRuns([...runs, ...runsIn(each)]);
    if (joined.length > MAX_SUMMED_RUNS) continue;
    runs = joined;
    chosen.push(each);
  }
  return chosen.length < MIN_SUMMED ? undefined : { runs, ...countsOf(chosen.map(({ said }) => said)) };
}

/** Where the newest begin that take no more than half of either bound. */
function firstKept(queue: readonly WaitingReceipt[], bound: QueueBound): number {
  let [from, bytes] = [queue.length, 0];
  while (from > 0 && queue.length - from < Math.floor(bound.receipts / 2)) {
    bytes += queue[from - 1]?.bytes ?? 0;
    if (bytes > bound.bytes / 2) break;
    from -= 1;
  }
  return from;
}

function isSummable({ event, reason, summary, exceptions, checks, hardware }: ReceiptPredicate, before?: ReceiptPredicate): boolean {
  const isOfKind = event === 'summed-up' ? summary !== undefined : event === 'refused' && reason !== null && exceptions === undefined;
  return isOfKind && !checks.some(({ id }) => id === 'strays') && before !== undefined && isSame(before.hardware, hardware);
}

function isSame(before: JsonObject, now: JsonObject): boolean {
  const { units, firmware } = hardwareDrift(before, now);
  return units.length === 0 && firmware.length === 0;
}

/** A summary that is summed up hands on what it stood for. */
function runsIn({ digest, said: { seq, prev, summary } }: WaitingReceipt): readonly SummedRun[] {
  return [...(summary?.runs ?? []), { from: seq, to: seq, prev, last: digest }];
}

/** In the order of the chain, those that touch made one. */
function joinRuns(runs: readonly SummedRun[]): readonly SummedRun[] {
  const joined: SummedRun[] = [];
  for (const run of [...runs].sort((a, b) => a.from - b.from)) {
    const before = joined.at(-1);
    if (before?.to === run.from - 1) joined[joined.length - 1] = { ...before, to: run.to, last: run.last };
    else joined.push(run);
  }
  return joined;
}

function countsOf(receipts: readonly ReceiptPredicate[]): Omit<ReceiptSummary, 'runs'> {
  const lines = receipts.flatMap(({ release, reason, summary }): readonly SummedRefusal[] =>
    summary === undefined ? [{ reason: reason ?? '', release, count: 1 }] : summary.refused,
  );
  const times = receipts.flatMap(({ at, summary }) => (summary === undefined ? [at] : [summary.since, summary.until])).sort();
  const merged = mergeLines(lines);
  const refused = merged.slice(0, MAX_SUMMED_REFUSALS);
  const others =
    sum(receipts.map(({ summary }) => summary?.others ?? 0)) + sum(merged.slice(MAX_SUMMED_REFUSALS).map(({ count }) => count));
  const [since = '', until = since] = [times[0], times.at(-1)];
  return { count: sum(refused.map(({ count }) => count)) + others, since, until, refused, others };
}

/** The most frequent first; of equal ones in the order in which they came. */
function mergeLines(lines: readonly SummedRefusal[]): readonly SummedRefusal[] {
  const byKey = new Map<string, SummedRefusal>();
  for (const line of lines) {
    const key = `${line.reason} ${line.release ?? ''}`;
    byKey.set(key, { ...line, count: line.count + (byKey.get(key)?.count ?? 0) });
  }
  return [...byKey.values()].sort((a, b) => b.count - a.count);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
