/**
 * What a neighbour without a link hands up through this site: its request for a certificate, its receipts. They go to the places of `receiptsTo` here, and what is
 * answered goes back.
 *
 * Nothing of it is read here, and nobody has to trust this site for it: both are signed by the neighbour's own key, the promoter judges them, and the neighbour
 * judges the answer. What this site can do is not to hand them on. It is bounded, for it costs this site's link; and it goes no further than one site, so that two
 * that name each other do not ask each other for ever.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LIMITS } from '@sealane/core';
import { readPlaceTls } from '../fetch/routes/place-tls.js';
import type { Place } from '../fetch/routes/place.js';
import { readText, webClient } from '../fetch/web-client-shell.js';
import { hourlyShare } from './hourly-share.js';

/** What may be handed up, as `neighbours.carries` of site.yaml names it and the promoter's address does; sizes as its sender has them. */
const CARRIED = {
  certificates: { maxBytes: LIMITS.certificateRequestBytes, maxAnswerBytes: 16 * 1024 },
  receipts: { maxBytes: 4 * 1024 * 1024, maxAnswerBytes: 64 * 1024 },
} as const;

type Carried = keyof typeof CARRIED;

/** Neighbours that are served at once, one request each: so many bodies lie in memory. */
const MAX_AT_ONCE = 8;

/** When somebody whose turn it is not may come again. */
const TURN_SECONDS = 30;

/** For one place, and for all: a neighbour waits for half a minute. */
const PLACE_TIMEOUT_MS = 12_000;
const TIMEOUT_MS = 25_000;

/** RFC 9110 § 7.6.3: a request that has it was handed on once. */
const VIA = '1.1 sealane-site';

export interface RelayOptions {
  readonly carries: readonly Carried[];
  /** Where receipts of this site go, in the order of now. */
  readonly places: () => readonly Place[];
  readonly uptimeSeconds: () => number;
  readonly talk: (line: string) => void;
}

/** Answers what a neighbour posts. */
export type Relay = (request: IncomingMessage, response: ServerResponse, neighbour: string) => Promise<void>;

interface UpAnswer {
  readonly status: number;
  readonly text: string;
  readonly retryAfter?: string;
}

/** Hands up what `carries` names, and says 405 to all else. */
export function openRelay({ carries, places, uptimeSeconds, talk }: RelayOptions): Relay {
  const share = hourlyShare();
  const busy = new Set<string>();
  const answerTo = async (request: IncomingMessage, carried: Carried, neighbour: string, signal: AbortSignal): Promise<UpAnswer> => {
    const sizeBytes = sizeOf(request);
    if (sizeBytes === undefined) return { status: 411, text: '' };
    if (sizeBytes > CARRIED[carried].maxBytes) return { status: 413, text: '' };
    const waitSeconds = share.take(neighbour, sizeBytes, uptimeSeconds());
    if (waitSeconds > 0) return { status: 429, text: '', retryAfter: String(waitSeconds) };
    return await handUp(carried, await bodyOf(request), { places: places(), signal, talk });
  };
  return async (request, response, neighbour) => {
    const carried = carries.find((each) => request.url === `/api/v1/${each}`);
    if (carried === undefined) return void end(response, { status: 405, text: '' });
    if (request.headers.via !== undefined) return void end(response, { status: 508, text: '' });
    if (busy.has(neighbour) || busy.size >= MAX_AT_ONCE)
      return void end(response, { status: 429, text: '', retryAfter: String(TURN_SECONDS) });
    busy.add(neighbour);
    const left = new AbortController();
    response.once('close', () => left.abort());
    try {
      const signal = AbortSignal.any([left.signal, AbortSignal.timeout(TIMEOUT_MS)]);
      end(response, await answerTo(request, carried, neighbour, signal));
    } finally {
      busy.delete(neighbour);
    }
  };
}

interface WayUp {
  readonly places: readonly Place[];
  readonly signal: AbortSignal;
  readonly talk: (line: string) => void;
}

/** To the first place that says something of it; where none does, what the last one said of itself. */
async function handUp(carried: Carried, body: Uint8Array, { places, signal, talk }: WayUp): Promise<UpAnswer> {
  let said: UpAnswer = { status: 502, text: '' };
  for (const place of places.filter(({ at }) => /^https?:\/\//.test(at))) {
    try {
      said = await post(place, carried, body, signal);
      if (said.status < 500) return said;
      talk(`neighbours: hand ${carried} up to ${place.at}: expected an answer, got ${said.status}`);
    } catch (error) {
      // unreachable, too slow, too long, without its certificate: another place may answer
      if (!(error instanceof Error)) throw error;
      talk(`neighbours: hand ${carried} up to ${place.at}: ${error.message || error.name}`);
    }
  }
  return said;
}

async function post({ at, tls, proxy }: Place, carried: Carried, body: Uint8Array, signal: AbortSignal): Promise<UpAnswer> {
  const client = webClient(tls === null ? null : readPlaceTls(tls), proxy);
  try {
    const answer = await client.ask(`${at}/api/v1/${carried}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', via: VIA },
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(PLACE_TIMEOUT_MS)]),
    });
    const text = await readText(answer, CARRIED[carried].maxAnswerBytes);
    const { 'retry-after': retryAfter = '' } = answer.headers;
    return { status: answer.statusCode, text, ...(/^\d{1,9}$/.test(retryAfter) ? { retryAfter } : {}) };
  } finally {
    client.close();
  }
}

/** The size that a request says its body has; undefined for none, and Node lets no body have another. */
function sizeOf({ headers }: IncomingMessage): number | undefined {
  const { 'content-length': length = '' } = headers;
  return /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of request as AsyncIterable<Uint8Array>) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** What was not read of the request goes with its connection. */
function end(response: ServerResponse, { status, text, retryAfter }: UpAnswer): void {
  const later = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
  const allowed = status === 405 ? { allow: 'GET, HEAD' } : {};
  response.writeHead(status, { 'content-length': Buffer.byteLength(text), connection: 'close', ...allowed, ...later }).end(text);
}
