/** Threads that hash chunks of a log, one for each core. Each reads the log by a connection of its own; what one fails at is done again by who asked. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { LedgerPlace } from '../store/place.js';
import type { ChunkWish, HashedChunk } from './hash-chunk.js';

/** Each has a connection and some 30 MB; beyond these the disk is what is waited for. */
const MAX_THREADS = 8;
/** The bundled program of a thread: `hash-thread-shell.ts`. */
const PROGRAM = 'sealane-hashes.mjs';

/** Threads at work. */
export interface HashThreads {
  readonly count: number;
  /** Rejects where the thread is gone, or could not do it. */
  hash(wish: ChunkWish): Promise<HashedChunk>;
  close(): Promise<void>;
}

/** What a thread is told, and what it answers. */
export interface ChunkQuestion {
  readonly id: number;
  readonly wish: ChunkWish;
}
export type ChunkAnswer = { readonly id: number; readonly chunk: HashedChunk } | { readonly id: number; readonly failed: string };

/** Starts threads for `chunks` chunks at most; undefined where there is one core, or nothing to share, or the program was not bundled. */
export function startHashThreads(place: LedgerPlace, chunks: number): HashThreads | undefined {
  const [program, count] = [programOf(), Math.min(availableParallelism(), MAX_THREADS, chunks)];
  if (program === undefined || count < 2) return undefined;
  const threads = Array.from({ length: count }, () => startThread(program, place));
  let next = 0;
  return {
    count,
    hash: async (wish) => {
      next += 1;
      const thread = threads[next % count];
      if (thread === undefined) throw new Error('expected a thread');
      return await thread.ask({ id: next, wish });
    },
    close: async () => {
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}

/** This code is in `dist/` or in a folder of it. */
function programOf(): string | undefined {
  const places = [`./${PROGRAM}`, `../${PROGRAM}`].map((place) => fileURLToPath(new URL(place, import.meta.url)));
  return places.find((place) => existsSync(place));
}

interface Thread {
  readonly worker: Worker;
  ask(question: ChunkQuestion): Promise<HashedChunk>;
}

function startThread(program: string, workerData: LedgerPlace): Thread {
  // words for node that were meant for another script, such as --input-type, would stop it
  const worker = new Worker(program, { workerData, execArgv: [] });
  const waiting = new Map<number, { readonly resolve: (chunk: HashedChunk) => void; readonly reject: (error: Error) => void }>();
  let gone: Error | undefined;
  const end = (error: Error): void => {
    gone ??= error;
    for (const { reject } of waiting.values()) reject(gone);
    waiting.clear();
  };
  worker.on('error', end);
  worker.on('exit', () => end(new Error('the thread ended')));
  worker.on('message', (answer: ChunkAnswer) => {
    const asked = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('chunk' in answer) asked?.resolve(answer.chunk);
    else asked?.reject(new Error(answer.failed));
  });
  return {
    worker,
    ask: (question) =>
      new Promise((resolve, reject) => {
        if (gone !== undefined) return void reject(gone);
        waiting.set(question.id, { resolve, reject });
        worker.postMessage(question);
      }),
  };
}
