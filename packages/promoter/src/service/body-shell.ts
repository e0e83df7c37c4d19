/** Reads request bodies: bounded in bytes, in time, and in what all of them together may keep in memory. */
import type { IncomingMessage } from 'node:http';
import { PromoterError } from '@sealane/core';

/** How long a body that is kept in memory may take, in milliseconds: a site on a poor link sends slowly, but not for ever. */
const BODY_TIMEOUT_MS = 120_000;
/** A stream that sends nothing for this long has died, in milliseconds. */
const IDLE_TIMEOUT_MS = 30_000;

/** Memory that bodies share. Strangers have one of their own, so that they cannot use up what callers need. */
export interface BodyBudget {
  /** Takes bytes out; false when there are not as many. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

/** A budget of so many bytes. */
export function bodyBudget(totalBytes: number): BodyBudget {
  let left = totalBytes;
  return {
    take: (bytes) => {
      if (bytes > left) return false;
      left -= bytes;
      return true;
    },
    give: (bytes) => {
      left += bytes;
    },
  };
}

/**
 * The whole body.
 *
 * @throws PromoterError `FILE_TOO_LARGE`, `SERVICE_BUSY` no memory for it now, `FETCH_TOO_SLOW`
 */
export async function readBody(request: IncomingMessage, maxBytes: number, budget: BodyBudget): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  const late = setTimeout(() => request.destroy(tooSlow(`${BODY_TIMEOUT_MS / 1000} s`)), BODY_TIMEOUT_MS);
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      if (size + chunk.length > maxBytes) throw new PromoterError('FILE_TOO_LARGE', `read a body: expected at most ${maxBytes} bytes`);
      if (!budget.take(chunk.length)) throw new PromoterError('SERVICE_BUSY', 'read a body: expected room for it, others take all of it');
      size += chunk.length;
      chunks.push(chunk);
    }
    return new Uint8Array(Buffer.concat(chunks));
  } finally {
    clearTimeout(late);
    budget.give(size);
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
