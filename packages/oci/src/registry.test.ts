/** Registries that lie, stall, redirect and ask for passwords, as small servers on this machine. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { base64, canonicalJson, type Digest, sha256, utf8 } from '@sealane/core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { tempFolder } from '../../../test/support/temp-folder.js';
import { copyImage } from './copy.js';
import { type Layout, openLayout } from './layout.js';
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from './media-types.js';
import { parseChallenges } from './registry-challenge.js';
import { openRegistry, type RegistryOptions } from './registry.js';
import { collect } from './verified-stream.js';

const CONFIG = utf8('{}');
const LAYER = utf8('layer bytes');
const MANIFEST = canonicalJson({
  schemaVersion: 2,
  mediaType: OCI_MANIFEST,
  config: { mediaType: OCI_CONFIG, digest: sha256(CONFIG), size: CONFIG.length },
  layers: [{ mediaType: OCI_LAYER_GZIP, digest: sha256(LAYER), size: LAYER.length }],
});
const DIGEST = sha256(MANIFEST);
const LAYER_DESCRIPTOR = { mediaType: OCI_LAYER_GZIP, digest: sha256(LAYER), size: LAYER.length };
const QUICK: RegistryOptions = { patience: { idleMs: 300, leastBytesPerSecond: 100_000 }, retries: { firstPauseMs: 1 } };

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Starts a server on a free port and returns its host:port. */
async function serve(handler: Handler): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address() as AddressInfo; // a TCP server has no other address
  return `127.0.0.1:${address.port}`;
}

