/** Releases are immutable: a name and version stand for the same bytes for good, and a tag is resolved once. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { CommandCall } from '@sealane/core/command-line';
import { openLayout, buildImage, packedFile } from '@sealane/oci';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withLockedPromoter, withPromoter } from '../promoter.js';
import { slowHelper } from '../testing/slow-helper.js';
import { type Answer, makeHome, type TestHome } from '../testing/test-home.js';
import { createRelease, type MadeRelease, signRelease } from './create.js';

let lane: TestHome;

beforeEach(async () => {
  lane = await makeHome();
});

afterEach(async () => {
  await lane.stop();
});

const create = (version: string, parts: readonly string[], key = 'author'): Promise<Answer> =>
  lane.run(['release', 'create', '--name', 'api', '--version', version, ...parts, '--key', key]);
const releases = async (): Promise<unknown[]> => (await lane.sealane(['release', 'list'])).releases;

/** Puts an image of one file into a layout, under the tag when one is given. */
async function image(text: string, tag?: string): Promise<{ folder: string; digest: string }> {
  const folder = path.join(lane.dir, 'layout');
  mkdirSync(folder, { recursive: true });
  const layout = await openLayout(folder, { create: 'if-missing' });
  const { digest, size, mediaType } = await buildImage(layout, {
    platform: { os: 'linux', architecture: 'amd64' },
    layers: [[packedFile('srv/version', Buffer.from(text))]],
    config: {},
  });
  if (tag !== undefined) await layout.addToIndex({ mediaType, digest, size, annotations: { 'org.opencontainers.image.ref.name': tag } });
  return { folder, digest };
}

/** What the layout of a lane offers, by name. */
function offered({ home }: TestHome): readonly (readonly [string | undefined, string])[] {
  const index = JSON.parse(readFileSync(path.join(home, 'lane', 'content', 'index.json'), 'utf8')) as {
    manifests: { digest: string; annotations: Record<string, string> }[];
  };
  return index.manifests.map(({ annotations, digest }) => [annotations['org.opencontainers.image.ref.name'], digest]);
}

async function expectRefused(answer: Answer, exit: number, code: string): Promise<void> {
  expect({ exit: answer.exit, code: answer.json?.error?.code }, answer.talk).toEqual({ exit, code });
  expect(await releases()).toEqual([]);
}

