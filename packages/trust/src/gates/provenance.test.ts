import { describe, expect, test } from 'vitest';
import type { JsonObject } from '@sealane/core';
import { digestOf, gate, GateLane } from '../testing/gate-lane.js';
import { evaluateGates } from './index.js';
import { provenanceFacts } from './provenance-facts.js';

const github = (
  change: { repository?: string; ref?: string; commit?: string; builder?: string; dependencies?: readonly JsonObject[] } = {},
): JsonObject => {
  const repository = change.repository ?? 'https://git.example/edge/api';
  const ref = change.ref ?? 'refs/heads/main';
  return {
    buildDefinition: {
      buildType: 'https://actions.github.io/buildtypes/workflow/v1',
      externalParameters: { workflow: { ref, repository, path: '.github/workflows/release.yml' } },
      resolvedDependencies: change.dependencies ?? [{ uri: `git+${repository}@${ref}`, digest: { gitCommit: change.commit ?? 'c0ffee' } }],
    },
    runDetails: { builder: { id: change.builder ?? 'https://builder.example/hosted' } },
  };
};

const wish = {
  builder: 'https://builder.example/hosted',
  source: 'https://git.example/edge/api',
  ref: 'refs/heads/main',
  commit: 'c0ffee',
  buildType: 'https://actions.github.io/buildtypes/workflow/v1',
};

function judge(predicate: JsonObject | undefined, settings: JsonObject = wish, options = {}) {
  const lane = new GateLane(gate('provenance', settings));
  if (predicate !== undefined) lane.provenance(predicate, options);
  return lane.check('provenance');
}

describe('materials', () => {
  const pinned = { sha256: 'ab'.repeat(32) };
  const judged = (materials: readonly string[], ...dependencies: readonly JsonObject[]) =>
    judge(github({ dependencies }), { materials: [...materials] });

  test.each<[string, readonly string[], JsonObject]>([
    ['the same URI', ['https://registry.example/base'], { uri: 'https://registry.example/base', digest: pinned }],
    ['the same with a ref', ['https://registry.example/base'], { uri: 'https://registry.example/base@v1', digest: pinned }],
    [
      'one below a folder',
      ['https://other.example/', 'https://registry.example/'],
      { uri: 'https://registry.example/a/b', digest: pinned },
    ],
    [
      'one that git fetched',
      ['https://git.example/edge/'],
      { uri: 'git+https://git.example/edge/api', digest: { gitCommit: '4f1c'.repeat(10) } },
    ],
    ['a digest beside one that names no bytes', ['https://a.example/'], { uri: 'https://a.example/a', digest: { note: 'x', ...pinned } }],
  ])('passes: %s', (_, materials, dependency) => {
    expect(judged(materials, dependency)).toMatchObject({ verdict: 'pass' });
  });

  test.each<[string, readonly string[], readonly JsonObject[], string]>([
    ['none', ['https://a.example/'], [], 'no materials stated'],
    [
      'one of two from elsewhere',
      ['https://a.example/'],
      [
        { uri: 'https://a.example/a', digest: pinned },
        { uri: 'https://b.example/b', digest: pinned },
      ],
      'material https://b.example/b',
    ],
    ['a look-alike of a URI', ['https://a.example/a'], [{ uri: 'https://a.example/ab', digest: pinned }], 'material https://a.example/ab'],
    [
      'one below a URI that is no folder',
      ['https://a.example/a'],
      [{ uri: 'https://a.example/a/b', digest: pinned }],
      'material https://a.example/a/b',
    ],
    [
      'a look-alike of a host',
      ['https://a.example'],
      [{ uri: 'https://a.example.evil/a', digest: pinned }],
      'material https://a.example.evil/a',
    ],
    [
      'one that climbs out',
      ['https://a.example/a/'],
      [{ uri: 'https://a.example/a/%2E%2e/b', digest: pinned }],
      'material https://a.example/a/%2E%2e/b',
    ],
    ['one without a digest', ['https://a.example/'], [{ uri: 'https://a.example/a' }], 'material https://a.example/a without a digest'],
    [
      'one whose digest has another name',
      ['https://a.example/'],
      [{ uri: 'https://a.example/a', digest: { md5: 'ab'.repeat(32) } }],
      'material https://a.example/a without a digest',
    ],
    [
      'one whose digest is a word',
      ['https://a.example/'],
      [{ uri: 'https://a.example/a', digest: { sha256: 'latest' } }],
      'material https://a.example/a without a digest',
    ],
    ['one without a URI', ['https://a.example/'], [{ digest: pinned }], 'material without a URI'],
  ])('refuses: %s', (_, materials, dependencies, actual) => {
    expect(judged(materials, ...dependencies)).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_PROVENANCE', actual });
  });
});

