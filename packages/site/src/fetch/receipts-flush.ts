/**
 * Carries queued receipts up: to a promoter over HTTP, or into a folder that somebody carries on; to the first place in order that takes them.
 *
 * In order, and each until it has arrived. Exactly once is the promoter's part: a receipt is known by its digest, and one that it has is fine. Where in the log it says
 * that they are is noted: `apply` lets them go when it has seen them there.
 */
import path from 'node:path';
import { canonicalJson, equalBytes, type JsonValue, LIMITS, parseStrictJson, SealaneError, SiteError, utf8 } from '@sealane/core';
import { parseBundle } from '@sealane/trust';
import { z } from 'zod';
import type { Disk } from '../disk.js';
import { durableWrite } from '../durable-write.js';
import type { FetchRequest, FlushAnswer, QueuedReceipt } from './protocol.js';
import { noteReceiptPlaces, type ReceiptPlaces } from './receipt-places.js';
import { MAX_REFUSED, noteRefused, readRefused } from './refused-receipts.js';
import { readPlaceTls } from './routes/place-tls.js';
import type { Place } from './routes/place.js';
import { openTolerantRoutes, remember } from './routes/tolerant-routes.js';
import { saidBy } from './said-by.js';
import type { FetchWorld } from './sync-run.js';
import { readText, type WebAnswer, webClient } from './web-client-shell.js';

/** Receipts in one request: a body of a few hundred KiB with their inventories. */
const BATCH = 16;

/** Receipts that are newly refused in one flush: each costs a request of its own. */
const MAX_NEW_REFUSED = 16;

const TIMEOUT_MS = 30_000;

/** A promoter names the statements that it took: some 200 bytes each. */
const MAX_ANSWER_BYTES = 64 * 1024;

type FlushRequest = Extract<FetchRequest, { do: 'flush' }>;

/** Sends what it can; says up to which receipt, and what stopped it. */
export async function flushReceipts(request: FlushRequest, world: FetchWorld): Promise<FlushAnswer> {
  const { receiptsTo, mirror, pollSeconds } = request;
  const routes = openTolerantRoutes(mirror, world, pollSeconds, () => undefined);
  let answer: FlushAnswer = { upTo: 0, problem: 'there is no place to send them to' };
  const order = request.order === 'as-named' ? receiptsTo : routes.order(receiptsTo);
  for (const place of order) {
    const paused = routes.pausedSeconds(place.at);
    if (paused > 0) {
      answer = { ...answer, problem: `${place.at} asked for a pause: ${Math.ceil(paused)} s of it are left` };
      continue;
    }
    // what arrived at a place before it failed has arrived
    const rest = request.receipts.filter(({ seq }) => seq > answer.upTo);
    const { upTo, problem, pauseSeconds } = await flushTo(place, { ...request, receipts: rest, isLast: place === order.at(-1) }, world);
    answer = { upTo: Math.max(answer.upTo, upTo), problem };
    if (pauseSeconds !== undefined) routes.pause(place.at, pauseSeconds);
    else if (problem === null) routes.served(place.at);
    else routes.failed(place.at, 'unreachable');
    if (problem === null) break;
  }
  remember(routes, receiptsTo);
  return answer;
}

/** What came of a flush to one place, and for how long it asked to be sent nothing. */
interface PlaceAnswer extends FlushAnswer {
  readonly pauseSeconds?: number;
}

async function flushTo(
  place: Place,
  { site, mirror, receipts, isLast }: FlushRequest & { readonly isLast: boolean },
  { disk, signal }: FetchWorld,
): Promise<PlaceAnswer> {
  let upTo = 0;
  let close = (): void => undefined;
  const refuse = refuser(disk, mirror);
  try {
    const sender = isAddress(place.at) ? poster(place, signal) : copier(place.at, site, disk);
    ({ close } = sender);
    const send = async (batch: readonly QueuedReceipt[]): Promise<void> => {
      try {
        noteReceiptPlaces(disk, mirror, await sender.send(batch));
        noteRefused(
          disk,
          mirror,
          batch.map(({ seq }) => seq),
          'taken',
        );
      } catch (error) {
        // another place may take what this one refuses
        if (!isRefusal(error) || !isLast) throw error;
        const [one, ...others] = batch;
        if (one !== undefined && others.length === 0) refuse(one.seq, error);
        else for (const each of batch) await send([each]);
      }
      upTo = batch.at(-1)?.seq ?? upTo;
    };
    for (let from = 0; from < receipts.length; from += BATCH) await send(receipts.slice(from, from + BATCH));
    return { upTo, problem: null };
  } catch (error) {
    // unreachable, interrupted, no space, not so many now: the receipts stay queued
    if (!(error instanceof Error)) throw error;
    const seconds = error instanceof SealaneError ? error.data['retryAfterSeconds'] : undefined;
    return { upTo, problem: error.message || error.name, ...(typeof seconds === 'number' ? { pauseSeconds: seconds } : {}) };
  } finally {
    close();
  }
}

