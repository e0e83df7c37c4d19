/** GET requests to registries: bounded in time and redirects, and no credentials for a host they were not meant for. */
import type { IncomingHttpHeaders } from 'node:http';
import { OciError, SealaneError } from '@sealane/core';
import { type Dispatcher, errors, request } from 'undici';
import { isLoopback } from './reference.js';
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

/** What a request needs beside its URL. */
export interface GetOptions {
  readonly dispatcher: Dispatcher;
  readonly patience: Patience;
  /** The most that a body will be read; sets how long it may take. */
  readonly maxBytes: number;
  readonly accept?: readonly string[];
  readonly authorization?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A response whose body must be read or dumped. */
export interface GetResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Fails with `FETCH_TOO_SLOW` or `REGISTRY_UNAVAILABLE`. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Lets go of the connection without reading on. */
  dump(): Promise<void>;
}

/** Registries redirect once, to a store of blobs; a store may once more. */
const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * GETs `url`, following redirects. `authorization` goes to the origin of `url` only and is dropped for good with the first
 * step to another one; no step leads from https to http, nor from elsewhere to this machine.
 *
 * @throws OciError `REGISTRY_UNAVAILABLE`, `FETCH_TOO_SLOW`
 */
export async function get(url: URL, options: GetOptions): Promise<GetResponse> {
  let target = url;
  let { authorization } = options;
  for (let redirects = 0; ; redirects += 1) {
    const response = await getOnce(target, { ...options, authorization });
    const location = response.headers.location;
    if (!REDIRECTS.has(response.status) || location === undefined) return response;
    await response.dump();
    if (redirects === MAX_REDIRECTS) throw unavailable(`GET ${shown(url)}: expected at most ${MAX_REDIRECTS} redirects, got more`);
    const next = redirectTarget(target, location);
    if (next.origin !== target.origin) authorization = undefined;
    target = next;
  }
}

/** The whole body of a small document. @throws OciError `CONTENT_LENGTH` above `maxBytes` */
export async function readBody(response: GetResponse, maxBytes: number, name: string): Promise<Uint8Array> {
  return collect(boundedStream(response.body, maxBytes, name));
}

/** Refuses anything but 200: 401 and 403 are `REGISTRY_DENIED`, 404 is `CONTENT_MISSING`, the rest `REGISTRY_UNAVAILABLE`. */
export async function expectOk(response: GetResponse, url: URL): Promise<GetResponse> {
  const { status } = response;
  if (status === 200) return response;
  await response.dump();
  const message = `GET ${shown(url)}: expected status 200, got ${status}`;
  if (status === 401 || status === 403) throw new OciError('REGISTRY_DENIED', message, { status });
  if (status === 404) throw new OciError('CONTENT_MISSING', message, { status });
  throw unavailable(message);
}

/** Whether requests may go to `target` when the registry is at `registry`: https, or http where both are this machine. */
export function isSafeTarget(registry: URL, target: URL): boolean {
  if (target.username !== '' || target.password !== '') return false;
  if (isLoopback(registry.host)) return target.protocol === 'https:' || (target.protocol === 'http:' && isLoopback(target.host));
  // A registry elsewhere has no business with what listens on this machine.
  return target.protocol === 'https:' && !isLoopback(target.host);
}

async function getOnce(url: URL, { dispatcher, patience, maxBytes, accept, authorization, signal }: GetOptions): Promise<GetResponse> {
  const deadline = AbortSignal.timeout(patience.idleMs + Math.ceil((maxBytes / patience.leastBytesPerSecond) * 1000));
  try {
    const { statusCode, headers, body } = await request(url, {
      method: 'GET',
      dispatcher,
      headers: {
        'user-agent': 'sealane',
        // Bytes are hashed as they come: no compression on the way.
        'accept-encoding': 'identity',
        ...(accept !== undefined && { accept: accept.join(', ') }),
        ...(authorization !== undefined && { authorization }),
      },
      headersTimeout: patience.idleMs,
      bodyTimeout: patience.idleMs,
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    });
    return { status: statusCode, headers, body: namedFaults(body, url), dump: () => body.dump({ limit: MAX_TOKEN_BYTES }) };
  } catch (error) {
    throw networkError(error, url);
  }
}

async function* namedFaults(body: AsyncIterable<unknown>, url: URL): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const step = await nextChunk(chunks, url);
      if (step === undefined) return;
      yield step;
    }
  } finally {
    await chunks.return?.();
  }
}

async function nextChunk(chunks: AsyncIterator<unknown>, url: URL): Promise<Uint8Array | undefined> {
  try {
    const step = await chunks.next();
    if (step.done === true) return undefined;
    if (step.value instanceof Uint8Array) return step.value;
  } catch (error) {
    throw networkError(error, url);
  }
  throw unavailable(`GET ${shown(url)}: expected bytes, got something else`);
}

function redirectTarget(from: URL, location: string): URL {
  const next = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (next === undefined || !isSafeTarget(from, next))
    throw unavailable(`GET ${shown(from)}: expected a redirect to https, got one to elsewhere`);
  return next;
}

function networkError(error: unknown, url: URL): unknown {
  if (error instanceof SealaneError || !(error instanceof Error)) return error;
  const tooSlow = error.name === 'TimeoutError' || error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError;
  if (tooSlow)
    return new OciError('FETCH_TOO_SLOW', `GET ${shown(url)}: expected an answer in time, got ${error.message}`, {}, { cause: error });
  // Given up by the caller: that is its own doing, not the registry's.
  if (error.name === 'AbortError') return error;
  return new OciError('REGISTRY_UNAVAILABLE', `GET ${shown(url)}: ${error.message}`, {}, { cause: error });
}

/** A URL without its query, which may hold a signature that opens a store. */
const shown = (url: URL): string => `${url.origin}${url.pathname}`;

const unavailable = (message: string): OciError => new OciError('REGISTRY_UNAVAILABLE', message);
