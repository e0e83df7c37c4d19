/** The `apply` side of the pipe: starts `fetch`, asks, reads its answers with suspicion. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { SiteError } from '@sealane/core';
import type { Disk } from '../disk.js';
import { boundedLines } from './bounded-lines.js';
import {
  type CertifyAnswer,
  type CertifyRequest,
  type FetchRequest,
  type FlushAnswer,
  MAX_LINE_BYTES,
  parseAnswer,
  type SyncAnswer,
} from '../fetch/protocol.js';
import { programBeside } from '../program-beside.js';

/** A running `fetch`, or what stands in for it. */
export interface Fetcher {
  /** One request, one answer. */
  sync(request: Extract<FetchRequest, { do: 'sync' }>): Promise<SyncAnswer>;
  flush(request: Extract<FetchRequest, { do: 'flush' }>): Promise<FlushAnswer>;
  certify(request: CertifyRequest): Promise<CertifyAnswer>;
  /** Forgets what was offered and found wrong. */
  dropOffer(offer: string): Promise<void>;
  /** Removes all that it brought. */
  wipe(mirror: string, offer: string): Promise<void>;
  close(): Promise<void>;
}

/** Time to end by itself once nothing more is asked of it. */
const CLOSE_MS = 2000;

/** The process, started by the first request: going back where no receipt can be sent needs none. Its messages for people go to stderr. `signal` ends it. */
export function startFetchProcess(disk: Disk, signal: AbortSignal): Fetcher {
  let started: FetchProcess | undefined;
  const ask = async (request: FetchRequest): Promise<ReturnType<typeof parseAnswer>> => {
    started ??= spawnFetch(signal);
    const { child, lines } = started;
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await lines.next();
    if (signal.aborted) throw new SiteError('INTERRUPTED', `ask the fetch process to ${request.do}: interrupted before its answer`);
    if (done === true) throw new SiteError('FETCH_FAILED', 'ask the fetch process: expected an answer, it ended');
    return parseAnswer(value);
  };
  return {
    sync: async (request) => {
      const answer = await ask(request);
      if ('synced' in answer) return answer.synced;
      throw new SiteError('INTERNAL', 'ask the fetch process: expected the answer to a sync');
    },
    flush: async (request) => {
      const answer = await ask(request);
      if ('flushed' in answer) return answer.flushed;
      throw new SiteError('INTERNAL', 'ask the fetch process: expected the answer to a flush');
    },
    certify: async (request) => {
      const answer = await ask(request);
      if ('certified' in answer) return answer.certified;
      throw new SiteError('INTERNAL', 'ask the fetch process: expected the answer to a request for a certificate');
    },
    // it runs as we do, and is idle: its folder may be cleared under it
    dropOffer: (offer) => {
      disk.remove(offer);
      return Promise.resolve();
    },
    wipe: (mirror, offer) => {
      for (const folder of [offer, mirror]) disk.remove(folder);
      return Promise.resolve();
    },
    close: async () => {
      if (started === undefined) return;
      signal.removeEventListener('abort', started.end);
      await closeChild(started.child);
    },
  };
}

interface FetchProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly lines: AsyncGenerator<Uint8Array, void, undefined>;
  readonly end: () => void;
}

function spawnFetch(signal: AbortSignal): FetchProcess {
  const child = spawn(process.execPath, [programBeside('sealane-site-fetch')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const end = (): void => void child.kill('SIGTERM');
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  // a fetch that is gone shows as a missing answer
  child.stdin.on('error', () => undefined);
  return { child, lines: boundedLines(child.stdout, MAX_LINE_BYTES), end };
}

async function closeChild(child: ChildProcess): Promise<void> {
  child.stdin?.end();
  if (child.exitCode !== null || child.signalCode !== null) return;
  const late = setTimeout(() => child.kill('SIGKILL'), CLOSE_MS);
  await once(child, 'exit');
  clearTimeout(late);
}
