/** Connections on which nothing moves, on a real server. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { letGoWhoStalls } from './stalled-shell.js';

const STALL_MS = 100;
let server: Server;

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** A connection to a server that answers so, on which this was sent. */
async function asked(text: string, answer: RequestListener): Promise<Socket> {
  server = createServer(answer);
  letGoWhoStalls(server, STALL_MS);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(text);
  return socket;
}

/** Resolves when the server has let go of its only connection. */
async function letGo(): Promise<void> {
  await expect.poll(() => new Promise((resolve) => server.getConnections((_, count) => resolve(count)))).toBe(0);
}

test('who never reads an answer is let go', async () => {
  const socket = await asked('GET / HTTP/1.1\r\nhost: x\r\n\r\n', (_, response) => void response.end(Buffer.alloc(64 * 1024 * 1024)));
  socket.pause();
  await new Promise((resolve) => server.once('request', resolve));
  await letGo();
});

test('who never ends a request is let go', async () => {
  await asked('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n12345', (request) => void request.resume());
  await new Promise((resolve) => server.once('request', resolve));
  await letGo();
});

test('who waits for us is not let go, however long we take', async () => {
  const socket = await asked(
    'GET / HTTP/1.1\r\nhost: x\r\n\r\n',
    (_, response) => void setTimeout(() => response.end('late'), 8 * STALL_MS),
  );
  const text = await new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())));
  expect(text).toContain('late');
});
