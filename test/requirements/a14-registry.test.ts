/** Row A14: images and their signatures go by digest from lane to registry, as OCI referrers that real cosign verifies and oras finds. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildImage, buildImageIndex, openLayout, packedFile } from '@sealane/oci';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Discovered, discover, verifyAttestation } from '../support/cosign.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { startDistribution, startReferrersRegistry, type TestRegistry } from '../support/registry.js';
import { requireProgram } from '../support/require-program.js';
import { ROOT, runProgram } from '../support/run.js';

const missing = ['cosign', 'oras', 'docker-registry', 'referrers-registry'].filter((name) => requireProgram(name) === undefined);

const VSA = 'https://slsa.dev/verification_summary/v1';
const PROVENANCE = 'https://slsa.dev/provenance/v1';
const TESTS = 'https://in-toto.io/attestation/test-result/v0.1';
const APPROVAL = 'urn:sealane:approval:v1';
const RELEASE = 'urn:sealane:release:v1';

describe('A14 a release copied into a registry', () => {
  describe.skipIf(missing.length > 0)(`with real parts (skipped without ${missing.join(', ')})`, () => {
    let dir: string;
    let lane: TestLane;
    let release: string;
    /** An index and the manifests of its two platforms. */
    let image: { readonly index: string; readonly children: readonly string[] };
    let distribution: TestRegistry;
    let withApi: TestRegistry;

    beforeAll(async () => {
      dir = mkdtempSync(path.join(tmpdir(), 'sealane-a14-'));
      lane = await makeLane(dir);
      image = await buildTwoPlatforms(path.join(dir, 'image'), '1.0.0');
      release = await create('1.0.0', image.index, path.join(dir, 'image'));
      await lane.promote(release);
      distribution = await startDistribution(path.join(dir, 'distribution'));
      withApi = await startReferrersRegistry();
    });

    afterAll(async () => {
      await Promise.all([lane.stop(), distribution.stop(), withApi.stop()]);
      rmSync(dir, { recursive: true, force: true });
    });

    async function create(version: string, digest: string, folder: string): Promise<string> {
      const words = ['release', 'create', '--name', 'readings', '--version', version, '--image', `app=oci:${folder}@${digest}`];
      return (await lane.sealane([...words, '--key', 'author'])).release;
    }

    const kinds = ['without the referrers API', 'with the referrers API'] as const;

    describe.each(kinds)('%s', (kind) => {
      let repository: string;
      // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what is asserted is the shape itself
      let copied: any;

      beforeAll(async () => {
        repository = `${(kind === kinds[0] ? distribution : withApi).host}/prod/readings`;
        copied = await lane.sealane(['release', 'copy', release, '--stage', 'prod', '--to', `docker://${repository}`]);
      });

      it('says what it did: everything sent, statements at the release, the index and each platform', () => {
        expect(copied).toMatchObject({ release, stage: 'prod', to: `docker://${repository}@${release}`, tag: 'readings-1.0.0' });
        expect(copied.copied).toMatchObject({ there: 0, mounted: 0 });
        const subjects = copied.attached.map(({ subject }: { subject: string }) => subject);
        expect(subjects.sort()).toEqual([release, image.index, ...image.children].sort());
      });

      it('cosign verifies them, its log check on: at the index, at each platform, at the release', async () => {
        for (const [digest, type, key] of [
          [image.index, VSA, 'prod'],
          [image.index, PROVENANCE, 'builder'],
          [image.index, TESTS, 'lab'],
          ...image.children.map((child) => [child, VSA, 'prod'] as const),
          [release, RELEASE, 'author'],
          [release, APPROVAL, 'alice'],
        ] as const) {
          const ended = await verifyAttestation(lane, `${repository}@${digest}`, type, key);
          expect(ended.exit, ended.stderr).toBe(0);
        }
      });

      it('cosign refuses another key, and the decision of a stage that was not asked for', async () => {
        expect((await verifyAttestation(lane, `${repository}@${image.index}`, VSA, 'builder')).exit).not.toBe(0);
        expect((await verifyAttestation(lane, `${repository}@${image.index}`, VSA, 'dev')).exit).not.toBe(0);
      });

      it('oras shows them, each in the shape that Kyverno and policy-controller read', async () => {
        const found = await discover(`${repository}@${image.index}`);
        expect(found.map(typeOf).sort()).toEqual([PROVENANCE, TESTS, VSA].sort());
        // Kyverno (pkg/image/verifiers/cpol/cosign/sigstore.go) passes over artifact types that do not begin like this one, gives up above 50
        // referrers and reads the first layer; policy-controller calls cosign's GetBundles, which takes the first layer by its type
        const bundle = 'application/vnd.dev.sigstore.bundle.v0.3+json';
        for (const { digest, artifactType } of found) {
          const manifest = await manifestAt(repository, digest);
          expect(manifest).toMatchObject({ artifactType: bundle, subject: { digest: image.index }, layers: [{ mediaType: bundle }] });
          expect(manifest.layers).toHaveLength(1);
          // go-containerregistry's registry lists the type of the config for whatever is attached, by cosign too
          expect(artifactType).toBe(kind === kinds[0] ? bundle : manifest.config.mediaType);
        }
      });

      it('done again it sends nothing and attaches nothing twice', async () => {
        const again = await lane.sealane(['release', 'copy', release, '--stage', 'prod', '--to', `docker://${repository}`]);
        expect(again.copied).toMatchObject({ mounted: 0, sent: 0, bytesSent: 0 });
        expect(again.attached).toEqual(copied.attached);
        expect(await discover(`${repository}@${image.index}`)).toHaveLength(3);
      });

      it('what docs/registry.md says to type works as it stands there', async () => {
        const blocks = [...readFileSync(path.join(ROOT, 'docs', 'registry.md'), 'utf8').matchAll(/```\n([^`]+)```/g)].map(
          ([, text = '']) => text,
        );
        const lines = blocks
          .join('')
          .split('\n')
          .filter((line) => /^(?:sealane release copy|sealane key|cosign|oras) /.test(line));
        expect(lines).toHaveLength(4);
        const sealane = `"${process.execPath}" "${path.join(ROOT, 'bin', 'sealane.mjs')}"`;
        for (const line of lines) {
          const here = line
            .replace(/^sealane/, sealane)
            .replace('oras discover', 'oras discover --plain-http')
            .replaceAll('registry.example/prod/readings', repository)
            .replaceAll('my-lane', lane.home)
            .replace('sha256:…', image.index);
          const ended = await runProgram('/bin/sh', ['-c', here], { cwd: dir });
          expect(ended.exit, `${here}\n${ended.stderr}`).toBe(0);
        }
      });

      it('the tag stands for the release, and for no other', async () => {
        expect((await fetch(`http://${withoutPath(repository)}/manifests/readings-1.0.0`, { headers: ACCEPT })).status).toBe(200);
        expect((await digestAt(repository, 'readings-1.0.0')) ?? '').toBe(release);
      });
    });

    const ACCEPT = { accept: 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json' };
    const withoutPath = (repository: string): string => repository.replace('/', '/v2/');
    const typeOf = ({ annotations }: Discovered): string => annotations['dev.sigstore.bundle.predicateType'] ?? '';

    async function digestAt(repository: string, reference: string): Promise<string | null> {
      const response = await fetch(`http://${withoutPath(repository)}/manifests/${reference}`, { method: 'HEAD', headers: ACCEPT });
      return response.headers.get('docker-content-digest');
    }

    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what is asserted is the shape itself
    async function manifestAt(repository: string, digest: string): Promise<any> {
      return (await fetch(`http://${withoutPath(repository)}/manifests/${digest}`, { headers: ACCEPT })).json();
    }
  });
});

/** An image for two platforms in a layout of its own. */
async function buildTwoPlatforms(
  folder: string,
  version: string,
): Promise<{ readonly index: string; readonly children: readonly string[] }> {
  mkdirSync(folder, { recursive: true });
  const layout = await openLayout(folder, { create: 'if-missing' });
  const children = [];
  for (const architecture of ['amd64', 'arm64']) {
    const layers = [[packedFile('srv/version', Buffer.from(`${version} ${architecture}\n`))]];
    children.push(await buildImage(layout, { platform: { os: 'linux', architecture }, layers, config: {} }));
  }
  const { digest: index } = await buildImageIndex(layout, children);
  return { index, children: children.map(({ digest }) => digest) };
}
