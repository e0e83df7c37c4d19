/** `release copy` to a registry that lies: what it shows is held against digests and lengths, and it is named. */
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { startFront, startReferrersRegistry, type TestRegistry } from '../support/registry.js';
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
      const host = await startFront(honest, (asked, said) => when(asked) && tell(asked, said, lie));
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

function tell(asked: IncomingMessage, answer: ServerResponse, { status = 200, headers = {}, body = '' }: Lie): true {
  asked.resume();
  answer.writeHead(status, headers).end(body);
  return true;
}
