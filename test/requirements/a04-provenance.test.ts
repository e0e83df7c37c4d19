/**
 * Row A4: provenance through the commands. One stage for each policy: the right one, and one for each field changed. Keyless ones are real
 * bundles that GitHub signed (SEALANE_FOREIGN_VECTORS), verified offline under the public instance's trusted root.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeHome, type TestHome } from '../../packages/promoter/src/testing/test-home.js';
import { foreignVectors } from '../support/foreign.js';

/** A policy for each stage: what is asked for, as JSON, which YAML takes. */
type Policies = Readonly<Record<string, object>>;

function pipelineOf(policies: Policies): string {
  const stages = Object.entries(policies).map(
    ([name, settings]) => `  - { name: ${name}, key: dev, gates: [{ use: provenance, with: ${JSON.stringify(settings)} }] }`,
  );
  return `apiVersion: sealane/v1\nkind: Pipeline\nlane: lane.example\nstages:\n${stages.join('\n')}\nsigners: { release: [author], provenance: [builder] }\nregistrar: registrar\n`;
}

interface Planned {
  readonly verdict: string;
  readonly code?: string;
  readonly actual: string;
}

async function plan(lane: TestHome, release: string, stage: string): Promise<Planned> {
  const { json } = await lane.run(['plan', release, '--to', stage]);
  return json.checks.find(({ id }: { id: string }) => id === 'provenance');
}

