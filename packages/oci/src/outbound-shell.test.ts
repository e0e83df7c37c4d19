import { createServer } from 'node:http';
import { type AddressInfo, createServer as createPlain } from 'node:net';
import { request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isExcepted, openDispatcher } from './outbound-shell.js';

const asked: string[] = [];
const proxy = createServer().on('connect', ({ url }, socket) => {
  asked.push(url ?? '');
  socket.end('HTTP/1.1 403 No\r\n\r\n');
});
let at: string;
beforeAll(async () => {
  at = `127.0.0.1:${await listening(proxy)}`;
});
afterAll(() => void proxy.close());

function listening(server: { listen(port: number, host: string, then: () => void): unknown; address(): unknown }): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
}

/** Why an address could not be reached. */
async function refusal(url: string, env: NodeJS.ProcessEnv): Promise<string> {
  const dispatcher = openDispatcher({ connect: { timeout: 300 } }, env);
  try {
    await request(url, { dispatcher });
    return 'reached';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await dispatcher.close();
  }
}

test('an address in a range of NO_PROXY is reached past the proxy, any other through it', async () => {
  const env = { HTTPS_PROXY: `http://${at}`, NO_PROXY: 'other.example, 127.0.0.0/8,10.0.0.0/8' };
  // something listens there, and speaks no TLS
  const plain = createPlain((socket) => socket.destroy());
  const port = await listening(plain);
  expect(await refusal(`https://127.0.0.2:${port}/`, env)).not.toMatch(/proxy|reached/i);
  expect(asked).toEqual([]);
  expect(await refusal(`https://11.0.0.1:${port}/`, env)).toMatch(/Proxy response \(403\)/);
  expect(asked).toEqual([`11.0.0.1:${port}`]);
  plain.close();
});

test('ranges are read as curl and Go read them, for addresses only', () => {
  const ranges = '10.0.0.0/8 fd00::/8,[2001:db8::]/32, 192.168.7.0/33, 0.0.0.0/x';
  for (const host of ['10.9.8.7', '[fd12::1]', '[2001:db8:1::2]']) expect(isExcepted(host, ranges), host).toBe(true);
  for (const host of ['11.0.0.1', '192.168.7.1', '[fe80::1]', 'ten.example', '']) expect(isExcepted(host, ranges), host).toBe(false);
});

test('a proxy that refuses the connection is named as the one that did', async () => {
  const gone = createPlain();
  const port = await listening(gone);
  await new Promise((resolve) => gone.close(resolve));
  const said = await refusal('https://registry.example/', { HTTPS_PROXY: `http://ci:secretword@127.0.0.1:${port}` });
  expect(said).toBe(`reach the proxy 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`);
});
