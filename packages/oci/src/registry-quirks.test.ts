/** Registries as they are: what Google's, Amazon's, GitHub's and Quay's do otherwise than the specification, and what stands before them. */
import { randomBytes } from 'node:crypto';
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { canonicalJson, sha256 } from '@sealane/core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { UPLOAD_PIECE_BYTES } from './limits.js';
import { OCI_INDEX } from './media-types.js';
import { openRegistry, type RegistryClient } from './registry.js';
import { bytesOf, descriptorOf } from './testing/blob-bytes.js';
import { type Handler, memoryRegistry, serve } from './testing/memory-registry.js';

function open(host: string): RegistryClient {
  const client = openRegistry(host, { access: 'pull,push', retries: { pause: () => Promise.resolve() } });
  onTestFinished(() => client.close());
  return client;
}

const LARGE = new Uint8Array(randomBytes(UPLOAD_PIECE_BYTES * 2 + 5));
const MIB = 1024 * 1024;

/** What a registry does before, or instead of, what the specification says. */
type Quirk = (answer: Handler) => Handler;

const refusing =
  (status: number, refuses: (request: Parameters<Handler>[0], body: Uint8Array) => boolean): Quirk =>
  (answer) =>
  (request, response, body) =>
    refuses(request, body) ? void response.writeHead(status).end() : answer(request, response, body);

/** GitHub's: 416 for a piece of more than 4 MiB. */
const shortPieces = refusing(416, ({ method }, body) => method === 'PATCH' && body.length > 4 * MIB);

/** Google's takes no pieces. */
const noPieces = (status: number): Quirk => refusing(status, ({ method }) => method === 'PATCH');

/** Says otherwise what the registry answers. */
const restating =
  (restate: (status: number, headers: OutgoingHttpHeaders) => readonly [number, OutgoingHttpHeaders]): Quirk =>
  (answer) =>
  (request, response, body) => {
    const writeHead = response.writeHead.bind(response);
    const restated = (status: number, headers: OutgoingHttpHeaders = {}): ServerResponse => writeHead(...restate(status, headers));
    answer(request, Object.assign(response, { writeHead: restated }), body);
  };

/** Amazon's keeps every piece, and says for ever that it has the first alone. */
const stuckRange = restating((status, headers) => [
  status,
  'range' in headers ? { ...headers, range: `0-${UPLOAD_PIECE_BYTES - 1}` } : headers,
]);

/** A proxy that takes no body above 5 MiB. */
const shortBodies = refusing(413, (_, body) => body.length > 5 * MIB);

const CASES: readonly (readonly [string, Quirk])[] = [
  ['GitHub’s', shortPieces],
  ['Google’s (405)', noPieces(405)],
  ['Google’s (400)', noPieces(400)],
  ['one that knows no such place (404)', noPieces(404)],
  ['one that fails at a piece (500)', noPieces(500)],
  ['Amazon’s', stuckRange],
];

describe.each(CASES)('a large blob and %s', (_what, quirk) => {
  test.each([0, 1, 2])('arrives, also when the line breaks %i times', async (breaks) => {
    const registry = memoryRegistry();
    let left = breaks;
    const host = await serve(quirk(registry.handler), (request) => {
      const isWhole = request.method === 'PUT' && Number(request.headers['content-length']) > UPLOAD_PIECE_BYTES;
      if (!isWhole || left === 0) return false;
      left -= 1;
      request.once('data', () => request.destroy());
      return true;
    });
    expect(await open(host).putBlob('app', descriptorOf(LARGE), bytesOf(LARGE))).toBe('sent');
    expect(sha256(registry.blobs.get(`app/blobs/${sha256(LARGE)}`) ?? new Uint8Array())).toBe(sha256(LARGE));
  });
});

