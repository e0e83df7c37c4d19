/**
 * What goes through the pipe between `apply` and `fetch`: JSON, one object a line.
 *
 * `fetch` has the network and is the first to be taken over; so `apply` reads its lines as it reads anything from outside: bounded, strict,
 * word by word. The worst that a hostile `fetch` can say is that there is no news.
 */
import { ERRORS, type ErrorCode, type JsonObject, type JsonValue, LIMITS, parseStrictJson, SiteError } from '@sealane/core';
import type { Place, PlaceOrder } from './routes/place.js';
import type { SyncJob } from './sync-job.js';

/** What `apply` asks. `pollSeconds`: how often this site looks for news, the measure of waits. */
export type FetchRequest =
  | {
      readonly do: 'sync';
      readonly job: SyncJob;
      readonly places: readonly Place[];
      readonly pollSeconds: number;
      readonly mirror: string;
      readonly offer: string;
    }
  | {
      readonly do: 'flush';
      readonly site: string;
      readonly receiptsTo: readonly Place[];
      readonly order: PlaceOrder;
      readonly pollSeconds: number;
      readonly receipts: readonly QueuedReceipt[];
      readonly mirror: string;
    }
  | CertifyRequest;

/** The site's request for a certificate; the answer lies in the mirror, and nobody believes it yet. It goes to the first place that answers it. */
export interface CertifyRequest {
  readonly do: 'certify';
  readonly site: string;
  readonly receiptsTo: readonly Place[];
  readonly order: PlaceOrder;
  readonly request: JsonValue;
  readonly mirror: string;
}

/** A receipt as it lies in the queue. */
export interface QueuedReceipt {
  readonly seq: number;
  readonly bundle: JsonObject;
}

/** What came of a sync. `partial`: trust is here, content is still to come; without a code once it has been judged. `code` is what `fetch` itself ran into, for people: the verdict is `apply`'s. */
export interface SyncAnswer {
  readonly outcome: (typeof OUTCOMES)[number];
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly upstream: string | null;
  readonly requests: number;
  readonly bytes: number;
  /** Blobs that were copied, and that were there already. */
  readonly fetched: number;
  readonly kept: number;
}

/** What came of a flush: receipts up to and with `upTo` have arrived. */
export interface FlushAnswer {
  readonly upTo: number;
  readonly problem: string | null;
}

/** What came of a request for a certificate, for people. */
export interface CertifyAnswer {
  readonly problem: string | null;
}

/** Longest line from `fetch`. */
export const MAX_LINE_BYTES = 64 * 1024;

const OUTCOMES = ['unchanged', 'synced', 'partial', 'incomplete', 'refused', 'failed'] as const;

/**
 * Reads a line of `fetch`.
 *
 * @throws SiteError `INTERNAL` it is none that `fetch` says
 */
export function parseAnswer(
  line: Uint8Array,
): { readonly synced: SyncAnswer } | { readonly flushed: FlushAnswer } | { readonly certified: CertifyAnswer } {
  const value = asObject(parseStrictJson(line, { maxBytes: MAX_LINE_BYTES, maxDepth: LIMITS.jsonDepth }));
  if (value['synced'] !== undefined) return { synced: syncAnswer(asObject(value['synced'])) };
  if (value['flushed'] !== undefined) return { flushed: flushAnswer(asObject(value['flushed'])) };
  if (value['certified'] !== undefined)
    return { certified: { problem: flushAnswer({ upTo: 0, ...asObject(value['certified']) }).problem } };
  throw strange('synced, flushed or certified');
}

function syncAnswer(value: JsonObject): SyncAnswer {
  const outcome = OUTCOMES.find((word) => word === value['outcome']);
  if (outcome === undefined) throw strange('an outcome');
  const { code, message, upstream } = value;
  return {
    outcome,
    code: isErrorCode(code) ? code : null,
    message: typeof message === 'string' ? printable(message) : '',
    upstream: typeof upstream === 'string' ? printable(upstream) : null,
    requests: count(value['requests']),
    bytes: count(value['bytes']),
    fetched: count(value['fetched']),
    kept: count(value['kept']),
  };
}

function flushAnswer(value: JsonObject): FlushAnswer {
  const { problem } = value;
  return { upTo: count(value['upTo']), problem: typeof problem === 'string' ? printable(problem) : null };
}

function isErrorCode(value: JsonValue | undefined): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}

/** Text for a terminal: no control characters, not endless. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ').slice(0, 1000);
}

function count(value: JsonValue | undefined): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw strange('a count');
}

function asObject(value: JsonValue): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw strange('an object');
}

function strange(expected: string): SiteError {
  return new SiteError('INTERNAL', `read what fetch says: expected ${expected}`);
}
