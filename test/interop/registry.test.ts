/** skopeo reads images out of a lane; images come into a lane from a real Distribution registry, by digest. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { startDistribution, type TestRegistry } from '../support/registry.js';
import { requireProgram } from '../support/require-program.js';
import { type Ended, runJson, runProgram } from '../support/run.js';

const skopeo = requireProgram('skopeo');
const registry = requireProgram('docker-registry');

describe.skipIf(skopeo === undefined || registry === undefined)('images in and out (skipped without skopeo or docker-registry)', () => {
  let dir: string;
  let lane: TestLane;
  let host: string;
  let server: TestRegistry;
  let digest: string;

  const copy = async (...words: readonly string[]): Promise<Ended> => {
    const ended = await runProgram(skopeo ?? '', [
      '--insecure-policy',
      'copy',
      '--dest-tls-verify=false',
      '--src-tls-verify=false',
      ...words,
    ]);
    expect(ended.exit, ended.stderr).toBe(0);
    return ended;
  };

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-registry-'));
    lane = await makeLane(dir);
    await lane.release('1.0.0');
    server = await startDistribution(path.join(dir, 'registry'));
    host = server.host;
    await copy(`oci:${lane.lane}/content:readings-1.0.0-app`, `docker://${host}/readings:stable`);
    digest = (
      await runProgram(skopeo ?? '', ['inspect', '--tls-verify=false', '--format', '{{.Digest}}', `docker://${host}/readings:stable`])
    ).stdout.trim();
  });

  afterAll(async () => {
    await server.stop();
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it('skopeo copies an image out of content/, the same to the byte', async () => {
    const out = path.join(dir, 'out');
    await copy(`oci:${lane.lane}/content:readings-1.0.0-app`, `oci:${out}:copy`);
    const { manifests } = JSON.parse(readFileSync(path.join(out, 'index.json'), 'utf8')) as { manifests: { digest: string }[] };
    const { components } = await lane.sealane(['release', 'show', 'readings@1.0.0']);
    expect(manifests[0]?.digest).toBe(components[0].digest);
  });

  const create = (version: string, image: string): readonly string[] => [
    'release',
    'create',
    '--name',
    'pulled',
    '--version',
    version,
    '--image',
    `app=${image}`,
    '--key',
    'author',
  ];

  it('an image is taken in by digest', async () => {
    const made = await lane.sealane(create('1.0.0', `docker://${host}/readings@${digest}`));
    expect(made.components).toMatchObject([{ name: 'app', kind: 'image', digest }]);
    expect(readFileSync(path.join(lane.lane, 'content', 'blobs', 'sha256', digest.slice('sha256:'.length))).length).toBeGreaterThan(0);
  });

  it('a tag is resolved once, and the digest is what the release holds', async () => {
    const made = await lane.sealane(create('1.1.0', `docker://${host}/readings:stable`));
    expect(made.components).toMatchObject([{ digest }]);
    const other = await lane.release('9.0.0');
    expect(other).not.toBe(made.release);
    await copy(`oci:${lane.lane}/content:readings-9.0.0-app`, `docker://${host}/readings:stable`);
    // the tag has moved: the same name and version would now be other bytes
    const again = await runJson('sealane', [...create('1.1.0', `docker://${host}/readings:stable`), '--home', lane.home]);
    expect({ exit: again.exit, code: again.json.error.code }).toEqual({ exit: 2, code: 'RELEASE_EXISTS' });
  });

  it('a digest that the registry does not have is refused and leaves nothing', async () => {
    const answer = await runJson('sealane', [
      ...create('2.0.0', `docker://${host}/readings@sha256:${'0'.repeat(64)}`),
      '--home',
      lane.home,
    ]);
    expect({ exit: answer.exit, code: answer.json.error.code }).toEqual({ exit: 4, code: 'CONTENT_MISSING' });
    expect((await lane.sealane(['release', 'list'])).releases.map(({ version }: { version: string }) => version)).not.toContain('2.0.0');
  });

  it('a registry that is down is 6', async () => {
    const answer = await runJson('sealane', [...create('2.0.0', `docker://127.0.0.1:9/readings@${digest}`), '--home', lane.home]);
    expect({ exit: answer.exit, code: answer.json.error.code }).toEqual({ exit: 6, code: 'REGISTRY_UNAVAILABLE' });
  });
});
