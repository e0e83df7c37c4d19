/** Requests to registries: bounded in time and redirects, and no credentials for a host they were not meant for. */
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { type ErrorData, OciError, SealaneError } from '@sealane/core';
import { type Dispatcher, errors, request } from 'undici';
import { isLoopback, isThisMachine } from './reference.js';
import { type Complaint, complaintIn, MAX_COMPLAINT_BYTES, toldComplaint } from './registry-complaint.js';
import { collect, boundedStream } from './verified-stream.js';
import { MAX_TOKEN_BYTES } from './limits.js';

/** How long a registry may take. */
export interface Patience {
  /** Until the headers come, and between two chunks of a body. */
  readonly idleMs: number;
  /** The least rate of a whole body: a peer that sends a byte a second is as good as dead. */
  readonly leastBytesPerSecond: number;
}

/** A slow satellite link still passes. */
export const DEFAULT_PATIENCE: Patience = { idleMs: 30_000, leastBytesPerSecond: 2048 };

/** Node takes a longer timer for none at all: the body of a blob of 5 GB would be given up at once. It is 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A signal that ends what takes longer than so many bytes do at the least rate, and what is waited for beside them. */
export function deadline({ leastBytesPerSecond }: Patience, bytes: number, waitingMs: number): AbortSignal {
  return AbortSignal.timeout(Math.min(waitingMs + Math.ceil((bytes / leastBytesPerSecond) * 1000), MAX_TIMER_MS));
}

/** A body that is read while it is sent, anew for each time that it is. */
export interface StreamedBody {
  readonly sizeBytes: number;
  readonly chunks: () => AsyncIterable<Uint8Array>;
}

/** Most bytes of a streamed body that go out at once: each of them has its time. */
export const STREAM_STEP_BYTES = 256 * 1024;

/** What a request needs beside its URL. */
export interface ExchangeOptions {
  readonly dispatcher: Dispatcher;
  readonly patience: Patience;
  /** The default is GET. */
  readonly method?: Method;
  /** The most that a body will be read; sets, with what is sent, how long it may take. */
  readonly maxBytes: number;
  readonly accept?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | StreamedBody;
  readonly authorization?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}
export type Method = 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT';

/** An answer whose body must be read or dumped. */
export interface ExchangeAnswer {
  readonly status: number;
  /** Who answered: redirects may have led elsewhere. */
  readonly origin: string;
  readonly headers: IncomingHttpHeaders;
  /** Fails with `FETCH_TOO_SLOW` or `REGISTRY_UNAVAILABLE`. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Lets go of the connection without reading on. */
  dump(): Promise<void>;
}

/** Registries redirect once, to a store of blobs; a store may once more. */
const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Answers that another try may change: too many requests, and faults of the server. */
export const PASSING_STATUSES: readonly number[] = [429, 500, 502, 503, 504];

/**
 * Sends a request. What is read is read where redirects lead; what is written goes nowhere else. `authorization` goes to the origin of
 * `url` only and is dropped for good with the first step to another one; no step leads from https to http, nor from elsewhere to this machine.
 *
 * @throws OciError `REGISTRY_UNAVAILABLE`, `FETCH_TOO_SLOW`
 */
export async function exchange(url: URL, options: ExchangeOptions): Promise<ExchangeAnswer> {
  const { method = 'GET' } = options;
  const follows = method === 'GET' || method === 'HEAD';
  let target = url;
  let { authorization } = options;
  for (let redirects = 0; ; redirects += 1) {
    const answer = await exchangeOnce(target, { ...options, method, authorization });
    const location = answer.headers.location;
    if (!follows || !REDIRECTS.has(answer.status) || location === undefined) return answer;
    await answer.dump();
    if (redirects === MAX_REDIRECTS) throw unavailable(`${method} ${shown(url)}: expected at most ${MAX_REDIRECTS} redirects, got more`);
    const next = safeTarget(target, location);
    if (next === undefined) throw unavailable(`${method} ${shown(target)}: expected a redirect to https, got one to elsewhere`);
    if (next.origin !== target.origin) authorization = undefined;
    target = next;
  }
}

/** The whole body of a small document. @throws OciError `CONTENT_LENGTH` above `maxBytes` */
export async function readBody(answer: ExchangeAnswer, maxBytes: number, name: string): Promise<Uint8Array> {
  return collect(boundedStream(answer.body, maxBytes, name));
}

/**
 * Refuses any other status than those expected: 401 and 403 are `REGISTRY_DENIED`, 404 is `CONTENT_MISSING`, the rest `REGISTRY_UNAVAILABLE`. What the registry says of it is told;
 * of a server of tokens nothing is, which got a password.
 */
export async function expectStatus(
  answer: ExchangeAnswer,
  url: URL,
  expected: readonly number[] = [200],
  method: Method = 'GET',
  tells: 'nothing' | 'why' = 'nothing',
): Promise<ExchangeAnswer> {
  const { status } = answer;
  if (expected.includes(status)) return answer;
  const complaint = tells === 'nothing' ? undefined : await complaintOf(answer);
  await answer.dump();
  const why = complaint === undefined ? '' : ` (${toldComplaint(complaint)})`;
  const message = `${method} ${shown(url)}: expected status ${expected.join(' or ')}, got ${status}${why}`;
  const data = { status, ...(complaint !== undefined && { complaint: complaint.code }) };
  if (status === 401 || status === 403) throw new OciError('REGISTRY_DENIED', message, data);
  if (status === 404) throw new OciError('CONTENT_MISSING', message, data);
  throw unavailable(message, { ...data, passing: PASSING_STATUSES.includes(status) });
}

