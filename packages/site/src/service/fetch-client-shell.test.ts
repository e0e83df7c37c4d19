/** `apply` as it asks a fetch service that is not ours any more. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MemoryDisk } from '../testing/memory-disk.js';
import { askFetchService } from './fetch-client-shell.js';

let dir: string;
let socket: string;
let server: Server;

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-fetch-client-'));
  socket = path.join(dir, 'fetch.sock');
  server = createServer((asked) => void asked.on('error', () => undefined).resume());
  await new Promise<void>((resolve) => server.listen(socket, resolve));
});

afterEach(() => {
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

test.each(['dropOffer', 'wipe'] as const)('one that never answers is not waited for for ever: %s', async (order) => {
  const signal = new AbortController().signal;
  const fetcher = askFetchService(new MemoryDisk(), socket, { signal, hurry: undefined, removalMs: 100 });
  await expect(fetcher[order]('/mirror', '/offer')).rejects.toThrow(expect.objectContaining({ code: 'FETCH_FAILED' }));
});

test('who is interrupted meanwhile is told that, and nothing of fetch', async () => {
  const leaving = new AbortController();
  const fetcher = askFetchService(new MemoryDisk(), socket, { signal: leaving.signal, hurry: undefined });
  const asked = fetcher.dropOffer('/offer');
  setTimeout(() => leaving.abort(), 50);
  await expect(asked).rejects.toThrow(expect.objectContaining({ code: 'INTERRUPTED' }));
});
