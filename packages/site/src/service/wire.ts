/**
 * What goes over the sockets of the service: one line of JSON each way, bounded, with a version.
 *
 * `apply` asks `fetch` and believes little of it: the digest of the timestamp that it brought, and that some content is not here yet. Operators ask `apply` for a verb. What `apply` takes in
 * has a page each in `docs/formats/`; what it says goes to who trusts it.
 */
import {
  type Digest,
  type ErrorCode,
  ERRORS,
  type ExitCode,
  isDigest,
  type JsonObject,
  type JsonValue,
  parseStrictJson,
  SealaneError,
  SiteError,
} from '@sealane/core';
import { z } from 'zod';
import { FETCH_MAY_SAY, type FetchCode } from '../fetch/may-say.js';
import type { QueuedReceipt } from '../fetch/protocol.js';
import type { Place, PlaceOrder } from '../fetch/routes/place.js';
import type { SyncJob } from '../fetch/sync-job.js';

/** The one version there is. Programs of two versions refuse one another by name. */
const VERSION = 1;

/** An answer of `fetch` is a digest, a word and their frame. */
export const MAX_FETCH_ANSWER_BYTES = 256;

/** A request of an operator: a verb, a reason, a digest. */
export const MAX_VERB_BYTES = 16 * 1024;

/** An order or an answer of `apply`: trust state, a flush of receipts, a result with all its checks. */
export const MAX_APPLY_BYTES = 64 * 1024 * 1024;

/** Requests and answers nest little; results of commands a little more. */
const MAX_DEPTH = 32;

/** What `apply` orders of `fetch`, which has folders of its own. */
export type FetchOrder =
  | { readonly v: 1; readonly do: 'sync'; readonly job: SyncJob; readonly places: readonly Place[]; readonly pollSeconds: number }
  | {
      readonly v: 1;
      readonly do: 'flush';
      readonly site: string;
      readonly receiptsTo: readonly Place[];
      readonly order: PlaceOrder;
      readonly pollSeconds: number;
      readonly receipts: readonly QueuedReceipt[];
    }
  | {
      readonly v: 1;
      readonly do: 'certify';
      readonly site: string;
      readonly receiptsTo: readonly Place[];
      readonly order: PlaceOrder;
      readonly request: JsonValue;
    }
  | { readonly v: 1; readonly do: 'drop-offer' | 'wipe' };

/** All that `fetch` can say. */
export const fetchAnswerShape = z.strictObject({
  v: z.literal(VERSION),
  brought: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .nullable(),
  rest: z.enum(['here', 'coming', 'spent', 'unreached']),
  code: z.enum(FETCH_MAY_SAY).exactOptional(),
});

/** What `fetch` did: the state of the lane that it brought, and whether content of it is still to come. */
export interface FetchReply {
  readonly brought: Digest | null;
  readonly rest: z.output<typeof fetchAnswerShape>['rest'];
  /** What it ran into where it did not bring all. It is not said where there is nothing to say: an `apply` of before knows no such word. */
  readonly code?: FetchCode;
}

const word = z.string().max(4096);

/** What an operator asks for. */
export const operatorRequestShape = z.strictObject({
  v: z.literal(VERSION),
  verb: z.string().min(1).max(32),
  args: z.array(word).max(8),
  options: z.record(z.string().regex(/^[a-z][A-Za-z]{0,31}$/), z.union([word, z.boolean()])),
});

/** A request that was read. */
export type OperatorRequest = z.output<typeof operatorRequestShape>;

/** What came of it: what the command would have printed, or its failure. */
export type OperatorAnswer =
  | { readonly v: 1; readonly exit: ExitCode; readonly json: JsonObject; readonly text: string; readonly hint: string | null }
  | { readonly v: 1; readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint: string | null } };

/**
 * Reads what `fetch` answered.
 *
 * @throws SiteError `FETCH_FAILED` it is anything but a digest or null, and words that it may say
 */
export function parseFetchAnswer(line: Uint8Array): FetchReply {
  const { brought, rest, code } = fetchAnswerShape.safeParse(parseOr(line)).data ?? {};
  if (rest !== undefined && (brought === null || isDigest(brought))) return { brought, rest, ...(code === undefined ? {} : { code }) };
  throw new SiteError(
    'FETCH_FAILED',
    'read the answer of the fetch service: expected version 1 with a digest or null, and words that it may say',
  );
}

/**
 * Reads what an operator asks for.
 *
 * @throws SiteError `USAGE`
 */
export function parseOperatorRequest(line: Uint8Array): OperatorRequest {
  const parsed = operatorRequestShape.safeParse(parseLine(line, MAX_VERB_BYTES));
  if (parsed.success) return parsed.data;
  throw new SiteError('USAGE', 'read the request of an operator: expected version 1 with verb, args and options');
}

/**
 * Reads an order of `apply`, which `fetch` trusts.
 *
 * @throws SiteError `USAGE` another version, or no order
 */
export function parseFetchOrder(line: Uint8Array): FetchOrder {
  const order = parseLine(line, MAX_APPLY_BYTES);
  const isOrder =
    isObject(order) && order['v'] === VERSION && ['sync', 'flush', 'certify', 'drop-offer', 'wipe'].some((word) => word === order['do']);
  if (isOrder) return order as unknown as FetchOrder;
  throw new SiteError('USAGE', 'read an order of the apply service: expected version 1 and sync, flush, certify, drop-offer or wipe');
}

/**
 * Reads what `apply` answered to an operator.
 *
 * @throws SiteError with the code of its failure; `UPDATER_UNREACHABLE` it is no answer
 */
export function parseOperatorAnswer(line: Uint8Array): Exclude<OperatorAnswer, { error: unknown }> {
  const answer = parseLine(line, MAX_APPLY_BYTES);
  if (!isObject(answer) || answer['v'] !== VERSION) throw strange();
  const { exit, json, text, hint, error } = answer;
  if (isObject(error)) throw failureOf(error);
  if (!isExit(exit) || !isObject(json) || typeof text !== 'string') throw strange();
  return { v: VERSION, exit, json, text, hint: typeof hint === 'string' ? hint : null };
}

function failureOf({ code, message, hint }: JsonObject): SiteError {
  if (typeof code !== 'string' || !Object.hasOwn(ERRORS, code) || typeof message !== 'string') return strange();
  return new SiteError(code as ErrorCode, message, {}, typeof hint === 'string' ? { hint } : {});
}

function isExit(value: JsonValue | undefined): value is ExitCode {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 8;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whatever `fetch` says that is no JSON is as little an answer as what is. */
function parseOr(line: Uint8Array): JsonValue | undefined {
  try {
    return parseLine(line, MAX_FETCH_ANSWER_BYTES);
  } catch (error) {
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}

function parseLine(line: Uint8Array, maxBytes: number): JsonValue {
  return parseStrictJson(line, { maxBytes, maxDepth: MAX_DEPTH });
}

function strange(): SiteError {
  return new SiteError('UPDATER_UNREACHABLE', 'read the answer of the apply service: expected version 1 with exit, json and text');
}
