/** `init` with a pipeline that is none: it says what is wrong in the file as it was given, and leaves nothing behind. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EXAMPLE_KEY_IDS } from '@sealane/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PIPELINE, runSealane } from '../testing/test-home.js';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-init-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const BAD: readonly (readonly [string, string, RegExp])[] = [
  ['is empty', '', /bad\.yaml: expected keys with values, got an empty file$/],
  ['says nothing', '# later\n\n', /got a file of comments and blank lines$/],
  ['is a list', '- a\n', /bad\.yaml:1:1: expected keys with values, got a list$/],
  ['is a text', 'hello', /bad\.yaml:1:1: expected keys with values, got a text$/],
  ['is two', `${PIPELINE}---\n${PIPELINE}`, /expected one document, got another one after it$/],
  ['lacks what it must say', 'kind: Pipeline\nlane: lane.example\n', /bad\.yaml:1:1: stages: expected array, got nothing$/],
  ['asks for a gate that there is not', PIPELINE.replace('use: provenance', 'use: provenence'), /bad\.yaml:6:\d+: .*provenence/],
  ['is JSON of something else', '{"apiVersion":"sealane/v1"}', /bad\.yaml:1:1: stages: expected array, got nothing$/],
];

it.each(BAD)('a pipeline that %s', async (_, text, message) => {
  writeFileSync(path.join(dir, 'bad.yaml'), text);
  const { exit, json } = await runSealane(dir, ['init', 'home', '--pipeline', 'bad.yaml']);
  expect({ exit, error: json.error }).toEqual({
    exit: 2,
    error: { code: 'CONFIG_INVALID', message: expect.stringMatching(message), hint: expect.any(String) },
  });
  expect(readdirSync(dir)).toEqual(['bad.yaml']);
});

it('a pipeline that lies in the home already keeps lying there, alone', async () => {
  const home = path.join(dir, 'begun');
  mkdirSync(home);
  writeFileSync(path.join(home, 'pipeline.yaml'), '');
  expect((await runSealane(dir, ['init', home])).json.error.message).toMatch(/got an empty file$/);
  expect(readdirSync(home)).toEqual(['pipeline.yaml']);
});

it('an example key in a lane that is not made from them: no key is made beside it', async () => {
  const keys = path.join(dir, 'exampled', 'keys');
  mkdirSync(keys, { recursive: true });
  cpSync(new URL('../../../../keys-example/alice.pem', import.meta.url), path.join(keys, 'alice.pem'));
  expect(EXAMPLE_KEY_IDS.size).toBeGreaterThan(0);
  expect((await runSealane(dir, ['init', 'exampled'])).json.error.code).toBe('KEY_EXAMPLE');
  expect(readdirSync(keys)).toEqual(['alice.pem']);
});

it('a database file that is none is named as it was given, and leaves nothing behind', async () => {
  writeFileSync(path.join(dir, 'bad.json'), 'root:x:0:0\n');
  const { exit, json } = await runSealane(dir, ['init', 'kept', '--database', 'bad.json']);
  expect({ exit, message: json.error.message }).toEqual({ exit: 2, message: expect.stringMatching(/^take in .*\/bad\.json: /) });
  expect(existsSync(path.join(dir, 'kept'))).toBe(false);
});

it('a pipeline in JSON, and one that says where it ends, get their witness', async () => {
  const json = JSON.stringify({
    ...{ apiVersion: 'sealane/v1', kind: 'Pipeline', lane: 'lane.example', registrar: 'registrar' },
    stages: [{ name: 'dev', gates: [{ use: 'provenance' }] }],
    people: [],
    signers: { release: ['author'], provenance: ['builder'], tests: ['lab'], hardware: ['lab'] },
  });
  for (const [name, text] of Object.entries({ json, ended: `${PIPELINE}...\n` })) {
    writeFileSync(path.join(dir, name), text);
    const { exit, json: made, talk } = await runSealane(dir, ['init', `${name}-home`, '--pipeline', name]);
    expect(exit, talk).toBe(0);
    expect(readFileSync(path.join(dir, `${name}-home`, 'pipeline.yaml'), 'utf8')).toContain(made.witness.vkey);
    expect(existsSync(made.witness.key)).toBe(true);
  }
});