describe('signed with a key', () => {
  const right = {
    builder: 'https://ci.example/builder',
    source: 'https://git.example/api',
    ref: 'refs/heads/main',
    commit: '4f1c'.repeat(10),
    buildType: 'https://git.example/api/build@v1',
    materials: ['https://git.example/', 'https://registry.example/base'],
  };
  const policies: Policies = {
    right,
    builder: { ...right, builder: 'https://ci.example/builders' },
    source: { ...right, source: 'https://git.example/apis' },
    ref: { ...right, ref: 'refs/heads/mai' },
    commit: { ...right, commit: '4f1d'.repeat(10) },
    'build-type': { ...right, buildType: 'https://git.example/api/build' },
    materials: { ...right, materials: ['https://git.example/'] },
  };
  const provenance = (materials: readonly object[]): string =>
    JSON.stringify({
      buildDefinition: {
        buildType: right.buildType,
        externalParameters: { source: right.source, ref: right.ref },
        resolvedDependencies: [{ uri: `git+${right.source}@${right.ref}`, digest: { gitCommit: right.commit } }, ...materials],
      },
      runDetails: { builder: { id: right.builder } },
    });
  const base = { uri: 'https://registry.example/base', digest: { sha256: 'ab'.repeat(32) } };
  let lane: TestHome;

  beforeAll(async () => {
    lane = await makeHome(pipelineOf(policies));
  });
  afterAll(async () => {
    await lane.stop();
  });

  async function built(version: string, materials: readonly object[], key = 'builder'): Promise<string> {
    const release = await lane.release(version);
    await lane.sealane(['evidence', 'add', release, '--provenance', lane.file('provenance.json', provenance(materials)), '--key', key]);
    return release;
  }

  test('A4 passes on exactly the builder, source, ref, commit, build type and materials that policy names, and fails with each one changed', async () => {
    const release = await built('1.0.0', [base]);
    expect(await plan(lane, release, 'right')).toMatchObject({ verdict: 'pass' });
    await lane.sealane(['promote', release, '--to', 'right']);
    for (const [stage, actual] of Object.entries({
      builder: /^builder /,
      source: /^source /,
      ref: /^ref /,
      commit: /^commit /,
      'build-type': /^buildType /,
      materials: /^material https:\/\/registry/,
    }))
      expect(await plan(lane, release, stage), stage).toMatchObject({
        verdict: 'fail',
        code: 'EVIDENCE_PROVENANCE',
        actual: expect.stringMatching(actual),
      });
  });

  test.each([
    ['without a digest', { uri: base.uri }, 'material https://registry.example/base without a digest'],
    [
      'with a digest that names no bytes',
      { ...base, digest: { sha256: 'latest' } },
      'material https://registry.example/base without a digest',
    ],
    ['from elsewhere', { ...base, uri: 'https://registry.example/base2' }, 'material https://registry.example/base2'],
    ['that climbs out of its folder', { ...base, uri: 'https://git.example/../evil' }, 'material https://git.example/../evil'],
    ['without a name', { digest: base.digest }, 'material without a URI'],
  ])('A4 refuses a material %s', async (what, material, actual) => {
    const release = await built(`2.${what.length}.0`, [base, material]);
    expect(await plan(lane, release, 'right')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_PROVENANCE', actual });
  });

  test('A4 refuses a release without provenance, and signs none with a key that is no builder’s', async () => {
    const release = await lane.release('3.0.0');
    expect(await plan(lane, release, 'right')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT', actual: 'no provenance' });
    const { exit, json } = await lane.run([
      'evidence',
      'add',
      release,
      '--provenance',
      lane.file('p.json', provenance([base])),
      '--key',
      'author',
    ]);
    expect([exit, json.error.code]).toEqual([3, 'EVIDENCE_SIGNER']);
  });
});

const foreign = foreignVectors();
const folder = path.join(foreign ?? '', 'sigstore');

describe.skipIf(foreign === undefined)('signed keyless on GitHub (skipped without SEALANE_FOREIGN_VECTORS)', () => {
  const bundle = path.join(folder, 'bundle-verify', 'happy-path-intoto-in-dsse-v3', 'bundle.sigstore.json');
  let lane: TestHome;
  let release: string;

  beforeAll(async () => {
    const { cases } = JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')) as {
      cases: readonly { name: string; identity: string; issuer: string }[];
    };
    const { identity = '', issuer = '' } = cases.find(({ name }) => name === 'happy-path-intoto-in-dsse-v3') ?? {};
    const root = (name: string): object => JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as object;
    const keyless = { identity, issuer, trustedRoot: root('production-trusted_root.json') };
    const right = {
      builder: 'https://github.com/loosebazooka/aa-test/.github/workflows/provenance.yaml@refs/heads/main',
      source: 'https://github.com/loosebazooka/aa-test',
      ref: 'refs/heads/main',
      commit: 'ebff8dfbd609b7b22237c7719ce07f2dc7934f5f',
      buildType: 'https://actions.github.io/buildtypes/workflow/v1',
      materials: ['https://github.com/loosebazooka/'],
      keyless,
    };
    lane = await makeHome(
      pipelineOf({
        right,
        'by-key': { builder: right.builder },
        builder: { ...right, builder: right.builder.replace('main', 'dev') },
        source: { ...right, source: `${right.source}2` },
        ref: { ...right, ref: 'refs/tags/main' },
        commit: { ...right, commit: 'ebff8dfbd609b7b22237c7719ce07f2dc7934f50' },
        'build-type': { ...right, buildType: 'https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1' },
        materials: { ...right, materials: ['https://github.com/loosebazooka'] },
        identity: { ...right, keyless: { ...keyless, identity: identity.replace('refs/heads/main', 'refs/heads/.*') } },
        issuer: { ...right, keyless: { ...keyless, issuer: issuer.slice(0, -1) } },
        'trusted-root': { ...right, keyless: { ...keyless, trustedRoot: root('bundle-verify/rekor2-happy-path/trusted_root.json') } },
      }),
    );
    release = await create('1.0.0', path.join(folder, 'bundle-verify', 'a.txt'));
    await lane.sealane(['evidence', 'add', release, '--bundle', bundle, '--key', 'author']);
  });
  afterAll(async () => {
    await lane.stop();
  });

  const create = async (version: string, file: string): Promise<string> =>
    (await lane.sealane(['release', 'create', '--name', 'a', '--version', version, '--firmware', file, '--key', 'author'])).release;

  test('A4 passes on the identity, issuer and fields that policy names, though nobody whom policy knows signed it', async () => {
    expect(await plan(lane, release, 'right')).toMatchObject({ verdict: 'pass', actual: expect.stringContaining('commit ebff8dfb') });
    await lane.sealane(['promote', release, '--to', 'right']);
    // the bundle travels: it is among the blobs of the waybill
    const { groups } = await lane.sealane(['channel', 'show', 'right']);
    expect(groups).toMatchObject([{ release }]);
  });

  test.each([
    ['builder', 'EVIDENCE_PROVENANCE'],
    ['source', 'EVIDENCE_PROVENANCE'],
    ['ref', 'EVIDENCE_PROVENANCE'],
    ['commit', 'EVIDENCE_PROVENANCE'],
    ['build-type', 'EVIDENCE_PROVENANCE'],
    ['materials', 'EVIDENCE_PROVENANCE'],
    ['identity', 'EVIDENCE_SIGNER'],
    ['issuer', 'EVIDENCE_SIGNER'],
    ['trusted-root', 'EVIDENCE_RESULT'],
    ['by-key', 'EVIDENCE_RESULT'],
  ])('A4 fails where policy names another %s', async (stage, code) => {
    expect(await plan(lane, release, stage)).toMatchObject({ verdict: 'fail', code });
  });

  test('A4 does not take the bundle of one file for another, nor one with a byte changed', async () => {
    const other = await create('2.0.0', lane.file('b.txt', 'other bytes\n'));
    await lane.sealane(['evidence', 'add', other, '--bundle', bundle, '--key', 'author']);
    expect(await plan(lane, other, 'right')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_SUBJECT' });
    const changed = await create('3.0.0', path.join(folder, 'bundle-verify', 'a.txt'));
    const parsed = JSON.parse(readFileSync(bundle, 'utf8')) as { dsseEnvelope: { payload: string } };
    const payload = Buffer.from(parsed.dsseEnvelope.payload, 'base64').toString().replace('refs/heads/main', 'refs/heads/mail');
    const forged = { ...parsed, dsseEnvelope: { ...parsed.dsseEnvelope, payload: Buffer.from(payload).toString('base64') } };
    await lane.sealane(['evidence', 'add', changed, '--bundle', lane.file('forged.json', JSON.stringify(forged)), '--key', 'author']);
    expect(await plan(lane, changed, 'right')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT' });
  });

  test('A4 wants a key of policy to log it, and one bundle at least for each part', async () => {
    expect((await lane.run(['evidence', 'add', release, '--bundle', bundle])).json.error.code).toBe('USAGE');
    const two = ['--firmware', `one=${path.join(folder, 'bundle-verify', 'a.txt')}`, '--firmware', `two=${lane.file('c.txt', 'c\n')}`];
    const both = (await lane.sealane(['release', 'create', '--name', 'a', '--version', '4.0.0', ...two, '--key', 'author'])).release;
    await lane.sealane(['evidence', 'add', both, '--bundle', bundle, '--key', 'author']);
    expect(await plan(lane, both, 'right')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_SUBJECT' });
  });
});