async function complaintOf(answer: ExchangeAnswer): Promise<Complaint | undefined> {
  try {
    return complaintIn(await readBody(answer, MAX_COMPLAINT_BYTES, 'an error'));
  } catch (error) {
    // too long, or the line broke: the status came, and is told
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}

/** Whether requests may go to `target` when the registry is at `registry`: https, or http where both are this machine. */
export function isSafeTarget(registry: URL, target: URL): boolean {
  if (target.username !== '' || target.password !== '') return false;
  if (isLoopback(registry.host)) return target.protocol === 'https:' || (target.protocol === 'http:' && isLoopback(target.host));
  // A registry elsewhere has no business with what listens on this machine.
  return target.protocol === 'https:' && !isThisMachine(target.hostname);
}

/** Where a `Location` leads; undefined where requests may not go. */
export function safeTarget(from: URL, location: string): URL | undefined {
  const next = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  return next !== undefined && isSafeTarget(from, next) ? next : undefined;
}

/** Whether a fault may pass by itself: the connection broke, or the server had a fault of its own. */
export function isPassing(error: unknown): boolean {
  return error instanceof OciError && error.code === 'REGISTRY_UNAVAILABLE' && error.data['passing'] === true;
}

/** A URL without its query, which may hold a signature that opens a store. */
const shown = (url: URL): string => `${url.origin}${url.pathname}`;

async function exchangeOnce(url: URL, options: ExchangeOptions): Promise<ExchangeAnswer> {
  const { dispatcher, patience, method = 'GET', maxBytes, accept, headers: more, body: sent, authorization, signal } = options;
  const msOf = (bytes: number): number => patience.idleMs + Math.ceil((bytes / patience.leastBytesPerSecond) * 1000);
  const streamed = sent === undefined || sent instanceof Uint8Array ? undefined : sent;
  const whole = sent instanceof Uint8Array ? sent : undefined;
  const sentBytes = streamed?.sizeBytes ?? whole?.length ?? 0;
  const inTime = deadline(patience, maxBytes, msOf(sentBytes));
  try {
    const { statusCode, headers, body } = await request(url, {
      method,
      dispatcher,
      ...(whole !== undefined && { body: whole }),
      ...(streamed !== undefined && { body: Readable.from(streamed.chunks(), { objectMode: false }) }),
      headers: {
        'user-agent': 'sealane',
        // Bytes are hashed as they come: no compression on the way.
        'accept-encoding': 'identity',
        ...(accept !== undefined && { accept: accept.join(', ') }),
        ...(streamed !== undefined && { 'content-length': String(streamed.sizeBytes) }),
        ...more,
        ...(authorization !== undefined && { authorization }),
      },
      // of a streamed body, from each step on
      headersTimeout: msOf(streamed === undefined ? sentBytes : STREAM_STEP_BYTES),
      bodyTimeout: patience.idleMs,
      signal: signal === undefined ? inTime : AbortSignal.any([signal, inTime]),
    });
    const dump = (): Promise<void> => body.dump({ limit: MAX_TOKEN_BYTES });
    return { status: statusCode, origin: url.origin, headers, body: namedFaults(body, url, method), dump };
  } catch (error) {
    throw networkError(error, url, method);
  }
}

async function* namedFaults(body: AsyncIterable<unknown>, url: URL, method: Method): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const step = await nextChunk(chunks, url, method);
      if (step === undefined) return;
      yield step;
    }
  } finally {
    await chunks.return?.();
  }
}

async function nextChunk(chunks: AsyncIterator<unknown>, url: URL, method: Method): Promise<Uint8Array | undefined> {
  try {
    const step = await chunks.next();
    if (step.done === true) return undefined;
    if (step.value instanceof Uint8Array) return step.value;
  } catch (error) {
    throw networkError(error, url, method);
  }
  throw unavailable(`${method} ${shown(url)}: expected bytes, got something else`);
}

function networkError(error: unknown, url: URL, method: Method): unknown {
  if (error instanceof SealaneError || !(error instanceof Error)) return error;
  const tooSlow = error.name === 'TimeoutError' || error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError;
  const doing = `${method} ${shown(url)}`;
  if (tooSlow) return new OciError('FETCH_TOO_SLOW', `${doing}: expected an answer in time, got ${error.message}`, {}, { cause: error });
  // Given up by the caller: that is its own doing, not the registry's.
  if (error.name === 'AbortError') return error;
  return new OciError('REGISTRY_UNAVAILABLE', `${doing}: ${error.message}`, { passing: true }, { cause: error });
}

const unavailable = (message: string, data: ErrorData = {}): OciError => new OciError('REGISTRY_UNAVAILABLE', message, data);
