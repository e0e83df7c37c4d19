/** `release copy` to a registry that lies: what it shows is held against digests and lengths, and it is named. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { startReferrersRegistry, type TestRegistry } from '../support/registry.js';
import { requireProgram } from '../support/require-program.js';
import { runJson } from '../support/run.js';

const INDEX = { 'content-type': 'application/vnd.oci.image.index.v1+json' };

describe('A14 a registry that lies', () => {
  describe.skipIf(requireProgram('referrers-registry') === undefined)('with real parts (skipped without referrers-registry)', () => {
    let dir: string;
    let lane: TestLane;
    let release: string;
    let honest: TestRegistry;

    beforeAll(async () => {
      dir = mkdtempSync(path.join(tmpdir(), 'sealane-lies-'));
      lane = await makeLane(dir);
      release = await lane.release('1.0.0');
      honest = await startReferrersRegistry();
    });

    afterAll(async () => {
      await Promise.all([lane.stop(), honest.stop()]);
      rmSync(dir, { recursive: true, force: true });
    });

    const lies: readonly (readonly [string, (request: IncomingMessage) => boolean, Lie, string])[] = [
      [
        'other bytes under the digest',
        ({ method, url }) => method === 'GET' && (url ?? '').includes('/manifests/sha256:'),
        { body: '{}' },
        'CONTENT_DIGEST',
      ],
      [
        'too long a manifest',
        ({ method, url }) => method === 'GET' && (url ?? '').includes('/manifests/sha256:'),
        { body: 'x'.repeat(5 << 20) },
        'CONTENT_LENGTH',
      ],
      ['a blob of another length', ({ method }) => method === 'HEAD', { headers: { 'content-length': '7' } }, 'CONTENT_LENGTH'],
      [
        'a blob of another digest',
        ({ method }) => method === 'HEAD',
        { headers: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` } },
        'CONTENT_DIGEST',
      ],
      [
        'that it took a manifest of another digest',
        ({ method, url }) => method === 'PUT' && (url ?? '').includes('/manifests/sha256:'),
        { status: 201, headers: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` } },
        'CONTENT_DIGEST',
      ],
      [
        'a list of referrers that is none',
        ({ url }) => (url ?? '').includes('/referrers/'),
        { headers: INDEX, body: '[]' },
        'CONTENT_MALFORMED',
      ],
      [
        'a list without what it took',
        ({ url }) => (url ?? '').includes('/referrers/'),
        { headers: INDEX, body: JSON.stringify({ schemaVersion: 2, mediaType: INDEX['content-type'], manifests: [] }) },
        'REGISTRY_UNAVAILABLE',
      ],
    ];

    it.each(lies)('%s', async (what, when, lie, code) => {
      const host = await lyingProxy(honest.host, when, lie);
      const answer = await runJson('sealane', [
        'release',
        'copy',
        release,
        '--to',
        `docker://${host}/${what.replaceAll(' ', '-')}`,
        '--home',
        lane.home,
      ]);
      expect({ code: answer.json.error?.code, exit: answer.exit }).toEqual({ code, exit: code.startsWith('CONTENT') ? 4 : 6 });
      expect(answer.json.error.message).toContain(host);
    });
  });
});

interface Lie {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Passes requests on to an honest registry, but for those that it answers with a lie. Returns its host. */
async function lyingProxy(honest: string, when: (request: IncomingMessage) => boolean, lie: Lie): Promise<string> {
  const server = createServer((asked, answer) => {
    if (when(asked)) return void tell(asked, answer, lie);
    const { method, url, headers } = asked;
    const [hostname = '', port = ''] = honest.split(':');
    asked.pipe(
      request({ hostname, port, method, path: url, headers }, (real) => {
        answer.writeHead(real.statusCode ?? 500, real.headers);
        real.pipe(answer);
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server has no other address
}

function tell(asked: IncomingMessage, answer: ServerResponse, { status = 200, headers = {}, body = '' }: Lie): void {
  asked.resume();
  answer.writeHead(status, headers).end(body);
}
