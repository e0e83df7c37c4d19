/**
 * python-tuf, the specification's reference client, reads what our publisher writes: through rotations, with its own state kept between visits. Our client
 * visits beside it and must see the same.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { fromUtf8 } from '@sealane/core';
import { readTarget, refreshTrust, trustFromRoot, type TufState } from '@sealane/trust';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonWith } from '../support/python.js';
import { makeTufLane, testSigner, type TufLane } from '../support/tuf-lane.js';

const run = promisify(execFile);
const python = pythonWith('tuf.ngclient', 'cryptography');

interface Visit {
  readonly ok: boolean;
  readonly error?: string;
  readonly versions: Readonly<Record<string, number>>;
  readonly targets: Readonly<Record<string, string | null>>;
}

describe.skipIf(python === undefined)('python-tuf (skipped without the Python modules tuf and cryptography)', () => {
  let folder: string;
  let lane: TufLane;
  let server: Server;
  let base: string;
  let ours: TufState;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'sealane-python-tuf-'));
    lane = await makeTufLane(`${new Date().toISOString().slice(0, 19)}Z`);
    ours = trustFromRoot(lane.files.get('metadata/1.root.json') ?? new Uint8Array());
    writeFileSync(path.join(folder, 'root.json'), lane.files.get('metadata/1.root.json') ?? '');
    server = createServer((request, response) => {
      const bytes = lane.files.get(decodeURIComponent((request.url ?? '').slice(1)));
      response.statusCode = bytes === undefined ? 404 : 200;
      response.end(bytes);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    base = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
  });

  afterAll(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  });

  async function visit(...targets: readonly string[]): Promise<Visit> {
    const words = [
      path.join(import.meta.dirname, 'python-tuf-client.py'),
      base,
      path.join(folder, 'root.json'),
      path.join(folder, 'cache'),
      ...targets,
    ];
    const { stdout } = await run(python ?? '', words);
    const seen = JSON.parse(stdout) as Visit;
    if (seen.ok) expect(seen).toMatchObject(ourVisit(targets));
    return seen;
  }

  /** The same visit by our own client, which goes on from its own state. */
  function ourVisit(targets: readonly string[]): Pick<Visit, 'versions' | 'targets'> {
    const read = (name: string): Uint8Array | undefined => lane.files.get(name);
    const trusted = refreshTrust({ state: ours, read, now: lane.now, expiry: 'network' });
    ours = trusted.state;
    const { roles: _stages, ...versions } = ours.versions;
    return {
      versions,
      targets: Object.fromEntries(targets.map((target) => [target, fromUtf8(readTarget({ trusted, read, path: target }).bytes)])),
    };
  }

  const channel = (content: string): string => JSON.stringify({ stage: 'prod', content });

  it('takes a fresh lane, and the channel through its terminating delegation', async () => {
    const seen = await visit('channel/prod.json', 'policy/prod.json', 'trusted_root.json');
    expect(seen).toMatchObject({ ok: true, versions: { root: 1, timestamp: 1, snapshot: 1, targets: 1 } });
    expect(seen.targets).toEqual({
      'channel/prod.json': channel('one'),
      'policy/prod.json': '{"kind":"policy"}',
      'trusted_root.json': '{}',
    });
  });

  it('follows a normal update', async () => {
    await lane.publish('two');
    expect(await visit('channel/prod.json')).toMatchObject({
      ok: true,
      versions: { targets: 2 },
      targets: { 'channel/prod.json': channel('two') },
    });
  });

  it('follows two root rotations, all owners replaced, and a new timestamp key', async () => {
    lane.keys.root = [testSigner(), testSigner(), testSigner()];
    await lane.publishRoot();
    lane.keys.root = [...lane.keys.root.slice(1), testSigner()];
    lane.keys.timestamp = testSigner();
    await lane.publishRoot();
    await lane.publish('three');
    expect(await visit('channel/prod.json')).toMatchObject({
      ok: true,
      versions: { root: 3 },
      targets: { 'channel/prod.json': channel('three') },
    });
  });

  it("follows the rotation of a stage's key", async () => {
    lane.keys.stages['prod'] = testSigner();
    await lane.publish('four');
    expect(await visit('channel/prod.json')).toMatchObject({ ok: true, targets: { 'channel/prod.json': channel('four') } });
  });

  it('recovers with us from a fast-forward: new snapshot and timestamp keys, versions begin again', async () => {
    lane.keys.snapshot = testSigner();
    lane.keys.timestamp = testSigner();
    await lane.publishRoot();
    Object.assign(lane.versions, { timestamp: 0, snapshot: 0 });
    await lane.publish('five');
    expect(await visit('channel/prod.json')).toMatchObject({
      ok: true,
      versions: { root: 4, timestamp: 1, snapshot: 1 },
      targets: { 'channel/prod.json': channel('five') },
    });
  });

  it('takes the lane from the newest root alone, and refuses a timestamp by a replaced key', async () => {
    expect(await visit()).toMatchObject({ ok: true });
    lane.keys.timestamp = testSigner();
    await lane.refresh();
    const refused = await visit();
    expect(refused).toMatchObject({ ok: false });
    expect(refused.error).toMatch(/^UnsignedMetadataError/);
  });
});
