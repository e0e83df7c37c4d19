/** Registries that would have us wait, read or send for ever: small servers on this machine. */
import { utf8 } from '@sealane/core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { UPLOAD_PIECE_BYTES } from './limits.js';
import { openRegistry, type RegistryClient, type RegistryOptions } from './registry.js';
import { serve } from './testing/memory-registry.js';
import { bytesOf, descriptorOf } from './testing/blob-bytes.js';
import { collect } from './verified-stream.js';

function open(host: string, options: RegistryOptions = {}): RegistryClient {
  const client = openRegistry(host, { access: 'pull,push', retries: { pause: () => Promise.resolve() }, ...options });
  onTestFinished(() => client.close());
  return client;
}

describe('a blob', () => {
  const small = utf8('a small blob');
  const large = new Uint8Array(UPLOAD_PIECE_BYTES * 2 + 5);

  test.each([
    ['each piece', 'PATCH', '0-0'],
    ['what it had after each fault', 'GET', '0-0'],
  ])('of which the registry forgets %s is given up: it would be sent for ever', async (_what, method, range) => {
    let patches = 0;
    const client = open(
      await serve((request, response) => {
        const location = '/v2/app/blobs/uploads/1';
        if (request.method === 'PATCH') patches += 1;
        // a test that would never end ends here
        if (patches > 20 || request.method === 'HEAD') return void response.writeHead(404).end();
        if (request.method === 'PUT') return void response.writeHead(413).end();
        if (request.method === 'PATCH' && method === 'GET' && patches % 2 === 0) return void response.destroy();
        const status = request.method === 'GET' ? 204 : 202;
        response.writeHead(status, { location, ...(request.method === method && { range }) }).end();
      }),
    );
    await expect(client.putBlob('app', descriptorOf(large), bytesOf(large))).rejects.toMatchObject({
      code: 'REGISTRY_UNAVAILABLE',
      message: expect.stringContaining('asked for it again 4 times') as string,
    });
    expect(patches).toBeLessThan(10);
  });

  test('of which the registry keeps one byte of each piece is given up: it would take as many pieces as it has bytes', async () => {
    let patches = 0;
    const client = open(
      await serve((request, response) => {
        const location = '/v2/app/blobs/uploads/1';
        if (request.method === 'PATCH') patches += 1;
        // a test that would never end ends here
        if (patches > 20 || request.method === 'HEAD') return void response.writeHead(404).end();
        if (request.method === 'PUT') return void response.writeHead(413).end();
        response.writeHead(202, { location, ...(request.method === 'PATCH' && { range: `0-${patches}` }) }).end();
      }),
    );
    await expect(client.putBlob('app', descriptorOf(large), bytesOf(large))).rejects.toMatchObject({
      code: 'REGISTRY_UNAVAILABLE',
      message: expect.stringContaining('asked for it again 4 times') as string,
    });
    expect(patches).toBeLessThan(10);
  });

  test('of 5 GB has its time: a timer that Node cannot count would end it at once', async () => {
    const client = open(await serve((_, response) => void response.writeHead(200).end(small)), { retries: {} });
    for (const size of [5e9, 2e10]) {
      await expect(collect(client.blob('app', { ...descriptorOf(small), size }))).rejects.toMatchObject({ code: 'CONTENT_LENGTH' });
    }
  });

  test('of which each connection brings one byte is too slow, however many bytes it has', async () => {
    let connections = 0;
    const host = await serve((request, response) => {
      connections += 1;
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const head = { 'content-length': 2000 - from, 'content-range': `bytes ${from}-1999/2000` };
      response.writeHead(from === 0 ? 200 : 206, head);
      response.write('x', () => setTimeout(() => response.destroy(), 5));
    });
    const patience = { idleMs: 100, leastBytesPerSecond: 100_000 };
    const client = open(host, { patience, retries: { firstPauseMs: 1, longestPauseMs: 1 } });
    const blob = descriptorOf(new Uint8Array(2000).fill(0x78));
    await expect(collect(client.blob('app', blob))).rejects.toMatchObject({ code: 'FETCH_TOO_SLOW' });
    expect(connections).toBeLessThan(2000);
  });
});
