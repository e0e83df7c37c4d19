import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { httpUpstream } from './http-upstream.js';
import { linkMeters } from './link-meter.js';
import { plainPlace } from './routes/place.js';
import type { Upstream } from './upstream.js';

const servers: Server[] = [];
const opened: Upstream[] = [];

afterEach(async () => {
  for (const upstream of opened.splice(0)) await upstream.close();
  for (const server of servers.splice(0)) server.close();
});

/** A web server and what is measured of it. */
async function serve(
  answer: RequestListener,
  signal = new AbortController().signal,
): Promise<{ upstream: Upstream; measured: () => object }> {
  const server = createServer(answer);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const at = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const meters = linkMeters();
  const upstream = httpUpstream(plainPlace(at), meters.of(at), signal);
  opened.push(upstream);
  return { upstream, measured: () => meters.measured()[0] ?? {} };
}

async function read(upstream: Upstream): Promise<number> {
  let bytes = 0;
  for await (const piece of (await upstream.open('content/x', 0, 100, 100))?.pieces ?? []) bytes += piece.length;
  return bytes;
}

const failed = expect.objectContaining({ code: 'FETCH_FAILED' }) as object;

test('times small requests from the question to the first byte, and no download', async () => {
  const { upstream, measured } = await serve((_, response) => void setTimeout(() => response.end('x'), 40));
  expect(await upstream.get('a', 10)).toHaveLength(1);
  expect(await upstream.get('b', 10)).toHaveLength(1);
  expect(await read(upstream)).toBe(1);
  const { firstBytesMs } = measured() as { firstBytesMs: readonly number[] };
  expect(firstBytesMs).toHaveLength(2);
  // a timer of Node may end within the millisecond before
  for (const ms of firstBytesMs) expect(ms).toBeGreaterThanOrEqual(39);
  expect(measured()).toMatchObject({ over: 'http', requests: 3, unanswered: 0 });
});

test('an answer that says no, or that something is wrong there, is an answer', async () => {
  const { upstream, measured } = await serve((request, response) => void response.writeHead(request.url === '/no' ? 404 : 500).end());
  expect(await upstream.get('no', 10)).toBeUndefined();
  await expect(upstream.get('wrong', 10)).rejects.toThrow(failed);
  await expect(upstream.open('wrong', 0, 10, 10)).rejects.toThrow(failed);
  expect(measured()).toMatchObject({ requests: 3, unanswered: 0 });
});

test('what breaks off, in a document or a download, before its first byte or after it, has no whole answer', async () => {
  const { upstream, measured } = await serve((request, response) => {
    if (request.url === '/content/x') response.writeHead(200, { 'content-length': 100 });
    if (request.url === '/content/x') response.write('x'.repeat(50), () => response.destroy());
    else response.destroy();
  });
  await expect(upstream.get('a', 10)).rejects.toThrow(failed);
  await expect(read(upstream)).rejects.toThrow(failed);
  expect(measured()).toMatchObject({ requests: 2, unanswered: 2, firstBytesMs: [] });
});

test('what was interrupted here says nothing of a link', async () => {
  const stop = new AbortController();
  const { upstream, measured } = await serve(() => stop.abort(), stop.signal);
  await expect(upstream.get('a', 10)).rejects.toThrow();
  expect(measured()).toMatchObject({ requests: 1, unanswered: 0 });
});
