/** What gates judge is what the manifest of a release lists, whatever else was said of it and logged first. */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { keyIdOf, parseDigest, type Signer, signStatement } from '@sealane/core';
import { encodeBundle, releaseStatement } from '@sealane/trust';
import { expect, it } from 'vitest';
import { makeHome, PIPELINE, type TestHome } from '../testing/test-home.js';

const POD = `apiVersion: v1
kind: Pod
metadata: { name: web }
spec: { hostNetwork: true, containers: [] }
`;

function signerOf({ home }: TestHome, name: string): Signer {
  const key = createPrivateKey(readFileSync(path.join(home, 'keys', `${name}.pem`)));
  const spki = new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
  return { keyId: keyIdOf(spki), spki, sign: (data) => Promise.resolve(new Uint8Array(sign('sha256', data, key))) };
}

it('another statement that calls a manifest a set of files does not keep it from the payload gate, and only an author may make one', async () => {
  const lane = await makeHome(
    PIPELINE.replace(
      'gates: [{ use: provenance }]',
      'gates: [{ use: payload, with: { noManifests: allow, rules: { unbounded-resources: allow } } }]',
    ),
  );
  try {
    const words = ['release', 'create', '--name', 'api', '--version', '1.0.0', '--manifest', lane.file('pod.yaml', POD)];
    // the digest of a release is known to whoever makes it elsewhere before
    const other = await makeHome();
    const { release, components } = await other.sealane([...words, '--key', 'author']);
    await other.stop();
    const predicate = { name: 'api', version: '1.0.0', components: components.map((part: object) => ({ ...part, kind: 'files' })) };
    const stated = async (name: string): Promise<string> => {
      const signed = await signStatement(releaseStatement(parseDigest(release), predicate), signerOf(lane, name));
      return lane.file(`${name}.json`, JSON.stringify(encodeBundle(signed)));
    };
    expect(await lane.sealane(['statement', 'add', await stated('lab')], 3)).toMatchObject({ error: { code: 'EVIDENCE_SIGNER' } });
    await lane.sealane(['statement', 'add', await stated('author')]);
    expect((await lane.sealane([...words, '--key', 'author'])).release).toBe(release);
    const refused = await lane.sealane(['promote', release, '--to', 'dev'], 3);
    expect(refused.checks.find(({ id }: { id: string }) => id === 'payload')).toMatchObject({
      verdict: 'fail',
      actual: expect.stringContaining('host-network') as string,
    });
  } finally {
    await lane.stop();
  }
});
