/** `release copy` of a large layer to registries with ways of their own: a real one, behind what Google's, GitHub's and a common proxy do with uploads. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { startDistribution, startFront, type TestRegistry } from '../support/registry.js';
import { requireProgram } from '../support/require-program.js';
import { runJson } from '../support/run.js';

const MIB = 1024 * 1024;

const lengthOf = ({ headers }: IncomingMessage): number => Number(headers['content-length'] ?? 0);

/** Breaks the line once the registry behind has had so many bytes. */
function breakAfter(asked: IncomingMessage, bytes: number): void {
  let seen = 0;
  asked.on('data', (chunk: Buffer) => {
    seen += chunk.length;
    if (seen >= bytes) setTimeout(() => asked.destroy(), 20);
  });
}

const CASES: readonly (readonly [what: string, status: number, refuses: (asked: IncomingMessage) => boolean])[] = [
  ['one that takes no pieces', 405, ({ method }) => method === 'PATCH'],
  ['one that takes no piece above 4 MiB', 416, (asked) => asked.method === 'PATCH' && lengthOf(asked) > 4 * MIB],
  ['one behind a proxy that takes no body above 8 MiB', 413, (asked) => lengthOf(asked) > 8 * MIB],
];

describe('A14 registries with ways of their own', () => {
  describe.skipIf(requireProgram('docker-registry') === undefined)('with real parts (skipped without docker-registry)', () => {
    let dir: string;
    let lane: TestLane;
    let release: string;
    let registry: TestRegistry;

    beforeAll(async () => {
      dir = mkdtempSync(path.join(tmpdir(), 'sealane-quirks-'));
      registry = await startDistribution(path.join(dir, 'registry'));
      lane = await makeLane(dir);
      release = await lane.release('1.0.0', { 'app/large': randomBytes(9 * MIB).toString('base64') });
    });

    afterAll(async () => {
      await Promise.all([lane.stop(), registry.stop()]);
      rmSync(dir, { recursive: true, force: true });
    });

    const copied = async (host: string, repository: string): Promise<void> => {
      const { exit, json, stderr } = await runJson('sealane', [
        'release',
        'copy',
        release,
        '--to',
        `docker://${host}/${repository}`,
        '--home',
        lane.home,
      ]);
      expect(exit, stderr).toBe(0);
      expect(json.copied.bytesSent).toBeGreaterThan(8 * MIB);
      const accept = 'application/vnd.oci.image.index.v1+json';
      const there = await fetch(`http://${registry.host}/v2/${repository}/manifests/readings-1.0.0`, { headers: { accept } });
      // what it shows it has hashed
      expect(there.headers.get('docker-content-digest')).toBe(release);
    };

    it.each(CASES)('%s has the layer in the end', async (what, status, refuses) => {
      const refuse = (asked: IncomingMessage, said: ServerResponse): boolean => {
        if (!refuses(asked)) return false;
        asked.resume();
        said.writeHead(status).end();
        return true;
      };
      await copied(await startFront(registry, refuse), what.replaceAll(' ', '-').toLowerCase());
    });

    it.each(CASES)('%s has it too where the line breaks in the middle of it', async (what, status, refuses) => {
      let breaks = 2;
      const take = (asked: IncomingMessage, said: ServerResponse): boolean => {
        if (refuses(asked)) {
          asked.resume();
          said.writeHead(status).end();
          return true;
        }
        if (breaks > 0 && lengthOf(asked) >= 4 * MIB) {
          breaks -= 1;
          breakAfter(asked, MIB);
        }
        return false;
      };
      await copied(await startFront(registry, take), `broken-${what.replaceAll(' ', '-').toLowerCase()}`);
      expect(breaks).toBe(0);
    });
  });
});
