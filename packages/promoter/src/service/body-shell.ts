/** Reads request bodies: bounded in bytes, in time, and in what all of them together may keep in memory. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PromoterError } from '@sealane/core';
import type { BodyBudget } from './body-budget.js';

/** How long a body that is kept in memory may take, in milliseconds: a site on a poor link sends slowly, but not for ever. */
const BODY_TIMEOUT_MS = 120_000;
/** A stream that sends nothing for this long has died, in milliseconds. */
const IDLE_TIMEOUT_MS = 30_000;

/**
 * The whole body. What it takes of `budget` is given back when `response` is over: until then it waits for its turn, or somebody works with it.
 *
 * @throws PromoterError `FILE_TOO_LARGE`, `SERVICE_BUSY` no memory for it now, `FETCH_TOO_SLOW`
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
  budget: BodyBudget,
): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  const late = setTimeout(() => request.destroy(tooSlow(`${BODY_TIMEOUT_MS / 1000} s`)), BODY_TIMEOUT_MS);
  const share = budget.begin(() => request.destroy(noRoom()));
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw new PromoterError('FILE_TOO_LARGE', `read a body: expected at most ${maxBytes} bytes`);
      if (!share.take(chunk.length)) throw noRoom();
      chunks.push(chunk);
    }
    share.whole();
    response.once('close', share.close);
    if (response.closed) share.close();
    return new Uint8Array(Buffer.concat(chunks));
  } catch (error) {
    share.close();
    throw error;
  } finally {
    clearTimeout(late);
  }
}

/** The body as it comes. @throws PromoterError `FETCH_TOO_SLOW` it stopped coming */
export async function* streamBody(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  request.setTimeout(IDLE_TIMEOUT_MS, () => request.destroy(tooSlow(`something every ${IDLE_TIMEOUT_MS / 1000} s`)));
  for await (const chunk of request as AsyncIterable<Buffer>) yield new Uint8Array(chunk);
}

function tooSlow(expected: string): PromoterError {
  return new PromoterError('FETCH_TOO_SLOW', `read a body: expected ${expected}, got less`);
}

function noRoom(): PromoterError {
  return new PromoterError('SERVICE_BUSY', 'read a body: expected room for it, others take all of it');
}
