/** Which receipts pass when some are refused: against a web server that says so. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { digestFromHex, type JsonObject } from '@sealane/core';
import { afterEach, expect, test } from 'vitest';
import { queueReceipt } from '../apply/receipt.js';
import { readReceipts } from '../apply/receipt-queue.js';
import type { Disk } from '../disk.js';
import { createSiteKey } from '../site-key.js';
import { FakeClock } from '../testing/fake-clock.js';
import { MemoryDisk } from '../testing/memory-disk.js';
import type { QueuedReceipt } from './protocol.js';
import { flushReceipts } from './receipts-flush.js';
import { readRefused } from './refused-receipts.js';
import { afterTurns, type PlaceOrder, plainPlace } from './routes/place.js';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A promoter that answers each request by what is in it. */
async function promoter(
  answer: (count: number) => number,
  page?: { readonly type: string; readonly text: string },
): Promise<{ readonly at: string; readonly counts: number[] }> {
  const counts: number[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    request.on('end', () => {
      const bundles = JSON.parse(text) as readonly JsonObject[];
      counts.push(bundles.length);
      response.writeHead(answer(bundles.length), page === undefined ? {} : { 'content-type': page.type }).end(page?.text);
    });
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return { at: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`, counts };
}

const disk = new MemoryDisk();

async function queued(count: number): Promise<readonly QueuedReceipt[]> {
  const signer = createSiteKey(disk, '/key');
  const owed = {
    event: 'installed',
    release: digestFromHex('a'.repeat(64)),
    waybill: null,
    previous: null,
    reason: null,
    checks: [],
  } as const;
  const numbers = Array.from({ length: count }, (_, at) => at + 1);
  for (const seq of numbers) {
    const facts = { site: 'harbour-7', seq, prev: null, hardware: {}, variables: {}, seenCheckpoint: null, salt: '0'.repeat(32) };
    await queueReceipt(disk, '/receipts', { ...owed, at: '2026-11-24T10:00:00Z' }, facts, signer);
  }
  return readReceipts(disk, '/receipts', numbers);
}

const flush = async (receipts: readonly QueuedReceipt[], ...places: readonly string[]) => await flushFrom(disk, receipts, ...places);

const flushFrom = async (from: Disk, receipts: readonly QueuedReceipt[], ...places: readonly string[]) =>
  await flushReceipts(
    {
      do: 'flush',
      site: 'harbour-7',
      receiptsTo: places.map(plainPlace),
      order: 'as-they-work',
      pollSeconds: 60,
      receipts,
      mirror: '/mirror',
    },
    { disk: from, clock: new FakeClock(), random: () => 0, signal: new AbortController().signal },
  );

test('a promoter that refuses one after another is asked for sixteen, then the others wait; where another takes them none is refused', async () => {
  const receipts = await queued(40);
  const refusing = await promoter(() => 400);
  expect(await flush(receipts, refusing.at)).toMatchObject({ upTo: 16, problem: expect.stringContaining('got 400') as string });
  expect(readRefused(disk, '/mirror').size).toBe(16);
  // what is known to be refused costs no other its turn
  expect(await flush(receipts, refusing.at)).toMatchObject({ upTo: 32 });
  const taking = await promoter(() => 201);
  expect(await flush(receipts, refusing.at, taking.at)).toEqual({ upTo: 40, problem: null });
  expect(taking.counts).toEqual([16, 16, 8]);
  expect(readRefused(disk, '/mirror').size).toBe(0);
});

test('a fault is no refusal: all of them wait', async () => {
  const receipts = await queued(20);
  for (const status of [401, 403, 404, 429, 500, 502, 503]) {
    const failing = await promoter(() => status);
    expect(await flush(receipts, failing.at)).toMatchObject({ upTo: 0, problem: expect.stringContaining(`got ${status}`) as string });
    expect(failing.counts).toEqual([16]);
  }
  expect(readRefused(disk, '/mirror').size).toBe(0);
});

test('a batch that is too large as a whole arrives one by one', async () => {
  const receipts = await queued(3);
  const small = await promoter((count) => (count > 1 ? 413 : 201));
  expect(await flush(receipts, small.at)).toEqual({ upTo: 3, problem: null });
  expect(small.counts).toEqual([3, 1, 1, 1]);
  expect(readRefused(disk, '/mirror').size).toBe(0);
});

test('a disk that neither gives nor takes the file of routes keeps no receipt from its place', async () => {
  const receipts = await queued(3);
  const taking = await promoter(() => 201);
  class IllDisk extends MemoryDisk {
    override read(file: string, maxBytes: number): Uint8Array | undefined {
      return file.endsWith('routes.json') ? fail('EIO', file) : super.read(file, maxBytes);
    }
    override writeSynced(file: string, bytes: Uint8Array): void {
      if (file.includes('routes.json')) fail('EROFS', file);
      super.writeSynced(file, bytes);
    }
  }
  expect(await flushFrom(new IllDisk(), receipts, taking.at)).toEqual({ upTo: 3, problem: null });
  // not for a disk alone that is none
  class NoDisk extends MemoryDisk {
    override writeSynced(): void {
      throw new TypeError('not a disk');
    }
  }
  await expect(flushFrom(new NoDisk(), receipts, taking.at)).rejects.toThrow('not a disk');
});

function fail(code: string, file: string): never {
  throw Object.assign(new Error(`${code}: ${file}`), { code, syscall: 'open' });
}

test('the words of a promoter are told, of a page that stands before it only that it is one', async () => {
  const receipts = await queued(1);
  const page = `<!DOCTYPE html><html><body>${'Bad gateway. '.repeat(40)}</body></html>`;
  const told = async (type: string, text: string): Promise<unknown> =>
    (await flush(receipts, (await promoter(() => 503, { type, text })).at)).problem;
  expect(await told('text/plain', 'away until noon\n')).toMatch(/got 503 away until noon$/);
  expect(await told('text/html; charset=utf-8', page)).toMatch(new RegExp(`got 503 and a page of ${page.length} letters$`));
  expect(await told('text/plain', page)).toMatch(/got 503 and a page of \d+ letters$/);
  expect(await told('text/plain', 'no '.repeat(100))).toMatch(/got 503 and a text of 300 letters$/);
  expect(await told('text/plain', 'no\u001b[2J')).toMatch(/got 503 and a text of 6 letters$/);
  expect(await told('text/plain', '')).toMatch(/got 503$/);
});

test('where the log shows nothing of them the order is that of the places’ names, whoever seemed to work', async () => {
  const [one] = await queued(1);
  let status = 503;
  const [honest, liar] = [await promoter(() => status), await promoter(() => 201)];
  const world = { disk: new MemoryDisk(), clock: new FakeClock(), random: () => 0, signal: new AbortController().signal };
  const send = async (order: PlaceOrder, turns: number): Promise<readonly [honest: number, liar: number]> => {
    const receiptsTo = afterTurns(
      [liar, honest].map(({ at }) => plainPlace(at)),
      turns,
    );
    const receipts = one === undefined ? [] : [one];
    await flushReceipts({ do: 'flush', site: 'harbour-7', receiptsTo, order, pollSeconds: 60, receipts, mirror: '/mirror' }, world);
    return [honest.counts.length, liar.counts.length];
  };
  // left, since it had too much to do once
  expect(await send('as-they-work', 1)).toEqual([1, 1]);
  status = 201;
  expect(await send('as-they-work', 1)).toEqual([1, 2]);
  expect(await send('as-named', 1)).toEqual([2, 2]);
  expect(await send('as-named', 2)).toEqual([2, 3]);
});
