/** A lane behind a web server or CDN. Every wait has an end, every answer a bound; redirects are not followed. */
import type { Socket } from 'node:net';
import { concatBytes, SiteError } from '@sealane/core';
import { Agent, buildConnector, type Dispatcher, request } from 'undici';
import { readPlaceTls } from './routes/place-tls.js';
import type { Place } from './routes/place.js';
import type { Upstream } from './upstream.js';

/** Time for a connection, for the first byte of an answer, and between two pieces of one. A satellite link takes 2 s for a connection. */
const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 30_000;
const PIECE_TIMEOUT_MS = 10_000;

/** No document takes longer, however slow a place may be. */
const MAX_DOCUMENT_MS = 3_600_000;

/** What servers and object stores say of a file that is not there. */
const ABSENT: readonly number[] = [403, 404, 410];

/** Opens a web upstream. @throws SiteError `CONFIG_INVALID` its certificate or key cannot be read */
export function httpUpstream({ at: address, minBytesPerSecond, tls }: Place, signal: AbortSignal): Upstream {
  const { connect, bytes } = meteredConnector({ timeout: CONNECT_TIMEOUT_MS, ...(tls === null ? {} : readPlaceTls(tls)) });
  // one connection: a poll is two small requests one after the other, and a second handshake would double what it costs
  const agent = new Agent({ connections: 1, connect, headersTimeout: ANSWER_TIMEOUT_MS, bodyTimeout: PIECE_TIMEOUT_MS });
  let requests = 0;
  const ask = async (path: string, headers: Record<string, string>, until: AbortSignal): Promise<Dispatcher.ResponseData> => {
    requests += 1;
    return await reach(address, () => request(`${address}/${path}`, { dispatcher: agent, headers, signal: until }));
  };
  return {
    name: address,
    get: async (path, maxBytes) => {
      // a document is small and needed whole: who drips it, a byte before each timeout, is not waited for
      const atLeastMs = Math.ceil((maxBytes / Math.max(1, minBytesPerSecond)) * 1000);
      const until = AbortSignal.timeout(Math.min(ANSWER_TIMEOUT_MS + atLeastMs, MAX_DOCUMENT_MS));
      try {
        const answer = await ask(path, {}, AbortSignal.any([signal, until]));
        if (await isAbsent(address, path, answer)) return undefined;
        const pieces: Uint8Array[] = [];
        for await (const piece of bounded(address, answer.body, 0, maxBytes + 1)) pieces.push(piece);
        return concatBytes(...pieces);
      } catch (error) {
        if (!until.aborted || signal.aborted) throw error;
        throw new SiteError('FETCH_TOO_SLOW', `fetch ${path} from ${address}: expected ${minBytesPerSecond} bytes per second, got less`, {
          upstream: address,
        });
      }
    },
    open: async (path, offset, end, maxBytes) => {
      const isWhole = offset === 0 && end >= maxBytes;
      const answer = await ask(path, isWhole ? {} : { range: `bytes=${offset}-${end - 1}` }, signal);
      // the whole was there already, or the file shrank: begin anew
      if (answer.statusCode === 416) return offset === 0 ? undefined : { from: offset, isRange: true, pieces: nothing(answer) };
      if (await isAbsent(address, path, answer)) return undefined;
      const isRange = answer.statusCode === 206;
      const from = isRange ? rangeStart(answer) : 0;
      return { from, isRange, pieces: bounded(address, answer.body, from, isRange ? end : maxBytes) };
    },
    cost: () => ({ requests, bytes: bytes() }),
    close: () => agent.destroy(),
  };
}

async function isAbsent(address: string, path: string, answer: Dispatcher.ResponseData): Promise<boolean> {
  const { statusCode } = answer;
  if (statusCode === 200 || statusCode === 206) return false;
  // read to its end so that the connection can be used again
  await reach(address, () => answer.body.dump({ limit: 16 * 1024 }));
  if (ABSENT.includes(statusCode)) return true;
  throw new SiteError('FETCH_FAILED', `fetch ${path} from ${address}: expected 200, got ${statusCode}`, {
    upstream: address,
    path,
    statusCode,
  });
}

/** `Content-Range: bytes 100-199/200` → 100; a 206 without one is taken for a whole file, which its digest then judges. */
function rangeStart(answer: Dispatcher.ResponseData): number {
  const range = answer.headers['content-range'];
  const [, start] = /^bytes (\d+)-/.exec(typeof range === 'string' ? range : '') ?? [];
  return Number(start ?? 0);
}

/** The pieces up to a size counted from the file's beginning; then the connection is given up. */
async function* bounded(address: string, body: AsyncIterable<unknown>, from: number, maxBytes: number): AsyncGenerator<Uint8Array> {
  let leftBytes = maxBytes - from;
  try {
    for await (const piece of body) {
      if (!(piece instanceof Uint8Array)) continue;
      yield piece.subarray(0, leftBytes);
      leftBytes -= piece.length;
      if (leftBytes < 0) return;
    }
  } catch (error) {
    throw broken(address, error);
  }
}

async function* nothing(answer: Dispatcher.ResponseData): AsyncGenerator<Uint8Array> {
  await answer.body.dump();
  yield* [];
}

async function reach<T>(address: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw broken(address, error);
  }
}

function broken(address: string, cause: unknown): SiteError {
  const why = cause instanceof Error ? cause.message || cause.name : String(cause);
  return new SiteError('FETCH_FAILED', `reach ${address}: ${why}`, { upstream: address }, { cause });
}

/** Connects as undici does, and counts what goes over its sockets. */
function meteredConnector(options: buildConnector.BuildOptions): {
  readonly connect: buildConnector.connector;
  readonly bytes: () => number;
} {
  const sockets: Socket[] = [];
  const connect = buildConnector(options);
  return {
    connect: (target, callback) =>
      connect(target, (...result) => {
        const [error, socket] = result;
        if (error === null) sockets.push(socket);
        callback(...result);
      }),
    bytes: () => sockets.reduce((sum, socket) => sum + socket.bytesRead + socket.bytesWritten, 0),
  };
}