describe('release create', () => {
  it('answers in the contract’s shape, for every kind of part', async () => {
    const { folder, digest } = await image('1\n');
    const files = path.join(lane.dir, 'public');
    mkdirSync(files);
    writeFileSync(path.join(files, 'index.html'), 'hello\n');
    const parts = [
      '--image',
      `app=oci:${folder}@${digest}`,
      '--files',
      files,
      '--manifest',
      lane.file('pod.yaml', 'kind: Pod\n'),
      '--firmware',
      `bios=${lane.file('bios.bin', 'bytes')}`,
    ];
    const { exit, json } = await create('1.0.0', parts);
    expect(exit).toBe(0);
    expect(json).toMatchObject({ release: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), name: 'api', version: '1.0.0' });
    expect(json.components.map(({ name, kind }: { name: string; kind: string }) => `${name} ${kind}`)).toEqual([
      'app image',
      'files files',
      'manifest manifest',
      'bios firmware',
    ]);
    for (const component of json.components)
      expect(component).toMatchObject({ digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), size: expect.any(Number) });
    expect(json.components[0].digest).toBe(digest);
  });

  it('moves no name of another release to its own image', async () => {
    const { folder, digest } = await image('1\n');
    await create('1.0.0', ['--image', `app=oci:${folder}@${digest}`]);
    const other = await image('2\n');
    await create('1.0.0-app', ['--image', `x=oci:${other.folder}@${other.digest}`]);
    const entries = offered(lane);
    expect(entries).toHaveLength(4);
    expect(entries).toContainEqual(['api-1.0.0-app', digest]);
    expect(entries).toContainEqual(['api-1.0.0--app-x', other.digest]);
  });

  it('offers its images under their names in a lane that it was carried to', async () => {
    const { folder, digest } = await image('1\n');
    const { json } = await create('1.0.0', ['--image', `app=oci:${folder}@${digest}`]);
    const carried = path.join(lane.dir, 'carried');
    await lane.sealane(['evidence', 'export', json.release, '--out', carried]);
    const there = await makeHome();
    try {
      await there.sealane(['evidence', 'import', carried]);
      expect(offered(there)).toEqual([
        ['api-1.0.0-app', digest],
        ['api-1.0.0', json.release],
      ]);
    } finally {
      await there.stop();
    }
  });

  it('lets others publish while a registry takes its time', async () => {
    let asked: () => void = () => undefined;
    const wasAsked = new Promise<void>((resolve) => (asked = resolve));
    const waiting: ServerResponse[] = [];
    const registry = createServer((_request, response) => {
      waiting.push(response);
      asked();
    });
    await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
    const { port } = registry.address() as AddressInfo; // a TCP server has no other address
    const digest = `sha256:${'0'.repeat(64)}`;
    const creating = create('1.0.0', ['--image', `app=docker://127.0.0.1:${port}/app@${digest}`]);
    await wasAsked;
    await lane.sealane(['publish', '--refresh']);
    for (const response of waiting) response.writeHead(404).end();
    registry.on('request', (_request, response) => response.writeHead(404).end());
    await expectRefused(await creating, 4, 'CONTENT_MISSING');
    registry.close();
  });

  it('lets others publish while the author has still to touch the token that signs', async () => {
    const creating = create('1.0.0', ['--manifest', lane.file('pod.yaml', 'kind: Pod\n')], slowHelper(lane, 'author'));
    await expect.poll(() => existsSync(path.join(lane.dir, 'asked'))).toBe(true);
    await lane.sealane(['publish', '--refresh']);
    writeFileSync(path.join(lane.dir, 'touched'), '');
    const { exit, json, talk } = await creating;
    expect(exit, talk).toBe(0);
    expect(await releases()).toMatchObject([{ release: json.release }]);
  });

  it('asks for no signature of a name that stands for other bytes', async () => {
    await create('1.0.0', ['--manifest', lane.file('pod.yaml', 'kind: Pod\n')]);
    const other = await create('1.0.0', ['--manifest', lane.file('pod.yaml', 'kind: Job\n')], slowHelper(lane, 'author'));
    expect(other.json.error.code).toBe('RELEASE_EXISTS');
    expect(existsSync(path.join(lane.dir, 'asked'))).toBe(false);
  });

  it('refuses a part that was gathered and is gone or damaged when the release is made', async () => {
    const { folder, digest } = await image('1\n');
    const { signal } = new AbortController();
    const quiet = { out: () => undefined, talk: () => undefined };
    const call: CommandCall = {
      args: [],
      options: { home: lane.home },
      io: { env: {}, cwd: lane.dir, isTerminal: false, signal, ...quiet },
    };
    const wish = {
      name: 'api',
      version: '1.0.0',
      components: [{ kind: 'image', name: 'app', source: `oci:${folder}@${digest}` }],
    } as const;
    const gathered = await withPromoter(call, async (promoter) =>
      signRelease(promoter, { ...wish, author: await promoter.signer('author') }),
    );
    const make = (): Promise<MadeRelease> => withLockedPromoter(call, async (promoter) => createRelease(promoter, gathered));
    const file = path.join(lane.home, 'lane', 'content', 'blobs', 'sha256', digest.slice('sha256:'.length));
    const bytes = readFileSync(file);
    rmSync(file);
    await expect(make()).rejects.toMatchObject({ code: 'CONTENT_MISSING' });
    writeFileSync(file, Buffer.concat([bytes.subarray(0, -1), Buffer.from(' ')]));
    await expect(make()).rejects.toMatchObject({ code: 'CONTENT_DIGEST' });
    expect(await releases()).toEqual([]);
    writeFileSync(file, bytes);
    expect(await make()).toMatchObject({ components: [{ name: 'app', digest }] });
  });

  it('again with the same parts changes nothing', async () => {
    const part = ['--manifest', lane.file('pod.yaml', 'kind: Pod\n')];
    const first = await create('1.0.0', part);
    const again = await create('1.0.0', part);
    expect(again).toMatchObject({ exit: 0, json: { release: first.json.release } });
    expect(await releases()).toHaveLength(1);
  });

  it('with other bytes under the same name and version is 2 and leaves the first', async () => {
    const first = await create('1.0.0', ['--manifest', lane.file('pod.yaml', 'kind: Pod\n')]);
    const other = await create('1.0.0', ['--manifest', lane.file('pod.yaml', 'kind: Job\n')]);
    expect({ exit: other.exit, code: other.json.error.code }).toEqual({ exit: 2, code: 'RELEASE_EXISTS' });
    expect(other.json.error.message).toContain(first.json.release);
    expect(await releases()).toMatchObject([{ release: first.json.release }]);
  });

  it('with another image under the same name and version leaves the name of the first to it', async () => {
    const named = (): object => JSON.parse(readFileSync(path.join(lane.home, 'lane', 'content', 'index.json'), 'utf8'));
    const [one, two] = [await image('1\n'), await image('2\n')];
    const first = await create('1.0.0', ['--image', `app=oci:${one.folder}@${one.digest}`]);
    expect(first.exit, first.talk).toBe(0);
    const before = named();
    const other = await create('1.0.0', ['--image', `app=oci:${two.folder}@${two.digest}`]);
    expect({ exit: other.exit, code: other.json.error.code }).toEqual({ exit: 2, code: 'RELEASE_EXISTS' });
    expect(named()).toEqual(before);
  });

  it('resolves a tag once: when the tag moves, the release stays what it was', async () => {
    const before = await image('1\n', 'latest');
    const first = await create('1.0.0', ['--image', `app=oci:${before.folder}`]);
    // a layout with one image needs no tag; what is recorded is the digest
    expect(first.exit, first.talk).toBe(0);
    expect(first.json.components).toMatchObject([{ digest: before.digest }]);
    expect(await lane.sealane(['release', 'show', first.json.release])).toMatchObject({ components: [{ digest: before.digest }] });
  });

  it('declares dependencies and variables, and its digest covers them', async () => {
    const part = ['--manifest', lane.file('pod.yaml', 'kind: Pod\n')];
    const declared = (text: string): readonly string[] => [...part, '--declare', lane.file('release.yaml', text)];
    const first = await create('1.0.0', declared('dependencies: [{ name: plc, criticality: high }]\n'));
    expect(first.exit, first.talk).toBe(0);
    expect(await lane.sealane(['release', 'show', first.json.release])).toMatchObject({
      declares: { dependencies: [{ name: 'plc', criticality: 'high' }] },
    });
    const other = await create('1.0.0', declared('dependencies: [{ name: plc, criticality: low }]\n'));
    expect({ exit: other.exit, code: other.json.error.code }).toEqual({ exit: 2, code: 'RELEASE_EXISTS' });
    const bad = await create('1.1.0', declared('dependencies:\n  - { name: plc, criticality: vital }\n'));
    expect(bad.exit).toBe(2);
    expect(bad.json.error.message).toMatch(/release\.yaml:2:18: dependencies\.0\.criticality/);
    const twice = await create('1.1.0', declared('variables: [{ name: A, type: boolean }, { name: A, type: boolean }]\n'));
    expect(twice).toMatchObject({ exit: 2, json: { error: { code: 'CONFIG_INVALID' } } });
    expect(await releases()).toHaveLength(1);
  });

  it('of a digest that is not there is 4', async () => {
    const { folder } = await image('1\n');
    await expectRefused(await create('1.0.0', ['--image', `app=oci:${folder}@sha256:${'0'.repeat(64)}`]), 4, 'CONTENT_MISSING');
  });

  it('of an image whose bytes are not its digest is 4', async () => {
    const { folder, digest } = await image('1\n');
    const blob = path.join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length));
    writeFileSync(blob, '{}');
    await expectRefused(await create('1.0.0', ['--image', `app=oci:${folder}@${digest}`]), 4, 'CONTENT_DIGEST');
  });

  it('of nothing, of a missing file, or without a key is 2', async () => {
    await expectRefused(await create('1.0.0', []), 2, 'USAGE');
    await expectRefused(await create('1.0.0', ['--manifest', path.join(lane.dir, 'none.yaml')]), 2, 'CONFIG_INVALID');
    await expectRefused(
      await lane.run(['release', 'create', '--name', 'api', '--version', '1.0.0', '--manifest', lane.file('pod.yaml', '')]),
      2,
      'USAGE',
    );
  });

  it('of two parts under one name is 2 and says how to name them', async () => {
    const part = ['--manifest', lane.file('pod.yaml', 'kind: Pod\n')];
    const answer = await create('1.0.0', [...part, '--manifest', `manifest=${lane.file('pod.yaml', 'kind: Pod\n')}`]);
    expect(answer.json.error.hint).toMatch(/--manifest NAME=/);
    await expectRefused(answer, 2, 'USAGE');
  });

  it('of several parts without names numbers them, in the order given', async () => {
    const [pod, job, image] = [lane.file('pod.yaml', 'kind: Pod\n'), lane.file('job.yaml', 'kind: Job\n'), lane.file('fw.bin', '1')];
    const { json } = await create('1.0.0', ['--manifest', pod, '--manifest', `own=${job}`, '--manifest', job, '--firmware', image]);
    expect(json.components.map(({ name }: { name: string }) => name)).toEqual(['manifest', 'own', 'manifest-2', 'firmware']);
  });

  it('by a key that is no author’s is 3', async () => {
    await expectRefused(await create('1.0.0', ['--manifest', lane.file('pod.yaml', 'kind: Pod\n')], 'builder'), 3, 'EVIDENCE_SIGNER');
  });

  it.each(['../up', 'UPPER', 'a b', ''])('named %j is refused', async (name) => {
    const answer = await lane.run([
      'release',
      'create',
      '--name',
      name,
      '--version',
      '1.0.0',
      '--manifest',
      lane.file('pod.yaml', 'kind: Pod\n'),
      '--key',
      'author',
    ]);
    expect(answer.exit).toBe(2);
    expect(await releases()).toEqual([]);
  });
});