describe('a large blob', () => {
  test('goes in pieces where a proxy takes no body as long as it is', async () => {
    const registry = memoryRegistry();
    const client = open(await serve(shortBodies(registry.handler)));
    expect(await client.putBlob('app', descriptorOf(LARGE), bytesOf(LARGE))).toBe('sent');
    expect(sha256(registry.blobs.get(`app/blobs/${sha256(LARGE)}`) ?? new Uint8Array())).toBe(sha256(LARGE));
  });

  test('is sent in pieces from the first again where the registry gave up what broke off, and may not be sent at once', async () => {
    const registry = memoryRegistry();
    let hasBroken = false;
    let isLost = false;
    const loses: Handler = (request, response, body) => {
      isLost &&= request.method !== 'POST';
      return isLost ? void response.writeHead(404).end() : shortBodies(registry.handler)(request, response, body);
    };
    const host = await serve(loses, (request) => {
      // the second piece
      if (hasBroken || request.method !== 'PATCH' || request.headers['content-range']?.startsWith('0-') === true) return false;
      hasBroken = true;
      isLost = true;
      request.once('data', () => request.destroy());
      return true;
    });
    expect(await open(host).putBlob('app', descriptorOf(LARGE), bytesOf(LARGE))).toBe('sent');
    expect(hasBroken).toBe(true);
    expect(sha256(registry.blobs.get(`app/blobs/${sha256(LARGE)}`) ?? new Uint8Array())).toBe(sha256(LARGE));
  });

  test('that may be sent neither at once nor in pieces is given up, and the last refusal told', async () => {
    const client = open(await serve(shortBodies(noPieces(405)(memoryRegistry().handler))));
    await expect(client.putBlob('app', descriptorOf(LARGE), bytesOf(LARGE))).rejects.toMatchObject({
      code: 'REGISTRY_UNAVAILABLE',
      message: expect.stringContaining('got 405') as string,
    });
  });

  test('goes in pieces as long as the registry wants them', async () => {
    const registry = memoryRegistry();
    const pieces: number[] = [];
    const client = open(
      await serve((request, response, body) => {
        if (request.method === 'PATCH') pieces.push(body.length);
        if (request.method === 'POST') response.setHeader('oci-chunk-min-length', String(5 * MIB));
        shortBodies(registry.handler)(request, response, body);
      }),
    );
    expect(await client.putBlob('app', descriptorOf(LARGE), bytesOf(LARGE))).toBe('sent');
    expect(pieces).toEqual([5 * MIB, LARGE.length - 5 * MIB]);
  });
});

test('a manifest is taken where the registry says 202, as Quay does', async () => {
  const registry = memoryRegistry();
  const bytes = canonicalJson({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] });
  const client = open(await serve(restating((status, headers) => [status === 201 ? 202 : status, headers])(registry.handler)));
  expect(await client.putManifest('app', { bytes, mediaType: OCI_INDEX })).toBe('sent');
  expect((await client.manifest('app', sha256(bytes))).digest).toBe(sha256(bytes));
});

describe('what a registry says of its refusal', () => {
  const answering = async (status: number, body: string): Promise<unknown> => {
    const client = open(await serve((_, response) => void response.writeHead(status, { 'content-type': 'application/json' }).end(body)));
    return await client.manifest('app', 'v1').catch((error: unknown) => error);
  };

  test('is told, on one line', async () => {
    const body = { errors: [{ code: 'DENIED', message: 'permission_denied:\n write_package\u001b[31m' }, { code: 'OTHER' }] };
    const refused = {
      code: 'REGISTRY_DENIED',
      message: expect.stringMatching(/got 403 \(DENIED: permission_denied: {2}write_package \[31m\)$/) as string,
    };
    expect(await answering(403, JSON.stringify(body))).toMatchObject(refused);
    expect(await answering(400, '{"errors":[{"code":"UNSUPPORTED"}]}')).toMatchObject({
      message: expect.stringMatching(/got 400 \(UNSUPPORTED\)$/) as string,
    });
  });

  test.each([
    ['nothing', ''],
    ['a page', '<html>'],
    ['no list', '{"errors":{}}'],
    ['an empty list', '{"errors":[]}'],
    ['no code', '{"errors":[{"code":"</script>","message":"x"}]}'],
    ['more than is read', JSON.stringify({ errors: [{ code: 'DENIED', message: 'x'.repeat(20_000) }] })],
  ])('is left out where it is %s', async (_what, body) => {
    expect(await answering(403, body)).toMatchObject({ code: 'REGISTRY_DENIED', message: expect.stringMatching(/got 403$/) as string });
  });
});

test.each(['MANIFEST_BLOB_UNKNOWN', 'BLOB_UNKNOWN', 'DIGEST_INVALID'])(
  'a manifest is sent again where what was sent is not seen yet (%s)',
  async (code) => {
    const registry = memoryRegistry();
    const bytes = canonicalJson({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] });
    let left = 2;
    const host = await serve((request, response, body) => {
      if (request.method !== 'PUT' || left === 0) return registry.handler(request, response, body);
      left -= 1;
      response.writeHead(400).end(JSON.stringify({ errors: [{ code, message: 'blob unknown to registry' }] }));
    });
    expect(await open(host).putManifest('app', { bytes, mediaType: OCI_INDEX })).toBe('sent');
    left = 4;
    await expect(open(host).putManifest('other', { bytes, mediaType: OCI_INDEX })).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
  },
);
