/** The program of a thread that hashes chunks: it opens the log that it is given, and answers one question after another. */
import { parentPort, workerData } from 'node:worker_threads';
import { openStore } from '../store/open-store.js';
import type { LedgerPlace } from '../store/place.js';
import { hashChunk } from './hash-chunk.js';
import type { ChunkAnswer, ChunkQuestion } from './hash-threads-shell.js';

const store = openStore(workerData as LedgerPlace, 'read-only');
// said to whoever asks
store.catch(() => undefined);

parentPort?.on('message', ({ id, wish }: ChunkQuestion) => {
  void answerTo(id, wish).then((answer) => parentPort?.postMessage(answer));
});

async function answerTo(id: number, wish: ChunkQuestion['wish']): Promise<ChunkAnswer> {
  try {
    return { id, chunk: await hashChunk(await store, wish) };
  } catch (error) {
    return { id, failed: error instanceof Error ? error.message : String(error) };
  }
}