/** Honest answers; `lies` replaces those for some paths. */
function registry(lies: Readonly<Record<string, Handler>> = {}): Handler {
  const blobs: Readonly<Record<string, Uint8Array>> = {
    [`/v2/app/manifests/${DIGEST}`]: MANIFEST,
    '/v2/app/manifests/v1': MANIFEST,
    [`/v2/app/blobs/${sha256(CONFIG)}`]: CONFIG,
    [`/v2/app/blobs/${sha256(LAYER)}`]: LAYER,
  };
  return (request, response) => {
    const path = request.url ?? '';
    const lie = lies[path];
    const blob = blobs[path];
    if (lie !== undefined) lie(request, response);
    else if (blob === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': path.includes('manifests') ? OCI_MANIFEST : 'application/octet-stream' }).end(blob);
  };
}
const LAYER_PATH = `/v2/app/blobs/${sha256(LAYER)}`;
const MANIFEST_PATH = `/v2/app/manifests/${DIGEST}`;

const send =
  (bytes: Uint8Array): Handler =>
  (_, response) => {
    response.writeHead(200).end(bytes);
  };
const endless: Handler = (_, response) => {
  response.writeHead(200);
  const more = (): void => {
    while (!response.destroyed && response.write(Buffer.alloc(65_536)));
  };
  response.on('drain', more);
  more();
};

async function target(): Promise<Layout> {
  return openLayout(join(await tempFolder(), 'content'), { create: 'if-missing' });
}
const blobsOf = (layout: Layout): Promise<string[]> => readdir(join(layout.dir, 'blobs', 'sha256'));

describe('an honest registry', () => {
  test.for([`app@${DIGEST}`, 'app:v1'])('gives %s, with every child', async (name) => {
    const host = await serve(registry());
    const layout = await target();
    expect(await copyImage(`docker://${host}/${name}`, layout)).toEqual({ mediaType: OCI_MANIFEST, digest: DIGEST, size: MANIFEST.length });
    for (const digest of [DIGEST, sha256(CONFIG), sha256(LAYER)]) expect(await layout.verifyBlob(digest)).toBe(true);
    expect(await layout.index()).toEqual([]);
  });

  test('is not asked again for what is there and right, but for what is wrong', async () => {
    const asked: string[] = [];
    const honest = registry();
    const host = await serve((request, response) => {
      asked.push(request.url ?? '');
      honest(request, response);
    });
    const layout = await target();
    await copyImage(`docker://${host}/app@${DIGEST}`, layout);
    asked.length = 0;
    await copyImage(`docker://${host}/app@${DIGEST}`, layout);
    expect(asked).toEqual([MANIFEST_PATH]);
    const { writeFile } = await import('node:fs/promises');
    await writeFile(layout.blobPath(sha256(LAYER)), 'layer bytez');
    await copyImage(`docker://${host}/app@${DIGEST}`, layout);
    expect(asked).toContain(LAYER_PATH);
    expect(await layout.verifyBlob(sha256(LAYER))).toBe(true);
  });
});

describe('a registry that lies', () => {
  test.for([
    ['other bytes for a layer', LAYER_PATH, send(utf8('layer bytez')), 'CONTENT_DIGEST'],
    ['a longer layer', LAYER_PATH, send(utf8('layer bytes and more')), 'CONTENT_LENGTH'],
    ['a shorter layer', LAYER_PATH, send(utf8('layer')), 'CONTENT_LENGTH'],
    ['an endless layer', LAYER_PATH, endless, 'CONTENT_LENGTH'],
    ['no layer', LAYER_PATH, (_, response) => response.writeHead(404).end(), 'CONTENT_MISSING'],
    ['other bytes for a manifest', MANIFEST_PATH, send(canonicalJson({ schemaVersion: 2, mediaType: OCI_MANIFEST })), 'CONTENT_DIGEST'],
    ['an endless manifest', MANIFEST_PATH, endless, 'CONTENT_LENGTH'],
    [
      'another media type than the manifest has',
      MANIFEST_PATH,
      (_, response) => response.writeHead(200, { 'content-type': 'application/vnd.oci.image.index.v1+json' }).end(MANIFEST),
      'CONTENT_MALFORMED',
    ],
    [
      'a cut connection',
      LAYER_PATH,
      (_, response) => void response.writeHead(200, { 'content-length': '11' }).write('lay', () => response.destroy()),
      'REGISTRY_UNAVAILABLE',
    ],
    ['a fault', LAYER_PATH, (_, response) => response.writeHead(500).end(), 'REGISTRY_UNAVAILABLE'],
    ['silence', LAYER_PATH, () => undefined, 'FETCH_TOO_SLOW'],
    ['a body that stops', LAYER_PATH, (_, response) => void response.writeHead(200).write('lay'), 'FETCH_TOO_SLOW'],
    [
      'redirects without end',
      LAYER_PATH,
      (request, response) => response.writeHead(307, { location: request.url }).end(),
      'REGISTRY_UNAVAILABLE',
    ],
    [
      'a redirect to a file',
      LAYER_PATH,
      (_, response) => response.writeHead(307, { location: 'file:///etc/passwd' }).end(),
      'REGISTRY_UNAVAILABLE',
    ],
    [
      'a redirect to plain http elsewhere',
      LAYER_PATH,
      (_, response) => response.writeHead(307, { location: 'http://192.0.2.1/x' }).end(),
      'REGISTRY_UNAVAILABLE',
    ],
  ] as [string, string, Handler, string][])('with %s is found out, and the image is not there', async ([, path, lie, code]) => {
    const host = await serve(registry({ [path]: lie }));
    const layout = await target();
    await expect(copyImage(`docker://${host}/app@${DIGEST}`, layout, QUICK)).rejects.toMatchObject({ code });
    expect((await blobsOf(layout)).filter((name) => name !== sha256(CONFIG).slice(7))).toEqual([]);
  });

  test('by sending a byte now and then is too slow as a whole', async () => {
    const host = await serve(
      registry({
        [LAYER_PATH]: (_, response) => {
          response.writeHead(200);
          const timer = setInterval(() => response.write('l'), 50);
          response.on('close', () => clearInterval(timer));
        },
      }),
    );
    const layout = await target();
    await expect(copyImage(`docker://${host}/app@${DIGEST}`, layout, QUICK)).rejects.toMatchObject({ code: 'FETCH_TOO_SLOW' });
    expect(await layout.hasBlob(sha256(LAYER))).toBe(false);
  });

  test('nobody there is a registry unavailable', async () => {
    await expect(copyImage(`docker://127.0.0.1:1/app@${DIGEST}`, await target(), QUICK)).rejects.toMatchObject({
      code: 'REGISTRY_UNAVAILABLE',
    });
  });

  test('giving up is the caller own doing', async () => {
    const host = await serve(registry({ [LAYER_PATH]: () => undefined }));
    const signal = AbortSignal.abort();
    await expect(copyImage(`docker://${host}/app@${DIGEST}`, await target(), { signal })).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('logging in', () => {
  const PASSWORD = { username: 'alice', password: 'pä:ss' };
  const BASIC = `Basic ${base64(utf8('alice:pä:ss'))}`;
  const options: RegistryOptions = { credentials: () => Promise.resolve(PASSWORD) };

  function guarded(challenge: () => string, accepted: string, next: Handler = registry()): Handler {
    return (request, response) => {
      if (request.headers.authorization === accepted) next(request, response);
      else response.writeHead(401, { 'www-authenticate': challenge() }).end();
    };
  }

  test('with basic sends nothing before it is asked', async () => {
    const seen: (string | undefined)[] = [];
    const guard = guarded(() => 'Basic realm="r"', BASIC);
    const host = await serve((request, response) => {
      seen.push(request.headers.authorization);
      guard(request, response);
    });
    await copyImage(`docker://${host}/app@${DIGEST}`, await target(), options);
    expect(seen).toEqual([undefined, BASIC, BASIC, BASIC]);
  });

  test('with a token asks the server named, for pull only', async () => {
    const asked: (string | undefined)[] = [];
    const tokens = await serve((request, response) => {
      asked.push(request.url, request.headers.authorization);
      response.end('{"token":"abc.def"}');
    });
    const host = await serve(
      guarded(() => `Bearer realm="http://${tokens}/token",service="reg",scope="repository:app:pull,push"`, 'Bearer abc.def'),
    );
    await copyImage(`docker://${host}/app@${DIGEST}`, await target(), options);
    expect(asked).toEqual(['/token?service=reg&scope=repository%3Aapp%3Apull', BASIC]);
  });

  test.for([
    ['no credentials', {}, 'Basic realm="r"'],
    ['wrong credentials', { credentials: () => Promise.resolve({ username: 'x', password: 'y' }) }, 'Basic realm="r"'],
    ['a scheme that we do not have', options, 'Negotiate'],
    ['a token server without https elsewhere', options, 'Bearer realm="http://192.0.2.1/token"'],
    ['a token server that is no URL', options, 'Bearer realm="token"'],
  ] as [string, RegistryOptions, string][])('with %s is denied', async ([, given, challenge]) => {
    const host = await serve(guarded(() => challenge, BASIC));
    await expect(copyImage(`docker://${host}/app@${DIGEST}`, await target(), given)).rejects.toMatchObject({ code: 'REGISTRY_DENIED' });
  });

  test('a token that could forge a header is refused', async () => {
    const tokens = await serve((_, response) => response.end('{"token":"a\\r\\nx: y"}'));
    const host = await serve(guarded(() => `Bearer realm="http://${tokens}/"`, 'Bearer x'));
    await expect(copyImage(`docker://${host}/app@${DIGEST}`, await target(), options)).rejects.toMatchObject({ code: 'REGISTRY_DENIED' });
  });

  test('is not passed on to where a blob is redirected to, nor back again', async () => {
    const seen: (string | undefined)[] = [];
    const store = await serve((request, response) => {
      seen.push(request.headers.authorization);
      if (request.url === '/first') response.writeHead(307, { location: `http://${host}/back` }).end();
      else response.end(LAYER);
    });
    const host = await serve((request, response) => {
      if (request.url === '/back') {
        seen.push(request.headers.authorization);
        response.writeHead(302, { location: `http://${store}/second` }).end();
      } else
        guarded(
          () => 'Basic realm="r"',
          BASIC,
          registry({ [LAYER_PATH]: (_, answer) => answer.writeHead(307, { location: `http://${store}/first` }).end() }),
        )(request, response);
    });
    await copyImage(`docker://${host}/app@${DIGEST}`, await target(), options);
    expect(seen).toEqual([undefined, undefined, undefined]);
  });

  // S3 and its like answer a link that has run out; who holds such a name later must not ask for our password
  test.each(['Bearer realm="http://TOKENS/token"', 'Basic realm="r"'])(
    'is not asked for by whom a blob is redirected to, with %s',
    async (challenge) => {
      const seen: (string | undefined)[] = [];
      const watch: Handler = (request, response) => {
        seen.push(request.headers.authorization);
        response.end('{"token":"abc"}');
      };
      const tokens = await serve(watch);
      const store = await serve((request, response) => {
        seen.push(request.headers.authorization);
        response.writeHead(401, { 'www-authenticate': challenge.replace('TOKENS', tokens) }).end();
      });
      const host = await serve(
        guarded(
          () => 'Basic realm="r"',
          BASIC,
          registry({ [LAYER_PATH]: (_, answer) => answer.writeHead(307, { location: `http://${store}/layer` }).end() }),
        ),
      );
      await expect(copyImage(`docker://${host}/app@${DIGEST}`, await target(), options)).rejects.toMatchObject({ code: 'REGISTRY_DENIED' });
      expect(seen).toEqual([undefined]);
    },
  );
});

test('a blob is streamed verified, also outside a copy', async () => {
  const host = await serve(registry());
  const client = openRegistry(host);
  onTestFinished(() => client.close());
  expect(await collect(client.blob('app', LAYER_DESCRIPTOR))).toEqual(LAYER);
  const other = { ...LAYER_DESCRIPTOR, size: 5 };
  await expect(collect(client.blob('app', other))).rejects.toMatchObject({ code: 'CONTENT_LENGTH' });
  const tagged: { digest: Digest } = await client.manifest('app', 'v1');
  expect(tagged.digest).toBe(DIGEST);
});

test.for([
  ['Basic realm="x"', [{ scheme: 'basic' }]],
  [
    'bearer realm="https://a.example/t",service="s p",scope="repository:a:pull"',
    [{ scheme: 'bearer', realm: 'https://a.example/t', service: 's p', scope: 'repository:a:pull' }],
  ],
  ['Negotiate, Basic realm="a\\"b", Bearer realm=https', [{ scheme: 'basic' }, { scheme: 'bearer', realm: 'https' }]],
  ['Bearer', []],
  ['', []],
  ['\u0000', []],
  ['x'.repeat(9000), []],
] as const)('challenge %j', ([header, expected]) => {
  expect(parseChallenges(header)).toEqual(expected);
});
