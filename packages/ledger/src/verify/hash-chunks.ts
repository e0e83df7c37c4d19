/** All chunks of a log, hashed in order or side by side, and handed over in order. */
import type { LedgerPlace } from '../store/place.js';
import type { Queries } from '../store/store.js';
import { CHUNK_LEAVES, type ChunkWish, hashChunk, type HashedChunk } from './hash-chunk.js';
import { type HashThreads, startHashThreads } from './hash-threads-shell.js';

/** Chunks that a thread has before it: while one is taken in, the next is hashed. */
const AHEAD = 2;

/** Which log: where it is, the view of it that the check rests on, how long it is, and at which sizes its roots are wanted. */
export interface HashWish {
  readonly place: LedgerPlace;
  readonly view: Queries;
  readonly size: number;
  readonly sizes: ReadonlySet<number>;
}

/** The chunks of a log from its first entry to its last; whoever has seen enough stops asking. @throws as `hashChunk` */
export async function* hashedChunks({ place, view, size, sizes }: HashWish): AsyncGenerator<HashedChunk, undefined> {
  const wishes = wishesOf(size, sizes);
  const threads = startHashThreads(place, wishes.length);
  try {
    const waiting: Promise<HashedChunk>[] = [];
    for (const wish of wishes) {
      waiting.push(hashOn(threads, view, wish));
      if (waiting.length > (threads?.count ?? 0) * AHEAD) yield* first(waiting);
    }
    while (waiting.length > 0) yield* first(waiting);
    return undefined;
  } finally {
    await threads?.close();
  }
}

async function* first(waiting: Promise<HashedChunk>[]): AsyncGenerator<HashedChunk> {
  const next = await waiting.shift();
  if (next !== undefined) yield next;
}

function wishesOf(size: number, sizes: ReadonlySet<number>): readonly ChunkWish[] {
  const wishes = Array.from({ length: Math.ceil(size / CHUNK_LEAVES) }, (_, at) => ({
    begin: at * CHUNK_LEAVES,
    end: Math.min((at + 1) * CHUNK_LEAVES, size),
    sizes: [] as number[],
  }));
  for (const wanted of [...sizes].sort((left, right) => left - right)) wishes[Math.ceil(wanted / CHUNK_LEAVES) - 1]?.sizes.push(wanted);
  return wishes;
}

function hashOn(threads: HashThreads | undefined, view: Queries, wish: ChunkWish): Promise<HashedChunk> {
  const own = (): Promise<HashedChunk> => hashChunk(view, wish);
  // a thread that fails says it as this one would
  const hashed = threads === undefined ? own() : threads.hash(wish).catch(own);
  // heard of when its turn comes
  hashed.catch(() => undefined);
  return hashed;
}
