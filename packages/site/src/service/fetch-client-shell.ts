/** `fetch` as `apply` has it where both are services: an order on a socket, a digest back, and the rest read out of folders that nobody believes. */
import path from 'node:path';
import { type Digest, type ErrorCode, SiteError } from '@sealane/core';
import { parseBundle } from '@sealane/trust';
import type { Fetcher } from '../apply/fetch-shell.js';
import { type Disk, isNodeError } from '../disk.js';
import { timestampIn } from '../fetch/brought.js';
import type { FetchCode } from '../fetch/may-say.js';
import type { FlushAnswer, QueuedReceipt, SyncAnswer } from '../fetch/protocol.js';
import { askLine } from './line-socket-shell.js';
import { type FetchOrder, type FetchReply, MAX_FETCH_ANSWER_BYTES, parseFetchAnswer } from './wire.js';

/** Where people read what `fetch` ran into: over the socket it has a code for it, and no other word. */
const WHY = 'its journal says why: journalctl -u sealane-site-fetch';

/** For what needs no network: removing a mirror of some hundred gigabytes takes less, in milliseconds. */
const REMOVAL_MS = 300_000;

/** What breaks off an order: `signal` any, `hurry` those that can be given again later, `removalMs` those that only remove what was brought. */
export interface FetchPatience {
  readonly signal: AbortSignal;
  readonly hurry: AbortSignal | undefined;
  readonly removalMs?: number;
}

/** The fetch service on a socket. What it brings may take hours, and it may never answer: who asks for something else at this site is not to wait for that. */
export function askFetchService(
  disk: Disk,
  socket: string,
  { signal, hurry = new AbortController().signal, removalMs = REMOVAL_MS }: FetchPatience,
): Fetcher {
  // nobody could hold the site or go back while it was waited for
  const ask = (order: FetchOrder): Promise<FetchReply> => orderOf(socket, order, signal, AbortSignal.timeout(removalMs));
  const mayWait = AbortSignal.any([signal, hurry]);
  /** Undefined where it gave way. */
  const askLater = async (order: FetchOrder): Promise<FetchReply | undefined> => {
    try {
      return await orderOf(socket, order, mayWait);
    } catch (error) {
      if (signal.aborted || !hurry.aborted) throw error;
      return undefined;
    }
  };
  return {
    sync: async ({ job, places, pollSeconds, mirror, offer }) => {
      const before = new Set(disk.list(blobFolder(mirror)));
      const reply = await orderOf(socket, { v: 1, do: 'sync', job, places, pollSeconds }, mayWait);
      const after = disk.list(blobFolder(mirror));
      const kept = after.filter((name) => before.has(name)).length;
      return { ...answerOf(disk, { mirror, offer }, reply, job.expiry), fetched: after.length - kept, kept };
    },
    flush: async ({ site, receiptsTo, order, pollSeconds, receipts }) =>
      arrived(receipts, (await askLater({ v: 1, do: 'flush', site, receiptsTo, order, pollSeconds, receipts }))?.brought ?? null),
    certify: async ({ site, receiptsTo, order, request }) => {
      await askLater({ v: 1, do: 'certify', site, receiptsTo, order, request });
      return { problem: null };
    },
    dropOffer: async () => void (await ask({ v: 1, do: 'drop-offer' })),
    wipe: async () => void (await ask({ v: 1, do: 'wipe' })),
    close: () => Promise.resolve(),
  };
}

async function orderOf(socket: string, order: FetchOrder, signal: AbortSignal, late = new AbortController().signal): Promise<FetchReply> {
  let line: Uint8Array | undefined;
  try {
    line = await askLine(socket, order, MAX_FETCH_ANSWER_BYTES, AbortSignal.any([signal, late]));
  } catch (cause) {
    if (signal.aborted || late.aborted) line = undefined;
    else if (isNodeError(cause, 'ENOENT', 'ECONNREFUSED', 'EACCES')) throw unreachable(socket, cause.message, cause);
    else throw cause;
  }
  if (signal.aborted) throw new SiteError('INTERRUPTED', `order fetch to ${order.do}: interrupted before its answer`);
  if (line === undefined) throw unreachable(socket, 'no answer');
  return parseFetchAnswer(line);
}

function unreachable(socket: string, got: string, cause?: Error): SiteError {
  return new SiteError(
    'FETCH_FAILED',
    `ask the fetch service at ${socket}: expected an answer, got ${got}`,
    {},
    { cause, hint: 'see whether its socket is there: systemctl status sealane-site-fetch.socket' },
  );
}

/** What the folders say of a sync. A digest of what does not lie there counts as nothing brought. */
function answerOf(
  disk: Disk,
  folders: { readonly mirror: string; readonly offer: string },
  { brought, rest, code }: FetchReply,
  expiry: 'network' | 'medium',
): SyncAnswer {
  if (brought !== null && brought === timestampIn(disk, folders)) return thereOrPartly(rest, code);
  const [wrong] = disk.list(blobFolder(folders.offer));
  if (expiry === 'medium' && wrong !== undefined)
    return answer('incomplete', 'CONTENT_DIGEST', `expected the bytes that its name says in content/blobs/sha256/${wrong}, got others`);
  // documents that were offered and refused: whoever asked looks at them with the site's own trust
  if (disk.list(path.join(folders.offer, 'trust')).length > 0) return answer('synced', null, '');
  return answer('failed', code ?? 'FETCH_FAILED', `the fetch service brought nothing: ${WHY}`);
}

/** Where `fetch` says that content is missing for now, its word can only put off what is not here. */
function thereOrPartly(rest: FetchReply['rest'], code: FetchCode = rest === 'spent' ? 'BUDGET_SPENT' : 'FETCH_FAILED'): SyncAnswer {
  if (rest === 'here') return answer('synced', null, '');
  if (rest === 'coming') return answer('partial', null, '');
  return answer('partial', code, `the fetch service has not brought all content: ${WHY}`);
}

function blobFolder(folder: string): string {
  return path.join(folder, 'content', 'blobs', 'sha256');
}

function answer(outcome: SyncAnswer['outcome'], code: ErrorCode | null, message: string): SyncAnswer {
  return { outcome, code, message, upstream: null, requests: 0, bytes: 0, fetched: 0, kept: 0 };
}

/** Receipts up to the one that is named have arrived. One that was not in the order counts for nothing. */
function arrived(receipts: readonly QueuedReceipt[], digest: Digest | null): FlushAnswer {
  const last = receipts.findLast(({ bundle }) => receiptDigest(bundle) === digest);
  const problem = last?.seq === receipts.at(-1)?.seq ? null : `not all have arrived; ${WHY}`;
  return { upTo: last?.seq ?? 0, problem };
}

/** A receipt's name on the wire: its statement digest. */
export function receiptDigest(bundle: QueuedReceipt['bundle']): Digest {
  return parseBundle(bundle).statementDigest;
}