describe('provenance gate', () => {
  test('the newest by the log counts, in whichever order statements are handed over', () => {
    const lane = new GateLane(gate('provenance', wish));
    lane.provenance(github());
    lane.provenance(github({ commit: 'badc0de' }));
    lane.statements.reverse();
    expect(lane.check('provenance')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_PROVENANCE' });
  });

  test('passes on exactly the builder, source, ref, commit and build type asked for', () => {
    expect(judge(github())).toMatchObject({ verdict: 'pass' });
    expect(judge(github(), { source: 'git+https://git.example/edge/api' })).toMatchObject({ verdict: 'pass' });
  });

  test('fails when there is none, with the command that adds one', () => {
    expect(judge(undefined)).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT', actual: 'no provenance' });
    expect(judge(undefined).remedy).toMatch(/^sealane evidence add sha256:[0-9a-f]{64} --provenance /);
  });

  test.each([
    ['another builder', { builder: 'https://builder.example/hosted2' }],
    ['a builder that only begins alike', { builder: 'https://builder.example/hosted/evil' }],
    ['another source', { repository: 'https://git.example/edge/api-fork' }],
    ['the same source in other letters', { repository: 'https://git.example/Edge/api' }],
    ['another ref', { ref: 'refs/heads/main2' }],
    ['another commit', { commit: 'c0ffee0' }],
  ])('refuses %s', (_, change) => {
    expect(judge(github(change))).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_PROVENANCE' });
  });

  test('refuses what is not stated when it is asked for', () => {
    const bare = { buildDefinition: { buildType: wish.buildType, externalParameters: {} }, runDetails: { builder: { id: wish.builder } } };
    expect(judge(bare)).toMatchObject({ verdict: 'fail', actual: expect.stringContaining('source not stated') as string });
    expect(judge(bare, { builder: wish.builder })).toMatchObject({ verdict: 'pass' });
  });

  test('a dependency on the right repository is not the source', () => {
    const dependencies = [{ uri: 'git+https://git.example/edge/api@refs/heads/main', digest: { gitCommit: 'c0ffee' } }];
    expect(judge(github({ repository: 'https://evil.example/x', dependencies }))).toMatchObject({
      verdict: 'fail',
      code: 'EVIDENCE_PROVENANCE',
    });
  });

  test('other git repositories among the materials do not blur the source that was asked for', () => {
    const dependency = (name: string, gitCommit: string): JsonObject => ({
      uri: `git+https://git.example/edge/${name}@refs/heads/main`,
      digest: { gitCommit },
    });
    expect(judge(github({ dependencies: [dependency('library', 'bad'), dependency('api', 'c0ffee')] }))).toMatchObject({ verdict: 'pass' });
  });

  test('two commits for one source are none', () => {
    const dependency = (commit: string) => ({ uri: 'git+https://git.example/edge/api@refs/heads/main', digest: { gitCommit: commit } });
    expect(judge(github({ dependencies: [dependency('c0ffee'), dependency('bad')] }))).toMatchObject({
      verdict: 'fail',
      actual: 'commit not stated, or stated in two ways',
    });
  });

  test('a ref that the build was asked for is held against the one that was fetched', () => {
    const fetched = (uri: string) => github({ dependencies: [{ uri, digest: { gitCommit: 'c0ffee' } }] });
    expect(judge(fetched('git+https://git.example/edge/api'))).toMatchObject({ verdict: 'pass' });
    expect(judge(fetched('git+https://git.example/edge/api@refs/heads/other'))).toMatchObject({
      verdict: 'fail',
      actual: 'ref not stated, or stated in two ways',
    });
  });

  test('what is neither fetched by git nor named by a commit is no source', () => {
    const dependencies = [
      { uri: 'https://registry.example/base', digest: { sha256: 'ab'.repeat(32) } },
      { digest: { gitCommit: 'bad' } },
      { uri: 'git+https://git.example/edge/api', digest: { gitCommit: 'c0ffee' } },
    ];
    const facts = provenanceFacts({
      buildDefinition: { buildType: 'x', externalParameters: {}, resolvedDependencies: dependencies },
      runDetails: { builder: { id: 'b' } },
    });
    expect(facts).toMatchObject({ source: 'https://git.example/edge/api', commit: 'c0ffee' });
  });

  test('two git repositories and no word on which was built are no source', () => {
    const predicate = github();
    const dependencies = ['a', 'b'].map((name) => ({ uri: `git+https://git.example/${name}`, digest: { gitCommit: 'c0ffee' } }));
    const facts = provenanceFacts({
      ...predicate,
      buildDefinition: { buildType: 'x', externalParameters: {}, resolvedDependencies: dependencies },
    });
    expect(facts.source).toBeUndefined();
  });

  test.each([
    ['a text', { source: 'git+https://git.example/edge/api@refs/heads/main' }],
    ['uri and ref', { source: { uri: 'https://git.example/edge/api', ref: 'refs/heads/main' } }],
    ['a resource descriptor', { source: { uri: 'git+https://git.example/edge/api@refs/heads/main', digest: { gitCommit: 'c0ffee' } } }],
    ['repository and ref', { repository: 'https://git.example/edge/api', ref: 'refs/heads/main' }],
  ])('reads a source given as %s', (_, externalParameters: JsonObject) => {
    const resolvedDependencies = [
      { uri: 'git+https://git.example/edge/api@refs/heads/main', digest: { sha1: 'c0ffee' } },
      { uri: 'pkg:npm/left-pad@1.0.0' },
    ];
    const facts = provenanceFacts({
      buildDefinition: { buildType: 'x', externalParameters, resolvedDependencies },
      runDetails: { builder: { id: 'b' } },
    });
    expect(facts).toMatchObject({ source: 'https://git.example/edge/api', ref: 'refs/heads/main', commit: 'c0ffee' });
  });

  test('an @ in the user part of a URL is no ref', () => {
    const facts = provenanceFacts({
      buildDefinition: { buildType: 'x', externalParameters: { source: 'ssh://git@git.example/api' } },
      runDetails: { builder: { id: 'b' } },
    });
    expect(facts).toMatchObject({ source: 'ssh://git@git.example/api', ref: undefined });
  });

  test.each([
    ['an unlisted signer', { key: 'lab' }, 'EVIDENCE_SIGNER'],
    ['about other bytes', { subject: digestOf('other') }, 'EVIDENCE_SUBJECT'],
  ])('refuses evidence %s', (_, options, code) => {
    expect(judge(github(), wish, options)).toMatchObject({ verdict: 'fail', code });
  });

  test('refuses what is no SLSA v1 provenance', () => {
    expect(judge({ builder: { id: wish.builder } })).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT' });
    expect(judge({ ...github(), runDetails: {} })).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT' });
  });

  test('the newest wins: a later one from elsewhere refuses, whatever the earlier said', () => {
    const lane = new GateLane(gate('provenance', wish));
    lane.provenance(github());
    lane.provenance(github({ commit: 'bad' }));
    expect(lane.check('provenance')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_PROVENANCE' });
  });

  test('names the code of what verification turned away', () => {
    const lane = new GateLane(gate('provenance', wish));
    const refused = [
      { digest: digestOf('x'), predicateType: 'https://slsa.dev/provenance/v1', code: 'KEY_REVOKED', why: 'its key was revoked' },
    ] as const;
    expect(evaluateGates({ ...lane.input(), refused }).at(-1)).toMatchObject({
      verdict: 'fail',
      code: 'KEY_REVOKED',
      actual: 'no provenance that counts: its key was revoked',
    });
  });
});
