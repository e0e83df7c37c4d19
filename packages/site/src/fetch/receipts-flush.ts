/**
 * Carries queued receipts up: to a promoter over HTTP, or into a folder that somebody carries on.
 *
 * In order, and each until it has arrived. Exactly once is the promoter's part: a receipt is known by its digest, and one that it has is fine.
 */
import path from 'node:path';
import { canonicalJson, SealaneError } from '@sealane/core';
import type { Disk } from '../disk.js';
import { durableWrite } from '../durable-write.js';
import type { FetchRequest, FlushAnswer, QueuedReceipt } from './protocol.js';

/** Receipts in one request: a body of a few hundred KiB with their inventories. */
const BATCH = 16;

const TIMEOUT_MS = 30_000;

type FlushRequest = Extract<FetchRequest, { do: 'flush' }>;

/** Sends what it can; says up to which receipt, and what stopped it. */
export async function flushReceipts(
  request: FlushRequest,
  world: { readonly disk: Disk; readonly signal: AbortSignal },
): Promise<FlushAnswer> {
  let upTo = 0;
  const send = /^https?:\/\//.test(request.receiptsTo) ? await poster(request.receiptsTo, world.signal) : copier(request, world.disk);
  for (let from = 0; from < request.receipts.length; from += BATCH) {
    const batch = request.receipts.slice(from, from + BATCH);
    const problem = await attempt(() => send(batch));
    if (problem !== null) return { upTo, problem };
    upTo = batch.at(-1)?.seq ?? upTo;
  }
  return { upTo, problem: null };
}

type Send = (batch: readonly QueuedReceipt[]) => Promise<string | null>;

async function poster(address: string, signal: AbortSignal): Promise<Send> {
  const { request } = await import('undici');
  return async (batch) => {
    const answer = await request(`${address}/api/v1/receipts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: canonicalJson(batch.map(({ bundle }) => bundle)),
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const text = (await answer.body.text()).slice(0, 300);
    return answer.statusCode >= 200 && answer.statusCode < 300
      ? null
      : `post receipts to ${address}: expected 2xx, got ${answer.statusCode} ${text}`;
  };
}

function copier({ receiptsTo, site }: FlushRequest, disk: Disk): Send {
  return (batch) => {
    disk.makeFolder(receiptsTo, 0o755);
    for (const { seq, bundle } of batch) durableWrite(disk, path.join(receiptsTo, receiptName(site, seq)), canonicalJson(bundle), 0o644);
    return Promise.resolve(null);
  };
}

/** Name of a receipt outside of its site: one carried twice is one file. */
export function receiptName(site: string, seq: number): string {
  return `${site}-${String(seq).padStart(8, '0')}.json`;
}

async function attempt(send: () => Promise<string | null>): Promise<string | null> {
  try {
    return await send();
  } catch (error) {
    // unreachable, interrupted, no space: the receipts stay queued
    if (error instanceof SealaneError || error instanceof Error) return error.message || error.name;
    throw error;
  }
}
