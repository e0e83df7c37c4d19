/** Row A1 through the commands: one immutable release of images, manifests, file sets and firmware, and no image by a tag. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { canonicalJson } from '@sealane/core';
import { buildImage, OCI_INDEX, openLayout, packedFile } from '@sealane/oci';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeHome, PROVENANCE, type TestHome } from '../../packages/promoter/src/testing/test-home.js';

const PINNED = `registry.example/app@sha256:${'a'.repeat(64)}`;

let home: TestHome;

beforeAll(async () => {
  home = await makeHome();
});

afterAll(() => home.stop());

/** An image for two platforms in a layout of its own: its reference, the index and the manifests below it. */
async function twoPlatforms(): Promise<{ readonly reference: string; readonly index: string; readonly children: readonly string[] }> {
  const folder = path.join(home.dir, 'image');
  mkdirSync(folder, { recursive: true });
  const layout = await openLayout(folder, { create: 'if-missing' });
  const manifests = [];
  for (const architecture of ['amd64', 'arm64']) {
    const platform = { os: 'linux', architecture };
    const { mediaType, digest, size } = await buildImage(layout, {
      platform,
      layers: [[packedFile('srv/arch', Buffer.from(architecture))]],
      config: {},
    });
    manifests.push({ mediaType, digest, size, platform });
  }
  const bytes = canonicalJson({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
  const { digest } = await layout.putBlob(bytes, { maxBytes: bytes.length });
  return { reference: `oci:${folder}@${digest}`, index: digest, children: manifests.map((each) => each.digest) };
}

const create = (version: string, parts: readonly string[]): ReturnType<TestHome['run']> =>
  home.run(['release', 'create', '--name', 'site', '--version', version, ...parts, '--key', 'author']);

describe('A1 releases by digest', () => {
  test('image index with every child, manifests, file sets and firmware of several devices are one release that never changes', async () => {
    const image = await twoPlatforms();
    const template = path.join(home.dir, 'site-template');
    mkdirSync(template, { recursive: true });
    writeFileSync(path.join(template, 'vlans.conf'), 'vlan 10\n');
    const parts = [
      ...['--image', `app=${image.reference}`],
      ...['--manifest', `pod=${home.file('pod.yaml', `kind: Pod\nspec: { containers: [{ image: "${PINNED}" }] }\n`)}`],
      ...['--manifest', `unit=${home.file('web.container', `[Container]\nImage=${PINNED}\n`)}`],
      ...['--files', `site-template=${template}`],
      ...['--firmware', `bmc=${home.file('bmc.bin', 'bmc 1.2')}`],
      ...['--firmware', `switch=${home.file('switch.bin', 'switch 7')}`],
    ];
    const first = await create('1.0.0', parts);
    expect(first.exit, first.talk).toBe(0);
    const kinds = first.json.components.map(({ name, kind }: { name: string; kind: string }) => `${name} ${kind}`);
    expect(kinds).toEqual(['app image', 'site-template files', 'pod manifest', 'unit manifest', 'bmc firmware', 'switch firmware']);
    expect(first.json.components[0].digest).toBe(image.index);
    expect((await create('1.0.0', parts)).json.release).toBe(first.json.release);
    home.file('switch.bin', 'switch 8');
    expect(await create('1.0.0', parts)).toMatchObject({ exit: 2, json: { error: { code: 'RELEASE_EXISTS' } } });

    // evidence about the release is about every manifest of it, children of the index included
    await home.sealane(['evidence', 'add', first.json.release, '--provenance', home.file('p.json', PROVENANCE), '--key', 'builder']);
    const { statements } = await home.sealane(['evidence', 'list', first.json.release]);
    const { statement } = await home.sealane(['evidence', 'show', statements[0].digest]);
    const subjects = statement.subject.map(({ digest }: { digest: { sha256: string } }) => `sha256:${digest.sha256}`);
    for (const digest of [first.json.release, image.index, ...image.children]) expect(subjects).toContain(digest);
  });

  test.for([
    ['pod.yaml', `kind: Pod\nspec:\n  containers:\n    - image: ${PINNED}\n    - image: nginx:1.25\n`, 5, 'nginx:1.25'],
    ['compose.yaml', 'services:\n  web:\n    image: registry.example:5000/app\n', 3, 'registry.example:5000/app'],
    ['web.container', '[Unit]\n[Container]\nImage=quay.io/app:latest\n', 3, 'quay.io/app:latest'],
    ['any.json', '{"spec":\n {"image": "app:1@sha256:0"}}', 2, 'app:1@sha256:0'],
  ] as const)('a tag in %s is refused, naming file and line, and leaves nothing', async ([name, text, line, image]) => {
    const file = home.file(name, text);
    const { exit, json } = await create('9.0.0', ['--manifest', file]);
    expect({ exit, code: json.error.code }).toEqual({ exit: 2, code: 'MANIFEST_UNPINNED' });
    expect(json.error.message).toContain(`${file}:${line}: expected an image by digest`);
    expect(json.error.message).toContain(image);
    const { releases } = await home.sealane(['release', 'list']);
    expect(releases.map(({ version }: { version: string }) => version)).not.toContain('9.0.0');
  });

  test('YAML that does not parse is refused by file and line', async () => {
    const file = home.file('broken.yaml', 'kind: Pod\nspec: [\n');
    const { exit, json } = await create('9.0.0', ['--manifest', file]);
    expect({ exit, code: json.error.code }).toEqual({ exit: 2, code: 'CONFIG_INVALID' });
    expect(json.error.message).toContain(`${file}:`);
  });
});
