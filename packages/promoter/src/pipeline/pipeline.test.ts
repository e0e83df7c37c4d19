/** What a pipeline file may say: each rule, and that whatever breaks one is named by line and column. */
import { generateKeyPairSync } from 'node:crypto';
import { formatVkey, NOTE_KEY_TYPE, vkeyOf } from '@sealane/core';
import { describe, expect, it } from 'vitest';
import { PIPELINE } from '../testing/test-home.js';
import { defaultPipeline, withWitness } from './default-pipeline.js';
import { namesWitnesses, parsePipeline } from './pipeline.js';

const WITNESS = vkeyFor('witness.example');
const GOOD = `${PIPELINE}witnesses:\n  - { vkey: '${WITNESS}', url: 'http://127.0.0.1:8791' }\n`;

function vkeyFor(name: string, type: 'cosignature' | 'ed25519' = 'cosignature'): string {
  return formatVkey(vkeyOf(name, NOTE_KEY_TYPE[type], generateKeyPairSync('ed25519').privateKey));
}

const parse = (text: string | Uint8Array): ReturnType<typeof parsePipeline> =>
  parsePipeline(typeof text === 'string' ? Buffer.from(text) : text, 'pipeline.yaml');

/** Replaces text that must be there. */
function edited(from: string, to: string): string {
  expect(GOOD).toContain(from);
  return GOOD.replace(from, to);
}

/** Line and column, as an editor shows them, of the first `needle`. */
function placeOf(text: string, needle: string): string {
  const before = text.slice(0, text.indexOf(needle)).split('\n');
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

function expectRefused(text: string, message: RegExp, needle?: string): void {
  let error: unknown;
  try {
    parse(text);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) });
  if (needle !== undefined) expect(error).toMatchObject({ message: expect.stringContaining(`pipeline.yaml:${placeOf(text, needle)}: `) });
}

describe('a pipeline that is right', () => {
  it('is read, defaults filled in', () => {
    const pipeline = parse(GOOD);
    expect(pipeline.stages.map(({ name, from }) => ({ name, from }))).toEqual([
      { name: 'dev', from: [] },
      { name: 'prod', from: ['dev'] },
    ]);
    expect(pipeline).toMatchObject({ quorum: 1, registrar: ['registrar'], groups: {}, hardware: { equivalences: [] } });
    expect(pipeline.hardware.require.length).toBeGreaterThan(0);
  });

  it('is the one that init writes', () => {
    const text = defaultPipeline(WITNESS);
    expect(parse(text).stages.map(({ name }) => name)).toEqual(['dev', 'edge-preprod', 'prod']);
  });

  it('may leave out what it is and the name of the lane, and write one name without the brackets of a list', () => {
    const short = `stages: [{ name: dev }, { name: prod, from: dev }]
people: [{ id: alice, keys: alice }]
signers: { provenance: builder, tests: lab }
registrar: registrar
witnesses: [{ vkey: '${WITNESS}', url: 'http://127.0.0.1:8791' }]
`;
    expect(parse(short)).toMatchObject({
      apiVersion: 'sealane/v1',
      kind: 'Pipeline',
      lane: 'lane.example',
      stages: [
        { name: 'dev', from: [] },
        { name: 'prod', from: ['dev'] },
      ],
      people: [{ id: 'alice', keys: ['alice'] }],
      signers: { release: ['author'], provenance: ['builder'], tests: ['lab'], hardware: [] },
      registrar: ['registrar'],
    });
    expectRefused(short.replace('from: dev', 'from: staging'), /stages above it \(dev\), got staging/);
    expectRefused(short.replace('tests: lab', 'tests: [lab, ../lab]'), /signers\.tests\.1: expected the name of a key/, '../lab');
    expectRefused(short.replace('tests: lab', 'tests: ../lab'), /signers\.tests: expected the name of a key/, 'tests: ../lab');
    expectRefused(short.replace('keys: alice', 'keys: []'), /people\.0\.keys: too small/, 'keys: []');
    expectRefused(`apiVersion: sealane/v2\n${short}`, /apiVersion: expected "sealane\/v1"/);
  });

  it('gets a witness when it names none', () => {
    expect(namesWitnesses(Buffer.from(PIPELINE), 'p')).toBe(false);
    const bytes = withWitness(Buffer.from(PIPELINE), 'pipeline.yaml', WITNESS);
    expect(namesWitnesses(bytes, 'p')).toBe(true);
    expect(parse(bytes).witnesses.map(({ vkey }) => vkey)).toEqual([WITNESS]);
  });
});

