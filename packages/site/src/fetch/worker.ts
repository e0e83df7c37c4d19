/** What `fetch` does with a request: upstreams in their order for a sync, receipts in their order for a flush, a request for a certificate. */
import { type ErrorCode, SealaneError } from '@sealane/core';
import { type Disk, isNodeError } from '../disk.js';
import { folderUpstream } from './folder-upstream.js';
import { openMirror, type Mirror } from './mirror.js';
import { askForCertificate } from './certify.js';
import type { CertifyAnswer, FetchRequest, FlushAnswer, SyncAnswer } from './protocol.js';
import { flushReceipts } from './receipts-flush.js';
import { type LaneFiles, syncFrom, type SyncJob, type SyncResult } from './sync.js';
import type { Upstream } from './upstream.js';

/** The outside of `fetch`. */
export interface FetchWorld {
  readonly disk: Disk;
  readonly signal: AbortSignal;
}

/** Serves one request; never rejects for what an upstream does. */
export async function serveFetch(
  request: FetchRequest,
  world: FetchWorld,
): Promise<{ readonly synced: SyncAnswer } | { readonly flushed: FlushAnswer } | { readonly certified: CertifyAnswer }> {
  if (request.do === 'flush') return { flushed: await flushReceipts(request, world) };
  if (request.do === 'certify') return { certified: await askForCertificate(request, world) };
  const mirror = openMirror(world.disk, request.mirror, request.offer);
  return { synced: await syncFromFirst(request.upstreams, mirror, request.job, world) };
}

interface Attempt {
  readonly answer: SyncAnswer;
  readonly offered: LaneFiles | undefined;
}

/** Best first: an upstream that is only unreachable says less than one that serves something wrong. */
const RANK: readonly SyncAnswer['outcome'][] = ['synced', 'unchanged', 'incomplete', 'refused', 'failed'];

/** Tries upstreams in order until one has all. What a refused one offered is kept for `apply` unless another one served better. */
async function syncFromFirst(upstreams: readonly string[], mirror: Mirror, job: SyncJob, world: FetchWorld): Promise<SyncAnswer> {
  mirror.clearOffer();
  const cost = { requests: 0, bytes: 0 };
  let best: Attempt = { answer: failure(null, 'FETCH_FAILED', 'no upstream is configured'), offered: undefined };
  for (const place of upstreams) {
    const attempt = await tryUpstream(place, mirror, job, world, cost);
    const isBetter = best.answer.upstream === null || RANK.indexOf(attempt.answer.outcome) < RANK.indexOf(best.answer.outcome);
    if (isBetter) best = attempt;
    if (best.answer.outcome === 'synced' || best.answer.outcome === 'unchanged') break;
  }
  for (const [name, bytes] of best.offered ?? []) mirror.offer(name, bytes);
  return { ...best.answer, ...cost };
}

async function tryUpstream(
  place: string,
  mirror: Mirror,
  job: SyncJob,
  world: FetchWorld,
  cost: { requests: number; bytes: number },
): Promise<Attempt> {
  let upstream: Upstream | undefined;
  try {
    upstream = await openUpstream(place, world);
    const result = await syncFrom(upstream, mirror, job);
    return { answer: answerOf(place, result), offered: result.is === 'refused' ? result.files : undefined };
  } catch (error) {
    return { answer: failureOf(place, error), offered: undefined };
  } finally {
    const spent = upstream?.cost() ?? { requests: 0, bytes: 0 };
    cost.requests += spent.requests;
    cost.bytes += spent.bytes;
    await upstream?.close();
  }
}

/** A web address or a folder. The HTTP client is loaded only where it is used. */
async function openUpstream(place: string, { disk, signal }: FetchWorld): Promise<Upstream> {
  if (!/^https?:\/\//.test(place)) return folderUpstream(place, disk);
  const { httpUpstream } = await import('./http-upstream.js');
  return httpUpstream(place, signal);
}

function answerOf(upstream: string, result: SyncResult): SyncAnswer {
  const { fetched, kept } = result.is === 'synced' ? result : { fetched: 0, kept: 0 };
  const rest = { upstream, requests: 0, bytes: 0, fetched, kept };
  if (result.is === 'unchanged') return { outcome: 'unchanged', code: null, message: '', ...rest };
  if (result.is === 'refused') return { outcome: 'refused', code: result.code, message: result.message, ...rest };
  const [first] = [...result.wrong, ...result.absent];
  if (first === undefined) return { outcome: 'synced', code: null, message: `${fetched} blobs fetched, ${kept} kept`, ...rest };
  const code: ErrorCode = result.wrong.length > 0 ? 'CONTENT_DIGEST' : 'CONTENT_MISSING';
  return {
    outcome: 'incomplete',
    code,
    message: `${result.wrong.length} files wrong, ${result.absent.length} absent, first ${first}`,
    ...rest,
  };
}

function failureOf(upstream: string, error: unknown): SyncAnswer {
  if (error instanceof SealaneError) return failure(upstream, error.code, error.message);
  if (isNodeError(error, 'ENOSPC', 'EDQUOT')) return failure(upstream, 'DISK_SHORT', error.message);
  if (isNodeError(error, 'EROFS', 'EACCES', 'EPERM')) return failure(upstream, 'STATE_UNWRITABLE', error.message);
  if (error instanceof Error && 'code' in error) return failure(upstream, 'FETCH_FAILED', error.message);
  throw error;
}

function failure(upstream: string | null, code: ErrorCode, message: string): SyncAnswer {
  return { outcome: 'failed', code, message, upstream, requests: 0, bytes: 0, fetched: 0, kept: 0 };
}
