/** Writing to registries, and faults that pass: small servers on this machine that fail at the right moment. */
import { randomBytes } from 'node:crypto';
import { canonicalJson, type Digest, sha256, utf8 } from '@sealane/core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { attach } from './attach.js';
import type { Descriptor } from './descriptor.js';
import { UPLOAD_PIECE_BYTES } from './limits.js';
import { OCI_INDEX, OCI_MANIFEST } from './media-types.js';
import { openRegistry, type RegistryClient, type RegistryOptions } from './registry.js';
import { type Handler, lostAnswer, memoryRegistry, serve } from './testing/memory-registry.js';
import { bytesOf, descriptorOf } from './testing/blob-bytes.js';
import { collect } from './verified-stream.js';

const pauses: number[] = [];
function open(host: string, options: RegistryOptions = {}): RegistryClient {
  pauses.length = 0;
  const pause = (ms: number): Promise<void> => Promise.resolve(void pauses.push(ms));
  const client = openRegistry(host, { access: 'pull,push', retries: { pause }, ...options });
  onTestFinished(() => client.close());
  return client;
}

/** As `serve`; the first blob that is sent at once breaks off in the middle. */
async function serveBreaking(handler: Handler): Promise<string> {
  let broken = false;
  return await serve(handler, (request) => {
    if (broken || request.method !== 'PUT' || Number(request.headers['content-length']) <= UPLOAD_PIECE_BYTES) return false;
    broken = true;
    request.once('data', () => request.destroy());
    return true;
  });
}

const methodsOf = ({ log }: { readonly log: readonly string[] }): (string | undefined)[] => log.map((line) => line.split(' ')[0]);