describe('YAML that is none', () => {
  it('names line and column of a bracket that never closes', () => {
    expectRefused('apiVersion: sealane/v1\nkind: [Pipeline\n', /pipeline\.yaml:\d+:\d+: /);
  });

  it('refuses a key said twice at the second one', () => {
    const text = `${GOOD}kind: Pipeline\n`;
    expectRefused(text, new RegExp(`pipeline\\.yaml:${text.split('\n').length - 1}:1: `));
  });

  it('refuses tabs, bytes that are no UTF-8, an empty file, a list, and more than a mebibyte', () => {
    expectRefused('stages:\n\t- name: dev\n', /pipeline\.yaml:2:\d+: /);
    expect(() => parse(Uint8Array.of(0xff, 0xfe))).toThrow(/expected UTF-8/);
    expectRefused('', /pipeline\.yaml: expected keys with values, got an empty file/);
    expectRefused('- a\n', /pipeline\.yaml:1:1: /);
    expectRefused(`# ${'x'.repeat(1024 * 1024)}\n`, /at most 1048576 bytes/);
  });

  it('refuses aliases that swell a small file', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x,x]',
      ...'bcdefg'.split('').map((name, at) => `${name}: &${name} [${`*${'abcdef'[at] ?? ''},`.repeat(9)}]`),
    ].join('\n');
    expectRefused(`${bomb}\n`, /alias/i);
  });
});

describe('each rule', () => {
  it('refuses an unknown key at its place and lists those there are', () => {
    const text = `${GOOD}qorum: 2\n`;
    expectRefused(text, /unknown key "qorum": expected one of .*quorum/, 'qorum');
  });

  it('refuses an unknown gate at its place', () => {
    const text = edited('{ use: approvals,', '{ use: aprovals,');
    expectRefused(text, /aprovals.*expected one of .*approvals/, 'use: aprovals');
  });

  it('refuses gate settings that the gate does not have', () => {
    expectRefused(edited('with: { count: 1 }', 'with: { counts: 1 }'), /gate approvals/);
    expectRefused(edited('with: { count: 1 }', 'with: { count: 0 }'), /gate approvals/);
    expectRefused(edited('with: { count: 1 }', 'with: { count: "1" }'), /gate approvals/);
  });

  it('refuses a stage that comes from one below it, from itself, or from nowhere', () => {
    for (const from of ['prod', 'staging'])
      expectRefused(
        edited('from: [dev]', `from: [${from}]`),
        /expected "from" to name stages above it \(dev\)/,
        from === 'prod' ? undefined : 'staging',
      );
    expectRefused(edited('name: dev\n', 'name: dev\n    from: [prod]\n'), /stages above it \(none\), got prod/);
  });

  it('refuses a stage twice, a stage named as a TUF role, and no stage at all', () => {
    expectRefused(edited('name: prod', 'name: dev'), /expected each stage once, got dev again/);
    expectRefused(edited('name: prod', 'name: snapshot'), /no TUF role/);
    expectRefused(GOOD.replace(/stages:[\s\S]*people:/, 'stages: []\npeople:'), /stages/);
  });

  it('refuses names that could leave a folder', () => {
    for (const name of ['../dev', 'a/b', '.hidden', 'UPPER']) expectRefused(edited('name: dev\n', `name: '${name}'\n`), /expected a name/);
    expectRefused(edited('builder', "'../../etc/key'"), /expected the name of a key/);
  });

  it('refuses a key at two people and a person twice', () => {
    expectRefused(edited('keys: [bob]', 'keys: [alice]'), /expected each key at one person, got alice at alice and bob/);
    expectRefused(edited('id: bob', 'id: alice'), /expected each person once, got alice again/);
  });

  it('refuses groups of a stage that is none, and a group twice', () => {
    expectRefused(`${GOOD}groups: { staging: [{ name: all }] }\n`, /expected names of stages \(dev, prod\), got staging/, 'staging');
    expectRefused(`${GOOD}groups: { prod: [{ name: canary }, { name: canary }] }\n`, /expected each group once, got canary again/);
  });

  it('refuses a quorum above the witnesses, below one, and no witness', () => {
    expectRefused(`${GOOD}quorum: 2\n`, /at most the 1 witnesses, got 2/, 'quorum');
    expectRefused(`${GOOD}quorum: 0\n`, /quorum/);
    expectRefused(`${PIPELINE}witnesses: []\n`, /witnesses/);
  });

  it('refuses a witness with the key of a log, a broken key, or a name twice', () => {
    const log = vkeyFor('witness.example', 'ed25519');
    expectRefused(GOOD.replace(WITNESS, log), /expected a cosignature key \(type 0x04\), got type 0x01/);
    expectRefused(GOOD.replace(WITNESS, 'witness.example+00000000+AAAA'), /pipeline\.yaml:\d+:\d+: /);
    const again = vkeyFor('witness.example');
    expectRefused(
      `${GOOD}  - { vkey: '${again}', url: 'http://127.0.0.1:8792' }\n`,
      /expected each witness once, got witness\.example again/,
    );
  });

  it('refuses a base URL of another host and a lane that is no host', () => {
    expectRefused(`${GOOD}baseUrl: https://other.example\n`, /expected the host lane\.example, got other\.example/, 'baseUrl');
    for (const lane of ['Lane.Example', 'lane.example/x', 'https://lane.example'])
      expectRefused(edited('lane: lane.example', `lane: '${lane}'`), /bare host name/);
  });

  it('refuses an equivalence that ends at a time that does not exist', () => {
    const classes = `['sha256:${'a'.repeat(64)}', 'sha256:${'b'.repeat(64)}']`;
    expectRefused(
      `${GOOD}hardware: { equivalences: [{ classes: ${classes}, owner: alice, expiresAt: '2026-02-30T00:00:00Z' }] }\n`,
      /expected a time that exists/,
    );
  });
});
