import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ByteRange } from './registry-request.js';
import { sendBytes } from './send-bytes.js';

const BYTES = randomBytes(3 * 1024 * 1024 + 17);

/** A server that sends the range to whoever asks, and how its first sending ended. */
async function serverOf(range: ByteRange): Promise<{ port: number; ended: Promise<unknown> }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sealane-site-'));
  const file = path.join(folder, 'blob');
  writeFileSync(file, BYTES);
  const handle = await open(file);
  let tell: (how: unknown) => void = () => undefined;
  const ended = new Promise<unknown>((resolve) => (tell = resolve));
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-length': range.end - range.start + 1 });
    void sendBytes(handle, range, response).then(tell, (error: unknown) => {
      response.destroy();
      tell(error);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await handle.close();
    rmSync(folder, { recursive: true });
  });
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, ended };
}

test.each([
  { start: 0, end: BYTES.length - 1 },
  { start: 1024 * 1024 - 1, end: 2 * 1024 * 1024 },
  { start: 5, end: 5 },
])('sends exactly the bytes from $start to $end', async (range) => {
  const { port, ended } = await serverOf(range);
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  expect(Buffer.from(await answer.arrayBuffer()).equals(BYTES.subarray(range.start, range.end + 1))).toBe(true);
  expect(await ended).toBeUndefined();
});

test('ends when whoever asked hangs up before he has read it', async () => {
  const { port, ended } = await serverOf({ start: 0, end: BYTES.length - 1 });
  const client = connect(port, '127.0.0.1');
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(client, 'data');
  client.destroy();
  expect(await ended).toBeUndefined();
});

test('a file that ends before the range does is an error, and the answer is cut off', async () => {
  const { port, ended } = await serverOf({ start: 0, end: BYTES.length });
  await expect(fetch(`http://127.0.0.1:${port}/`).then((answer) => answer.arrayBuffer())).rejects.toThrow();
  expect(await ended).toMatchObject({ code: 'CONTENT_LENGTH' });
});
