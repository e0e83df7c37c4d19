/** What gates judge is what the manifest of a release lists, whatever else was said of it and logged first. */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { keyIdOf, parseDigest, type Signer, signStatement } from '@sealane/core';
import { encodeBundle, releaseStatement } from '@sealane/trust';
import { expect, it } from 'vitest';
import { makeHome, PIPELINE } from '../testing/test-home.js';

const POD = `apiVersion: v1
kind: Pod
metadata: { name: web }
spec: { hostNetwork: true, containers: [] }
`;

it('a statement by somebody else that calls a manifest a set of files does not keep it from the payload gate', async () => {
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
    const key = createPrivateKey(readFileSync(path.join(lane.home, 'keys', 'lab.pem')));
    const spki = new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
    const lab: Signer = { keyId: keyIdOf(spki), spki, sign: (data) => Promise.resolve(new Uint8Array(sign('sha256', data, key))) };
    const signed = await signStatement(releaseStatement(parseDigest(release), predicate), lab);
    await lane.sealane(['statement', 'add', lane.file('forged.json', JSON.stringify(encodeBundle(signed)))]);
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
