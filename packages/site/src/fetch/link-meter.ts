/** What one sync sees of its links, by kind of upstream, from what it asks for anyway: no request is made to measure anything. */
import { LINK_KINDS, type LinkKind } from '@sealane/trust';

/** Answers below this come at once with their first byte: they tell nothing of a rate. */
const BULK_BYTES = 16 * 1024;

/** Of upstreams of one kind. `firstBytesMs` = the last of them, of small requests. */
export type Measured = {
  readonly over: LinkKind;
  readonly requests: number;
  readonly unanswered: number;
  readonly firstBytesMs: readonly number[];
  readonly bulkBytes: number;
  readonly bulkMs: number;
};

/** Times that are kept, for their median: a sync makes some twenty small requests. */
export const MAX_TIMES = 128;

/** What is told of the upstreams of one kind. */
export interface LinkMeter {
  asked(): void;
  /** A request got no whole answer. */
  unanswered(): void;
  /** From a small request on an open connection to the first byte of its answer. */
  firstByte(ms: number): void;
  /** Content that came in so many seconds of waiting for it. */
  bulk(bytes: number, seconds: number): void;
}

/** The meters of one sync. */
export interface LinkMeters {
  /** That of a place, by its address or folder. */
  of(at: string): LinkMeter;
  /** Of each kind that was used. */
  measured(): readonly Measured[];
}

/** Nothing was seen yet. */
export function linkMeters(): LinkMeters {
  const seen = new Map<LinkKind, Measured>();
  const meterOf = (over: LinkKind): LinkMeter => {
    const add = (what: (before: Measured) => Partial<Measured>): void => {
      const before = seen.get(over) ?? { over, requests: 0, unanswered: 0, firstBytesMs: [], bulkBytes: 0, bulkMs: 0 };
      seen.set(over, { ...before, ...what(before) });
    };
    return {
      asked: () => add(({ requests }) => ({ requests: requests + 1 })),
      unanswered: () => add(({ unanswered }) => ({ unanswered: unanswered + 1 })),
      firstByte: (ms) => add(({ firstBytesMs }) => ({ firstBytesMs: lastTimes([...firstBytesMs, Math.round(ms)]) })),
      bulk: (bytes, seconds) => {
        if (bytes >= BULK_BYTES)
          add(({ bulkBytes, bulkMs }) => ({ bulkBytes: bulkBytes + bytes, bulkMs: bulkMs + Math.round(seconds * 1000) }));
      },
    };
  };
  const meters = new Map<LinkKind, LinkMeter>(LINK_KINDS.map((kind) => [kind, meterOf(kind)]));
  return {
    of: (at) => meters.get(kindOf(at)) ?? meterOf('folder'),
    measured: () => [...seen.values()].filter(({ requests }) => requests > 0),
  };
}

/** How a place is reached. */
function kindOf(at: string): LinkKind {
  return LINK_KINDS.find((kind) => at.startsWith(`${kind}://`)) ?? 'folder';
}

function lastTimes(all: readonly number[]): readonly number[] {
  return all.slice(-MAX_TIMES);
}

/** Both together. */
export function addMeasured(before: readonly Measured[], after: readonly Measured[]): readonly Measured[] {
  return LINK_KINDS.flatMap((over) => {
    const [first, second] = [before, after].map((side) => side.find((one) => one.over === over));
    if (first === undefined || second === undefined) return first ?? second ?? [];
    return {
      over,
      requests: first.requests + second.requests,
      unanswered: first.unanswered + second.unanswered,
      firstBytesMs: lastTimes([...first.firstBytesMs, ...second.firstBytesMs]),
      bulkBytes: first.bulkBytes + second.bulkBytes,
      bulkMs: first.bulkMs + second.bulkMs,
    };
  });
}
