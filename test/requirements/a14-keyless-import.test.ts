/** Row A14, the way in without keys: an image signed by an identity is taken in for exactly this identity and issuer, under one trusted root. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { startDistribution, type TestRegistry } from '../support/registry.js';
import { requireProgram } from '../support/require-program.js';
import { type Answer, runJson, runProgram } from '../support/run.js';
import { makeInstance, type SigstoreInstance } from '../support/sigstore-instance.js';

const missing = ['cosign', 'oras', 'docker-registry', 'openssl'].filter((name) => requireProgram(name) === undefined);

const WHO = { identity: 'https://ci.example/vendor/release.yml@refs/heads/main', issuer: 'https://issuer.example' };
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

describe('A14 an image signed by an identity', () => {
  describe.skipIf(missing.length > 0)(`with real parts (skipped without ${missing.join(', ')})`, () => {
    let dir: string;
    let lane: TestLane;
    let registry: TestRegistry;
    let instance: SigstoreInstance;
    let image: string;

    beforeAll(async () => {
      dir = mkdtempSync(path.join(tmpdir(), 'sealane-a14-id-'));
      lane = await makeLane(dir);
      registry = await startDistribution(path.join(dir, 'registry'));
      instance = makeInstance(path.join(dir, 'instance'));
      image = await push('signed');
      await attach(image, instance.bundle(digestOf(image), WHO));
    });

    afterAll(async () => {
      await Promise.all([lane.stop(), registry.stop()]);
      rmSync(dir, { recursive: true, force: true });
    });

    const digestOf = (name: string): string => name.slice(name.indexOf('@') + 1);

    async function oras(...words: readonly string[]): Promise<string> {
      const ended = await runProgram(requireProgram('oras') ?? '', words, { cwd: dir });
      expect(ended.exit, ended.stderr).toBe(0);
      return ended.stdout.trim();
    }

    async function push(name: string): Promise<string> {
      writeFileSync(path.join(dir, `${name}.tar`), name);
      const repository = `${registry.host}/vendor/${name}`;
      await oras('push', '--plain-http', `${repository}:stable`, `${name}.tar:application/vnd.oci.image.layer.v1.tar`);
      return `${repository}@${await oras('resolve', '--plain-http', `${repository}:stable`)}`;
    }

    async function attach(to: string, bundle: Uint8Array): Promise<void> {
      writeFileSync(path.join(dir, 'bundle.json'), bundle);
      await oras('attach', '--plain-http', '--artifact-type', BUNDLE, to, `bundle.json:${BUNDLE}`);
    }

    const importing = (ref: string, { identity, issuer } = WHO, root = instance.trustedRoot): Promise<Answer> =>
      runJson('sealane', [
        ...['release', 'import', `docker://${ref}`, '--name', 'vendor', '--version', '1.0.0', '--key', 'author', '--home', lane.home],
        ...['--certificate-identity', identity, '--certificate-oidc-issuer', issuer, '--trusted-root', root],
      ]);

    it.each([
      ['the beginning of the identity', { ...WHO, identity: 'https://ci.example/vendor/' }, 'BUNDLE_SIGNER'],
      ['another issuer', { ...WHO, issuer: 'https://issuer.example.org' }, 'BUNDLE_SIGNER'],
    ])('is refused for %s', async (_what, who, code) => {
      const { exit, json } = await importing(image, who);
      expect({ exit, code: json.error.code }).toEqual({ exit: 4, code });
    });

    it('is refused under the trusted root of another instance', async () => {
      const { trustedRoot } = makeInstance(path.join(dir, 'other'));
      const { exit, json } = await importing(image, WHO, trustedRoot);
      expect({ exit, code: json.error.code }).toEqual({ exit: 4, code: 'BUNDLE_UNVERIFIED' });
    });

    it('is refused with the signature of another image, and with another statement by the same identity', async () => {
      const [stolen, stated] = [await push('stolen'), await push('stated')];
      await attach(stolen, instance.bundle(digestOf(image), WHO));
      await attach(stated, instance.bundle(digestOf(stated), WHO, 'https://vendor.example/refused/v1'));
      expect((await importing(stolen)).json.error.code).toBe('BUNDLE_SUBJECT');
      expect((await importing(stated)).json.error.code).toBe('IMAGE_UNSIGNED');
      expect((await lane.sealane(['release', 'list'])).releases).toEqual([]);
    });

    it('becomes a release, as cosign takes it too', async () => {
      const words = ['--certificate-identity', WHO.identity, '--certificate-oidc-issuer', WHO.issuer, '--use-signed-timestamps'];
      const cosign = await runProgram(requireProgram('cosign') ?? '', ['verify', '--trusted-root', instance.trustedRoot, ...words, image]);
      expect(cosign.exit, cosign.stderr).toBe(0);
      const { exit, json, stderr } = await importing(image);
      expect(exit, stderr).toBe(0);
      expect(json).toMatchObject({ components: [{ digest: digestOf(image) }], signature: { signer: WHO, logIndexes: ['0'] } });
    });
  });
});
