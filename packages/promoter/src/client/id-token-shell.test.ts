/** The token that GitHub's runner gives: an answer of its size, and none that has no end. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { signingToken } from './id-token-shell.js';

async function asked(runner: RequestListener): Promise<string> {
  const server = createServer(runner).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo; // a TCP server has no other
  const env = { ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/?api=1`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'bearer' };
  return await signingToken({ env, cwd: '/' });
}

test('it is asked for the audience with the bearer of the job', async () => {
  const token = await asked(({ url, headers }, answer) => {
    const value = Buffer.from(`${url} ${headers.authorization}`).toString('base64url');
    answer.end(JSON.stringify({ value }));
  });
  expect(Buffer.from(token, 'base64url').toString()).toBe('/?api=1&audience=sigstore Bearer bearer');
});

test('an answer without end is given up at its bound', async () => {
  let sentBytes = 0;
  const endless = asked((_, answer) => {
    const more = (): void => {
      while (!answer.destroyed && answer.write(' '.repeat(16 * 1024))) sentBytes += 16 * 1024;
    };
    answer.on('drain', more);
    more();
  });
  await expect(endless).rejects.toThrow('expected an answer of at most 65536 bytes, got more');
  expect(sentBytes).toBeLessThan(16 * 1024 * 1024);
});
