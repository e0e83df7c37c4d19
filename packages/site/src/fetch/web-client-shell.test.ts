import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { drain, readText, type WebAnswer, webClient } from './web-client-shell.js';

const never = new AbortController().signal;
const client = webClient(null, null);
const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(() => {
  client.close();
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** A server of few words: `says` answers the `nth` request (from 1) of the `of`-th connection (from 1). */
async function serve(says: (socket: Socket, nth: number, of: number) => void): Promise<string> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    const of = connections;
    let requests = 0;
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => says(socket, (requests += 1), of));
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

const answer = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const get = (address: string, signal = never): Promise<WebAnswer> => client.ask(`${address}/file`, { signal });

test('one connection serves one question after the other, and its bytes are counted', async () => {
  const address = await serve((socket, nth, of) => void socket.write(answer(`${nth} of ${of}`)));
  expect(await readText(await get(address), 100)).toBe('1 of 1');
  await drain(await get(address));
  expect(await readText(await get(address), 100)).toBe('3 of 1');
  expect(client.bytes()).toBeGreaterThan(3 * 'GET /file HTTP/1.1'.length + 3 * answer('1 of 1').length);
});

test('an answer that is left early, or is too long, costs the connection and no more', async () => {
  const address = await serve((socket, nth, of) => void socket.write(answer(`${nth} of ${of} `.repeat(20_000))));
  for await (const piece of (await get(address)).pieces) {
    expect(Buffer.from(piece).toString()).toMatch(/^1 of 1/);
    break;
  }
  await drain(await get(address));
  await expect(readText(await get(address), 100)).rejects.toThrow(expect.objectContaining({ code: 'FETCH_FAILED' }));
  for await (const piece of (await get(address)).pieces) {
    expect(Buffer.from(piece).toString()).toMatch(/^1 of 4/);
    break;
  }
});

test('an idle connection that is closed as it is used again is opened anew; what was sent to be taken in is not sent twice', async () => {
  const address = await serve((socket, nth, of) => void (nth === 1 ? socket.write(answer(`${nth} of ${of}`)) : socket.resetAndDestroy()));
  await drain(await get(address));
  expect(await readText(await get(address), 100)).toBe('1 of 2');
  await expect(client.ask(`${address}/file`, { method: 'POST', body: Buffer.from('{}'), signal: never })).rejects.toThrow('ECONNRESET');
});

test('whoever breaks off is told of as one who does, before the answer, in it, or by ourselves', async () => {
  const cut = await serve((socket) => void socket.end());
  await expect(get(cut)).rejects.toThrow('socket hang up');
  const torn = await serve((socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
  await expect(readText(await get(torn), 100)).rejects.toThrow('aborted');
  const slow = await serve((socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
  const stop = new AbortController();
  const { pieces } = await get(slow, stop.signal);
  await pieces.next();
  stop.abort();
  await expect(pieces.next()).rejects.toThrow();
});
