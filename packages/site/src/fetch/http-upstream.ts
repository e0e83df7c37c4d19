/** A lane behind a web server or CDN. Every wait has an end, every answer a bound; redirects are not followed. */
import { concatBytes, SiteError } from '@sealane/core';
import type { LinkMeter } from './link-meter.js';
import { PATIENCE_SECONDS } from './routes/pace.js';
import { readPlaceTls } from './routes/place-tls.js';
import type { Place } from './routes/place.js';
import type { Upstream } from './upstream.js';
import { ANSWER_TIMEOUT_MS, drain, type WebAnswer, webClient } from './web-client-shell.js';

/** No document takes longer, however slow a place may be. */
const MAX_DOCUMENT_MS = 3_600_000;

/** What servers and object stores say of a file that is not there. */
const ABSENT: readonly number[] = [403, 404, 410];

/** Opens a web upstream. @throws SiteError `CONFIG_INVALID` its certificate or key cannot be read */
export function httpUpstream({ at: address, minBytesPerSecond, tls, proxy }: Place, meter: LinkMeter, signal: AbortSignal): Upstream {
  const client = webClient(tls === null ? null : readPlaceTls(tls), proxy);
  let requests = 0;
  const ask = async (path: string, headers: Record<string, string>, until: AbortSignal): Promise<WebAnswer> => {
    requests += 1;
    meter.asked();
    return await reach(address, () => client.ask(`${address}/${path}`, { headers, signal: until }));
  };
  const note = (error: unknown): void => {
    // who is interrupted learns nothing of a link
    if (!signal.aborted && isUnanswered(error)) meter.unanswered();
  };
  return {
    name: address,
    get: async (path, maxBytes) => {
      // a document is small and needed whole: no answer takes longer than the largest one would at the lowest rate
      const atLeastMs = Math.ceil((maxBytes / Math.max(1, minBytesPerSecond)) * 1000);
      const until = AbortSignal.timeout(Math.min(ANSWER_TIMEOUT_MS + atLeastMs, MAX_DOCUMENT_MS));
      const tooSlow = (): SiteError =>
        new SiteError('FETCH_TOO_SLOW', `fetch ${path} from ${address}: expected ${minBytesPerSecond} bytes per second, got less`, {
          upstream: address,
        });
      try {
        const answer = await ask(path, {}, AbortSignal.any([signal, until]));
        meter.firstByte(answer.firstByteMs);
        if (await isAbsent(address, path, answer)) return undefined;
        const pieces: Uint8Array[] = [];
        for await (const piece of bounded(address, atRate(answer.pieces, minBytesPerSecond, tooSlow), 0, maxBytes + 1)) pieces.push(piece);
        return concatBytes(...pieces);
      } catch (error) {
        const why = !until.aborted || signal.aborted ? error : tooSlow();
        note(why);
        throw why;
      }
    },
    open: async (path, offset, end, maxBytes) => {
      const isWhole = offset === 0 && end >= maxBytes;
      try {
        const answer = await ask(path, isWhole ? {} : { range: `bytes=${offset}-${end - 1}` }, signal);
        // the whole was there already, or the file shrank: begin anew
        if (answer.statusCode === 416) return offset === 0 ? undefined : { from: offset, isRange: true, pieces: nothing(answer) };
        if (await isAbsent(address, path, answer)) return undefined;
        const isRange = answer.statusCode === 206;
        const from = isRange ? rangeStart(answer) : 0;
        return { from, isRange, pieces: noted(bounded(address, answer.pieces, from, isRange ? end : maxBytes), note) };
      } catch (error) {
        note(error);
        throw error;
      }
    },
    cost: () => ({ requests, bytes: client.bytes() }),
    close: () => {
      client.close();
      return Promise.resolve();
    },
  };
}

async function isAbsent(address: string, path: string, answer: WebAnswer): Promise<boolean> {
  const { statusCode } = answer;
  if (statusCode === 200 || statusCode === 206) return false;
  // read to its end so that the connection can be used again
  await reach(address, () => drain(answer));
  if (ABSENT.includes(statusCode)) return true;
  throw new SiteError('FETCH_FAILED', `fetch ${path} from ${address}: expected 200, got ${statusCode}`, {
    upstream: address,
    path,
    statusCode,
  });
}

/** `Content-Range: bytes 100-199/200` → 100; a 206 without one is taken for a whole file, which its digest then judges. */
function rangeStart(answer: WebAnswer): number {
  const [, start] = /^bytes (\d+)-/.exec(answer.headers['content-range'] ?? '') ?? [];
  return Number(start ?? 0);
}

/** The pieces up to a size counted from the file's beginning; then the connection is given up. */
async function* bounded(address: string, pieces: AsyncIterable<Uint8Array>, from: number, maxBytes: number): AsyncGenerator<Uint8Array> {
  let leftBytes = maxBytes - from;
  try {
    for await (const piece of pieces) {
      yield piece.subarray(0, leftBytes);
      leftBytes -= piece.length;
      if (leftBytes < 0) return;
    }
  } catch (error) {
    throw error instanceof SiteError ? error : broken(address, error);
  }
}

/** What breaks off is noted. */
async function* noted(pieces: AsyncIterable<Uint8Array>, note: (error: unknown) => void): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (error) {
    note(error);
    throw error;
  }
}

/** An answer that says no is one. */
function isUnanswered(error: unknown): boolean {
  if (!(error instanceof SiteError)) return false;
  return error.code === 'FETCH_TOO_SLOW' || (error.code === 'FETCH_FAILED' && error.data['statusCode'] === undefined);
}

/** The pieces as long as they come at a rate: who drips them, a byte before each wait ends, is not waited for. */
async function* atRate(pieces: AsyncIterable<Uint8Array>, minBytesPerSecond: number, tooSlow: () => SiteError): AsyncGenerator<Uint8Array> {
  let [beganMs, bytes] = [performance.now(), 0];
  for await (const piece of pieces) {
    yield piece;
    bytes += piece.length;
    const seconds = (performance.now() - beganMs) / 1000;
    if (seconds < PATIENCE_SECONDS) continue;
    if (bytes < minBytesPerSecond * seconds) throw tooSlow();
    [beganMs, bytes] = [performance.now(), 0];
  }
}

async function* nothing(answer: WebAnswer): AsyncGenerator<Uint8Array> {
  await drain(answer);
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
  const why = cause instanceof Error ? cause.message || codeOf(cause) : String(cause);
  return new SiteError('FETCH_FAILED', `reach ${address}: ${why}`, { upstream: address }, { cause });
}

/** Where a name has several addresses, Node's error has no words of its own. */
function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