describe('a blob', () => {
  const small = utf8('a small blob');
  const large = new Uint8Array(randomBytes(UPLOAD_PIECE_BYTES * 2 + 5));

  test('that is there is not sent', async () => {
    const registry = memoryRegistry(new Map([[`app/blobs/${sha256(small)}`, small]]));
    const client = open(await serve(registry.handler));
    expect(await client.putBlob('app', descriptorOf(small), () => Promise.reject(new Error('not to be read')))).toBe('there');
    expect(registry.log).toEqual([`HEAD app/blobs/${sha256(small)}`]);
  });

  test('that is small is sent at once', async () => {
    const registry = memoryRegistry();
    const client = open(await serve(registry.handler));
    expect(await client.putBlob('app', descriptorOf(small), bytesOf(small))).toBe('sent');
    expect(registry.blobs.get(`app/blobs/${sha256(small)}`)).toEqual(Buffer.from(small));
    expect(methodsOf(registry)).toEqual(['HEAD', 'POST', 'PUT']);
  });

  test('that is large is sent at once too: that is what every registry takes', async () => {
    const registry = memoryRegistry();
    const client = open(await serve(registry.handler));
    expect(await client.putBlob('app', descriptorOf(large), bytesOf(large))).toBe('sent');
    expect(sha256(registry.blobs.get(`app/blobs/${sha256(large)}`) ?? small)).toBe(sha256(large));
    expect(methodsOf(registry)).toEqual(['HEAD', 'POST', 'PUT']);
  });

  test('whose connection breaks is sent in pieces, and goes on where another break left off', async () => {
    const registry = memoryRegistry();
    let patches = 0;
    const client = open(
      await serveBreaking((request, response, body) => {
        if (request.method === 'PATCH') patches += 1;
        // the second piece arrives, and its answer does not
        if (request.method === 'PATCH' && patches === 2) registry.handler(request, lostAnswer(), body);
        if (request.method === 'PATCH' && patches === 2) return void response.destroy();
        registry.handler(request, response, body);
      }),
    );
    expect(await client.putBlob('app', descriptorOf(large), bytesOf(large))).toBe('sent');
    expect(sha256(registry.blobs.get(`app/blobs/${sha256(large)}`) ?? small)).toBe(sha256(large));
    // three pieces, none twice
    expect(patches).toBe(3);
    expect(pauses).toEqual([250, 250]);
  });

  test('whose connection breaks each time is given up', async () => {
    const client = open(
      await serve((request, response, body) => {
        if (request.method === 'PUT') return void response.destroy();
        memoryRegistry().handler(request, response, body);
      }),
    );
    await expect(client.putBlob('app', descriptorOf(small), bytesOf(small))).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    expect(pauses).toEqual([250, 500, 1000]);
  });

  test('is mounted from another repository where the registry does that, else sent', async () => {
    const registry = memoryRegistry(new Map([[`dev/blobs/${sha256(small)}`, small]]));
    let mounted = false;
    const asked: string[] = [];
    const client = open(
      await serve((request, response, body) => {
        if (request.method === 'POST') asked.push(request.url ?? '');
        if (request.method !== 'POST' || !mounted) return registry.handler(request, response, body);
        registry.blobs.set(`prod/blobs/${sha256(small)}`, small);
        response.writeHead(201).end();
      }),
    );
    expect(await client.putBlob('other', descriptorOf(small), bytesOf(small), ['none', 'dev'])).toBe('sent');
    mounted = true;
    expect(await client.putBlob('prod', descriptorOf(small), () => Promise.reject(new Error('not to be read')), ['none', 'dev'])).toBe(
      'mounted',
    );
    expect(asked.at(-1)).toBe(`/v2/prod/blobs/uploads/?mount=${encodeURIComponent(sha256(small))}&from=dev`);
  });

  test('goes where the registry says, and the login does not go with it', async () => {
    const seen: (string | undefined)[] = [];
    const store = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(201).end();
    });
    const registry = memoryRegistry();
    const host = await serve((request, response, body) => {
      if (request.headers.authorization === undefined) return void response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
      if (request.method === 'POST') return void response.writeHead(202, { location: `http://${store}/bucket?signed=yes` }).end();
      registry.handler(request, response, body);
    });
    const client = open(host, { credentials: () => Promise.resolve({ username: 'ci', password: 'secret' }) });
    expect(await client.putBlob('app', descriptorOf(small), bytesOf(small))).toBe('sent');
    expect(seen).toEqual([undefined]);
  });

  test.each(['http://192.0.2.1/x', 'https://user:word@store.example/x', undefined])('is not sent to %s', async (location) => {
    const client = open(
      await serve((request, response) => {
        response.writeHead(request.method === 'POST' ? 202 : 404, location === undefined ? {} : { location }).end();
      }),
    );
    await expect(client.putBlob('app', descriptorOf(small), bytesOf(small))).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
  });

  test('that breaks off while it is read is read on from there', async () => {
    const ranges: (string | undefined)[] = [];
    const host = await serve((request, response) => {
      ranges.push(request.headers.range);
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const head = { 'content-length': large.length - from, 'content-range': `bytes ${from}-${large.length - 1}/${large.length}` };
      response.writeHead(from === 0 ? 200 : 206, head);
      if (from > 0) return void response.end(large.subarray(from));
      response.write(large.subarray(0, 1_000_000), () => setTimeout(() => response.destroy(), 50));
    });
    expect(sha256(await collect(open(host).blob('app', descriptorOf(large))))).toBe(sha256(large));
    expect(ranges).toHaveLength(2);
    expect(ranges[1]).toMatch(/^bytes=[1-9]\d*-$/);
  });

  test('that a registry without ranges begins again is hashed once', async () => {
    let tries = 0;
    const host = await serve((_, response) => {
      tries += 1;
      response.writeHead(200, { 'content-length': large.length });
      if (tries > 1) return void response.end(large);
      response.write(large.subarray(0, 1_000_000), () => setTimeout(() => response.destroy(), 50));
    });
    expect(sha256(await collect(open(host).blob('app', descriptorOf(large))))).toBe(sha256(large));
  });

  test('cut off at the same byte each time is given up', async () => {
    const host = await serve((_, response) => {
      response.writeHead(200, { 'content-length': large.length });
      response.write(large.subarray(0, 1000), () => setTimeout(() => response.destroy(), 20));
    });
    await expect(collect(open(host).blob('app', descriptorOf(large)))).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    expect(pauses.length).toBeLessThan(5);
  });
});

