/** Ways through a proxy that does what it likes: each has an end, and nothing of it stays open. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { webClient } from './web-client-shell.js';

const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** A proxy that answers what it is asked so, after so long; `opened` are the connections to it. */
async function proxyThat(answer: string, afterMs = 0): Promise<{ readonly at: string; readonly opened: readonly Socket[] }> {
  const opened: Socket[] = [];
  const server = createServer((socket) => {
    opened.push(socket);
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => setTimeout(() => socket.write(answer), afterMs));
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return { at: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`, opened };
}

test('who is interrupted while the proxy connects leaves no connection behind', async () => {
  const { at, opened } = await proxyThat('HTTP/1.1 200 Connection established\r\n\r\n', 200);
  const client = webClient(null, at);
  const leaving = new AbortController();
  const asked = client.ask('https://lane.example/trust', { signal: leaving.signal });
  await expect.poll(() => opened.length).toBe(1);
  leaving.abort();
  await expect(asked).rejects.toThrow();
  client.close();
  await expect.poll(() => opened[0]?.closed, { timeout: 3000 }).toBe(true);
});

test.each([
  ['speaks before the server was asked', 'HTTP/1.1 200 OK\r\n\r\nhello', 'got 200'],
  ['says no', 'HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n', 'got 403'],
  ['says something else', 'SSH-2.0-OpenSSH_9.2\r\n', ''],
])('a proxy that %s is named, with where it was to lead', async (_what, answer, got) => {
  const { at, opened } = await proxyThat(answer);
  const client = webClient(null, at);
  const asked = client.ask('https://[2001:db8::7]:8443/trust', { signal: new AbortController().signal });
  await expect(asked).rejects.toThrow(
    `through the proxy ${at}: ${got === '' ? '' : `expected a connection to [2001:db8::7]:8443, ${got}`}`,
  );
  client.close();
  await expect.poll(() => opened[0]?.closed).toBe(true);
});
