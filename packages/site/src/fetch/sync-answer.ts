/** How a sync ended, in the words of the protocol. */
import { counted, type ErrorCode, SealaneError } from '@sealane/core';
import { isDiskFull, isNodeError } from '../disk.js';
import type { Cost } from './links.js';
import type { SyncAnswer } from './protocol.js';
import type { LaneFiles } from './sync-job.js';
import type { Tally } from './tally.js';

/** `refused` changed nothing in the mirror; `files` are what the upstream offered. `partial`: trust is here, content is still to come. */
export type SyncEnd =
  | { readonly is: 'unchanged'; readonly at: string }
  | { readonly is: 'synced'; readonly at: string; readonly tally: Tally }
  | { readonly is: 'partial'; readonly at: string; readonly tally: Tally; readonly code: ErrorCode | null; readonly message: string }
  | { readonly is: 'refused'; readonly at: string; readonly code: ErrorCode; readonly message: string; readonly files: LaneFiles }
  | { readonly is: 'failed'; readonly at: string | null; readonly code: ErrorCode; readonly message: string };

/** The answer. */
export function answerTo(end: SyncEnd, cost: Cost): SyncAnswer {
  const { fetched, kept } = 'tally' in end ? end.tally : { fetched: 0, kept: 0 };
  const rest = { upstream: end.at, ...cost, fetched, kept };
  switch (end.is) {
    case 'unchanged':
      return { outcome: 'unchanged', code: null, message: '', ...rest };
    case 'refused':
    case 'failed':
    case 'partial':
      return { outcome: end.is, code: end.code, message: end.message, ...rest };
    case 'synced':
      return { ...syncedAnswer(end.tally), ...rest };
  }
}

function syncedAnswer({ absent, wrong, fetched, kept }: Tally): Pick<SyncAnswer, 'outcome' | 'code' | 'message'> {
  const [first] = [...wrong, ...absent];
  if (first === undefined) return { outcome: 'synced', code: null, message: `${counted(fetched, 'blob')} fetched, ${kept} kept` };
  const code: ErrorCode = wrong.length > 0 ? 'CONTENT_DIGEST' : 'CONTENT_MISSING';
  return { outcome: 'incomplete', code, message: `${counted(wrong.length, 'file')} wrong, ${absent.length} absent, first ${first}` };
}

/** What stopped a sync that is neither trust nor bytes; faults of the program pass. */
export function failureOf(at: string | null, error: unknown): SyncEnd {
  if (error instanceof SealaneError) return failed(at, error.code, error.message);
  if (isDiskFull(error)) return failed(at, 'DISK_SHORT', error.message);
  if (isNodeError(error, 'EROFS', 'EACCES', 'EPERM')) return failed(at, 'STATE_UNWRITABLE', error.message);
  if (error instanceof Error && 'code' in error) return failed(at, 'FETCH_FAILED', error.message);
  throw error;
}

function failed(at: string | null, code: ErrorCode, message: string): SyncEnd {
  return { is: 'failed', at, code, message };
}