describe('a fault that passes', () => {
  const manifest = canonicalJson({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] });

  const failing = async (times: number, status: number, headers: Readonly<Record<string, string>> = {}): Promise<RegistryClient> => {
    let left = times;
    return open(
      await serve((_, response) => {
        left -= 1;
        if (left < 0) response.writeHead(200, { 'content-type': OCI_INDEX }).end(manifest);
        else response.writeHead(status, headers).end();
      }),
    );
  };

  test.each([429, 500, 502, 503, 504])('%i is asked again, with growing pauses', async (status) => {
    const client = await failing(3, status);
    expect((await client.manifest('app', 'v1')).digest).toBe(sha256(manifest));
    expect(pauses).toEqual([250, 500, 1000]);
  });

  test('is asked four times and no more', async () => {
    const client = await failing(4, 503);
    await expect(client.manifest('app', 'v1')).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    expect(pauses).toHaveLength(3);
  });

  test('is waited for as long as the registry asks, up to a bound', async () => {
    expect((await (await failing(1, 429, { 'retry-after': '7' })).manifest('app', 'v1')).digest).toBe(sha256(manifest));
    expect(pauses).toEqual([7000]);
    await expect((await failing(1, 429, { 'retry-after': '3600' })).manifest('app', 'v1')).rejects.toMatchObject({
      code: 'REGISTRY_UNAVAILABLE',
    });
    expect(pauses).toEqual([]);
  });

  test.each([400, 403, 404])('%i does not pass and is asked once', async (status) => {
    const client = await failing(1, status);
    await expect(client.manifest('app', 'v1')).rejects.toMatchObject({ code: expect.stringMatching(/REGISTRY|CONTENT_MISSING/) });
    expect(pauses).toEqual([]);
  });
});

describe('the list of referrers that writers keep', () => {
  const subject: Descriptor = { mediaType: OCI_MANIFEST, digest: sha256(utf8('image')), size: 5 };
  const listAt = `app/manifests/sha256-${subject.digest.slice(7)}`;
  const attachment = (text: string): Parameters<typeof attach>[1][number] => ({
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    bytes: utf8(text),
    annotations: { of: text },
  });
  const target = (client: RegistryClient) => ({ client, repository: 'app', subject, alone: <T>(work: () => Promise<T>) => work() });
  const listed = ({ blobs }: ReturnType<typeof memoryRegistry>): { digest: Digest; data?: string }[] =>
    (JSON.parse(new TextDecoder().decode(blobs.get(listAt))) as { manifests: { digest: Digest; data?: string }[] }).manifests;

  test('keeps what others wrote, to the letter, and has each referrer once', async () => {
    const registry = memoryRegistry();
    const others = { mediaType: OCI_MANIFEST, digest: sha256(utf8('other')), size: 3, data: 'e30=', custom: { a: 1 } };
    registry.blobs.set(
      listAt,
      canonicalJson({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [others], annotations: { keep: 'this' } }),
    );
    const client = open(await serve(registry.handler));
    const first = await attach(target(client), [attachment('a'), attachment('b')]);
    await attach(target(client), [attachment('b'), attachment('c')]);
    expect(first.keptBy).toBe('writers');
    expect(listed(registry)[0]).toEqual(others);
    expect(listed(registry)).toHaveLength(4);
    expect(new TextDecoder().decode(registry.blobs.get(listAt))).toContain('"keep":"this"');
  });

  test('gets back what another writer has lost', async () => {
    const registry = memoryRegistry();
    let lost = false;
    const client = open(
      await serve((request, response, body) => {
        registry.handler(request, response, body);
        if (request.method !== 'PUT' || lost || request.url?.includes('/sha256-') !== true) return;
        lost = true;
        registry.blobs.set(listAt, canonicalJson({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] }));
      }),
    );
    await attach(target(client), [attachment('a')]);
    expect(lost).toBe(true);
    expect(listed(registry)).toHaveLength(1);
  });

  test.each([
    ['no index', { schemaVersion: 2, mediaType: OCI_MANIFEST }],
    ['a full one', { schemaVersion: 2, mediaType: OCI_INDEX, manifests: Array.from({ length: 4097 }, () => ({})) }],
  ])('is not written over where the tag holds %s', async (_what, document) => {
    const registry = memoryRegistry();
    const bytes = canonicalJson(document);
    registry.blobs.set(listAt, bytes);
    const client = open(await serve(registry.handler));
    await expect(attach(target(client), [attachment('a')])).rejects.toMatchObject({ code: 'CONTENT_MALFORMED' });
    expect(registry.blobs.get(listAt)).toBe(bytes);
  });
});