/** Answers that say of what was sent that it is never taken; all others may be others an hour later. */
const REFUSALS: readonly unknown[] = [400, 413, 422];

function isRefusal(error: unknown): error is SiteError {
  return error instanceof SiteError && REFUSALS.includes(error.data['status']);
}

/** Notes refusals, one after another, until there are so many that the promoter may be wrong: then those that follow wait as before. */
function refuser(disk: Disk, mirror: string): (seq: number, error: SiteError) => void {
  let fresh = 0;
  return (seq, error) => {
    const known = readRefused(disk, mirror);
    fresh += known.has(seq) ? 0 : 1;
    if (!known.has(seq) && (fresh > MAX_NEW_REFUSED || known.size >= MAX_REFUSED)) throw error;
    noteRefused(disk, mirror, [seq], 'refused');
  };
}

function isAddress(at: string): boolean {
  return /^https?:\/\//.test(at);
}

interface Sender {
  /** Where in the log they are, as far as whoever took them says so. @throws Error it has not arrived */
  send(batch: readonly QueuedReceipt[]): Promise<ReceiptPlaces>;
  close(): void;
}

function poster({ at, tls, proxy }: Place, signal: AbortSignal): Sender {
  const client = webClient(tls === null ? null : readPlaceTls(tls), proxy);
  return {
    send: async (batch) => {
      const answer = await client.ask(`${at}/api/v1/receipts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: canonicalJson(batch.map(({ bundle }) => bundle)),
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      const text = await readText(answer, MAX_ANSWER_BYTES);
      if (answer.statusCode >= 200 && answer.statusCode < 300) return placesIn(text, batch);
      const message = `post receipts to ${at}: expected 2xx, got ${answer.statusCode}${saidBy(answer, text)}`;
      throw new SiteError('FETCH_FAILED', message, { status: answer.statusCode, ...retryAfterOf(answer) });
    },
    close: () => client.close(),
  };
}

/** Who has more to do than it can says when to come again; dates are not read, since no clock is trusted for them. */
function retryAfterOf({ statusCode, headers }: WebAnswer): { readonly retryAfterSeconds?: number } {
  const { 'retry-after': text = '' } = headers;
  return [429, 503].includes(statusCode) && /^\d{1,9}$/.test(text) ? { retryAfterSeconds: Number(text) } : {};
}

function copier(folder: string, site: string, disk: Disk): Sender {
  return {
    send: (batch) => {
      disk.makeFolder(folder, 0o755);
      for (const { seq, bundle } of batch) leave(disk, path.join(folder, receiptName(site, seq)), canonicalJson(bundle));
      return Promise.resolve(new Map());
    },
    close: () => undefined,
  };
}

/** One that lies there still is not written again. */
function leave(disk: Disk, file: string, bytes: Uint8Array): void {
  const isThere = disk.kind(file) === 'file' && disk.sizeBytes(file) === bytes.length;
  if (isThere && equalBytes(disk.read(file, LIMITS.bundleBytes) ?? new Uint8Array(), bytes)) return;
  durableWrite(disk, file, bytes, 0o644);
}

const answerShape = z.object({ statements: z.array(z.object({ digest: z.string(), logIndex: z.int().min(0) })) });

/** What a promoter answers is a claim, and what cannot be read of it says nothing. */
function placesIn(text: string, batch: readonly QueuedReceipt[]): ReceiptPlaces {
  const { statements = [] } = answerShape.safeParse(jsonOr(text)).data ?? {};
  const places = new Map(statements.map(({ digest, logIndex }) => [digest, logIndex]));
  return new Map(
    batch.flatMap(({ seq, bundle }): readonly [number, number][] => {
      const index = places.get(parseBundle(bundle).statementDigest);
      return index === undefined ? [] : [[seq, index]];
    }),
  );
}

function jsonOr(text: string): JsonValue | undefined {
  try {
    return parseStrictJson(utf8(text), { maxBytes: MAX_ANSWER_BYTES, maxDepth: LIMITS.jsonDepth });
  } catch (error) {
    // it took them all the same
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}

/** Name of a receipt outside of its site: one carried twice is one file. */
export function receiptName(site: string, seq: number): string {
  return `${site}-${String(seq).padStart(8, '0')}.json`;
}
