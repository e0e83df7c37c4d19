/** A release that somebody else's program made: what ours asks of a manifest before it makes one is asked when it is taken in. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { LIMITS, signStatement } from '@sealane/core';
import type { CommandCall } from '@sealane/core/command-line';
import { buildArtifact, COMPONENT_ARTIFACT_TYPES, encodeReleaseManifest, openLayout } from '@sealane/oci';
import { encodeBundle, releaseStatement } from '@sealane/trust';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withLockedPromoter, withPromoter } from '../promoter.js';
import { makeHome, type TestHome } from '../testing/test-home.js';
import { acceptRelease } from './accept.js';

const PINNED = `registry.example/app@sha256:${'a'.repeat(64)}`;
const podOf = (image: string): string => `kind: Pod\nspec:\n  containers:\n    - image: ${image}\n`;

let lane: TestHome;

beforeEach(async () => {
  lane = await makeHome();
});

afterEach(async () => {
  await lane.stop();
});

const callIn = (home: TestHome): CommandCall => ({
  args: [],
  options: { home: home.home },
  io: { env: {}, cwd: home.dir, isTerminal: false, signal: new AbortController().signal, out: () => undefined, talk: () => undefined },
});

/** Puts a release of one manifest into the content of the lane, and signs for it as the author does: the bundle. */
async function made(text: string): Promise<Uint8Array> {
  const layout = await openLayout(path.join(lane.home, 'lane', 'content'), { create: 'if-missing' });
  const { mediaType, digest, size } = await buildArtifact(layout, {
    artifactType: COMPONENT_ARTIFACT_TYPES.manifest,
    layerType: 'application/vnd.sealane.manifest.v1',
    content: Buffer.from(text),
    title: 'pod.yaml',
  });
  const release = { name: 'api', version: '1.0.0', components: [{ name: 'pod', kind: 'manifest' as const, digest, size, mediaType }] };
  const root = await layout.putBlob(encodeReleaseManifest(release), { maxBytes: LIMITS.releaseManifestBytes });
  return await withPromoter(callIn(lane), async (promoter) =>
    Buffer.from(JSON.stringify(encodeBundle(await signStatement(releaseStatement(root.digest, release), await promoter.signer('author'))))),
  );
}

const accept = (bundle: Uint8Array): Promise<unknown> =>
  withLockedPromoter(callIn(lane), async (promoter) => acceptRelease(promoter, bundle));

it('is taken in where its manifests name images by digest, and refused by file and line where one names a tag', async () => {
  await expect(accept(await made(podOf('nginx:1.25')))).rejects.toMatchObject({
    code: 'MANIFEST_UNPINNED',
    message: expect.stringContaining('read pod.yaml:4: expected an image by digest, NAME@sha256:…, got ') as string,
  });
  expect((await lane.sealane(['release', 'list'])).releases).toEqual([]);
  expect(await accept(await made(podOf(PINNED)))).toMatchObject({ name: 'api', version: '1.0.0' });
});

it('is not carried into another lane with a tag in it', async () => {
  const bundle = path.join(lane.dir, 'bundle.json');
  writeFileSync(bundle, await made(podOf('nginx:1.25')));
  await lane.sealane(['statement', 'add', bundle]);
  const carried = path.join(lane.dir, 'carried');
  await lane.sealane(['evidence', 'export', 'api@1.0.0', '--out', carried]);
  const refused = await lane.run(['evidence', 'import', carried]);
  expect({ exit: refused.exit, code: refused.json.error.code }).toEqual({ exit: 2, code: 'MANIFEST_UNPINNED' });
});
