/** Row A14, the way in: an image that cosign signed becomes a release, with its signature as evidence; one that is signed otherwise does not. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sha256 } from '@sealane/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { startDistribution, startReferrersRegistry, type TestRegistry } from '../support/registry.js';
import { requireProgram } from '../support/require-program.js';
import { type Answer, runJson, runProgram } from '../support/run.js';

const missing = ['cosign', 'oras', 'docker-registry', 'referrers-registry'].filter((name) => requireProgram(name) === undefined);

describe('A14 an image taken in from a registry', () => {
  describe.skipIf(missing.length > 0)(`with real parts (skipped without ${missing.join(', ')})`, () => {
    let dir: string;
    let lane: TestLane;
    let registries: readonly TestRegistry[];
    let count = 0;

    beforeAll(async () => {
      dir = mkdtempSync(path.join(tmpdir(), 'sealane-a14-in-'));
      lane = await makeLane(dir);
      mkdirSync(path.join(dir, 'keys'));
      for (const name of ['vendor', 'stranger']) await cosign('generate-key-pair', '--output-key-prefix', path.join(dir, 'keys', name));
      registries = [await startDistribution(path.join(dir, 'distribution')), await startReferrersRegistry()];
    });

    afterAll(async () => {
      await Promise.all([lane.stop(), ...registries.map((registry) => registry.stop())]);
      rmSync(dir, { recursive: true, force: true });
    });

    async function cosign(...words: readonly string[]): Promise<void> {
      const ended = await runProgram(requireProgram('cosign') ?? '', words, { env: { COSIGN_PASSWORD: '' } });
      expect(ended.exit, ended.stderr).toBe(0);
    }

    /** Pushes an image of its own bytes under a tag; returns `HOST/REPO@DIGEST`. */
    async function push(place: string): Promise<string> {
      const file = `image-${(count += 1)}.tar`;
      writeFileSync(path.join(dir, file), file);
      const oras = (...words: readonly string[]) => runProgram(requireProgram('oras') ?? '', words, { cwd: dir });
      expect((await oras('push', '--plain-http', place, `${file}:application/vnd.oci.image.layer.v1.tar`)).exit).toBe(0);
      const digest = (await oras('resolve', '--plain-http', place)).stdout.trim();
      return `${place.slice(0, place.lastIndexOf(':'))}@${digest}`;
    }

    const key = (name: string, half: 'key' | 'pub'): string => path.join(dir, 'keys', `${name}.${half}`);
    const WITHOUT_LOG = ['--use-signing-config=false', '--tlog-upload=false', '-y'];
    const sign = (image: string, by = 'vendor'): Promise<void> => cosign('sign', '--key', key(by, 'key'), ...WITHOUT_LOG, image);

    const importing = (ref: string, version: string, ...signer: readonly string[]): Promise<Answer> =>
      runJson('sealane', [
        ...['release', 'import', `docker://${ref}`, '--name', 'vendor', '--version', version, '--key', 'author', '--home', lane.home],
        ...(signer.length > 0 ? signer : ['--cosign-key', key('vendor', 'pub')]),
      ]);

    /** What must not have changed when an image is refused. */
    async function state(): Promise<object> {
      const { releases } = await lane.sealane(['release', 'list']);
      const blobs = path.join(lane.lane, 'content', 'blobs', 'sha256');
      return { releases, blobs: readdirSync(blobs).sort(), index: readdirSync(path.join(lane.lane, 'content')) };
    }

    describe.each([0, 1])('registry %i', (at) => {
      let repository: string;
      beforeEach(() => {
        repository = `${registries[at]?.host ?? ''}/vendor/app-${(count += 1)}`;
      });

      it('signed with the key that was named it becomes a release of its digest, with the signature as evidence', async () => {
        const image = await push(`${repository}:stable`);
        await sign(image);
        const version = `1.${at}.0`;
        const { exit, json, stderr } = await importing(`${repository}:stable`, version);
        expect(exit, stderr).toBe(0);
        const digest = image.slice(image.indexOf('@') + 1);
        expect(json).toMatchObject({ from: `docker://${repository}:stable`, source: `docker://${image}`, components: [{ digest }] });
        const { statements } = await lane.sealane(['evidence', 'list', json.release]);
        const carried = statements.find((each: { predicateType: string }) => each.predicateType === 'urn:sealane:carried-bundle:v1');
        const shown = await lane.sealane(['evidence', 'show', carried.digest]);
        expect(shown.statement.predicate.source).toBe(`docker://${repository}:stable`);
        // the tag moves on: the release does not
        await sign(await push(`${repository}:stable`));
        const moved = await importing(`${repository}:stable`, version);
        expect({ exit: moved.exit, code: moved.json.error.code }).toEqual({ exit: 2, code: 'RELEASE_EXISTS' });
      });

      it('a bad signature beside a good one does not count against it, and the signature goes along when it is copied on', async () => {
        const image = await push(`${repository}:stable`);
        await sign(image, 'stranger');
        await sign(image);
        const { exit, json, stderr } = await importing(image, `2.${at}.0`);
        expect(exit, stderr).toBe(0);
        const to = `${registries[1 - at]?.host ?? ''}/taken/app-${count}`;
        await lane.sealane(['release', 'copy', json.release, '--to', `docker://${to}`]);
        const there = `${to}${image.slice(image.indexOf('@'))}`;
        await cosign('verify', '--key', key('vendor', 'pub'), '--insecure-ignore-tlog', there);
        await expect(cosign('verify', '--key', key('stranger', 'pub'), '--insecure-ignore-tlog', there)).rejects.toThrow();
      });

      it('what else is attached does not count against a good one: fifty scans, and a bundle that is listed and gone', async () => {
        const image = await push(`${repository}:stable`);
        // go-containerregistry lists the type of the configuration as that of the artifact
        for (let scan = 0; at === 0 && scan < 50; scan += 1) await attach(image, 'application/vnd.vendor.scan', `scan-${scan}.json`);
        const takeAway = await attachToGo(image);
        await sign(image);
        await takeAway();
        const { exit, stderr } = await importing(image, `3.${at}.0`);
        expect(exit, stderr).toBe(0);
      });

      /** Attaches a bundle that goes: its manifest where writers keep the list, which names it first then; else its one layer, which was never sent. */
      async function attachToGo(image: string): Promise<() => Promise<void>> {
        const [name = '', subject = ''] = image.slice(image.indexOf('/') + 1).split('@');
        const url = `http://${registries[at]?.host ?? ''}/v2/${name}/manifests/`;
        if (at === 0) {
          const { digest } = await attach(image, BUNDLE, 'gone.json');
          return async () => {
            const list = `${url}${subject.replace(':', '-')}`;
            const headers = { 'content-type': 'application/vnd.oci.image.index.v1+json' };
            const index = JSON.parse(await (await fetch(list, { headers: { accept: headers['content-type'] } })).text());
            const rank = (each: Record<string, string>): number => (each.digest === digest ? 0 : each.artifactType === BUNDLE ? 2 : 1);
            index.manifests.sort((left: Record<string, string>, right: Record<string, string>) => rank(left) - rank(right));
            expect((await fetch(list, { method: 'PUT', headers, body: JSON.stringify(index) })).status).toBe(201);
            const revisions = path.join(dir, 'distribution/blobs/docker/registry/v2/repositories', name, '_manifests/revisions/sha256');
            rmSync(path.join(revisions, digest.slice('sha256:'.length)), { recursive: true });
          };
        }
        const type = 'application/vnd.oci.image.manifest.v1+json';
        const size = Number((await fetch(`${url}${subject}`, { method: 'HEAD', headers: { accept: type } })).headers.get('content-length'));
        const manifest = JSON.stringify({
          ...{ schemaVersion: 2, mediaType: type, artifactType: BUNDLE },
          config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: sha256(Buffer.from('{}')), size: 2 },
          layers: [{ mediaType: BUNDLE, digest: sha256(Buffer.from('gone')), size: 4 }],
          subject: { mediaType: type, digest: subject, size },
        });
        const put = await fetch(`${url}${sha256(Buffer.from(manifest))}`, {
          method: 'PUT',
          headers: { 'content-type': type },
          body: manifest,
        });
        expect(put.status).toBe(201);
        return () => Promise.resolve();
      }

      it.each([
        ['unsigned', 'IMAGE_UNSIGNED', () => Promise.resolve()],
        ['signed by another', 'BUNDLE_SIGNER', (image: string) => sign(image, 'stranger')],
        [
          'with an attestation alone',
          'IMAGE_UNSIGNED',
          async (image: string) => {
            const predicate = path.join(dir, 'predicate.json');
            writeFileSync(predicate, '{"verdict":"do not ship"}');
            await cosign(
              'attest',
              '--key',
              key('vendor', 'key'),
              '--predicate',
              predicate,
              '--type',
              'https://vendor.example/v1',
              ...WITHOUT_LOG,
              image,
            );
          },
        ],
        [
          'with the signature of another image',
          'BUNDLE_SUBJECT',
          async (image: string) => {
            const other = await push(`${image.slice(0, image.indexOf('@'))}:other`);
            await sign(other);
            await attachSignatureOf(other, image);
          },
        ],
      ] as const)('%s it is refused, and nothing of it is here', async (_what, code, prepare) => {
        const image = await push(`${repository}:stable`);
        await prepare(image);
        const before = await state();
        const { exit, json } = await importing(image, '9.0.0');
        expect({ exit, code: json.error.code }).toEqual({ exit: 4, code });
        expect(await state()).toEqual(before);
      });
    });

    const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

    /** As somebody who may push would. */
    async function attach(image: string, type: string, file: string): Promise<{ readonly digest: string }> {
      writeFileSync(path.join(dir, file), file);
      const words = ['attach', '--plain-http', '--format', 'json', '--artifact-type', type, image, `${file}:${type}`];
      const ended = await runProgram(requireProgram('oras') ?? '', words, { cwd: dir });
      expect(ended.exit, ended.stderr).toBe(0);
      return JSON.parse(ended.stdout);
    }

    /** As somebody who may push would: takes the bundle of one image and attaches it to another. */
    async function attachSignatureOf(other: string, image: string): Promise<void> {
      const oras = async (...words: readonly string[]): Promise<string> => {
        const ended = await runProgram(requireProgram('oras') ?? '', words, { cwd: dir });
        expect(ended.exit, ended.stderr).toBe(0);
        return ended.stdout;
      };
      const [found] = JSON.parse(await oras('discover', '--plain-http', '--format', 'json', other)).referrers;
      const repository = other.slice(0, other.indexOf('@'));
      const { layers } = JSON.parse(await oras('manifest', 'fetch', '--plain-http', `${repository}@${found.digest}`));
      const type = layers[0].mediaType;
      await oras('blob', 'fetch', '--plain-http', '--output', 'stolen.json', `${repository}@${layers[0].digest}`);
      await oras('attach', '--plain-http', '--artifact-type', type, image, `stolen.json:${type}`);
    }

    it.each([
      [['--certificate-identity', 'ci@vendor.example']],
      [['--certificate-identity', 'ci@vendor.example', '--certificate-oidc-issuer', 'https://issuer.example']],
      [['--trusted-root', '/dev/null']],
    ])('by %j nobody is named whose signature could be checked', async (signer) => {
      const { exit, json } = await importing(`${registries[0]?.host ?? ''}/vendor/none:stable`, '9.0.0', ...signer);
      expect({ exit, code: json.error.code }).toEqual({ exit: 2, code: 'USAGE' });
    });
  });
});
