/** Every pipeline file of the repository is one that the program takes, and policies can be made of it and read. */
import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { formatVkey, NOTE_KEY_TYPE, vkeyOf } from '@sealane/core';
import { encodePolicy, type Gate, GATES, parsePolicy, PROMOTER_VERDICTS } from '@sealane/trust';
import { promoterGates } from '@sealane/trust/promoter-gates';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { readPipeline } from '../../packages/promoter/src/pipeline/pipeline.js';
import { policyFor } from '../../packages/promoter/src/trust/policies.js';
import { expectJson, ROOT } from '../support/run.js';
import { tempFolder } from '../support/temp-folder.js';
import { compile } from './json-schema.js';
import { codeBelow, named, pageText, tableRows } from './pages.js';

const FILES = readdirSync(path.join(ROOT, 'pipelines'), { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.yaml') && !file.startsWith('ci/'),
);

describe.for(FILES.map((file) => ({ file })))('pipelines/$file', ({ file }) => {
  const bytes = readFileSync(path.join(ROOT, 'pipelines', file));

  test('fits the schema', () => {
    expect(compile('pipeline')(parseYaml(bytes.toString()))).toBe('');
  });

  test('becomes a policy for each stage that a site can read', async () => {
    const pipeline = await readPipeline(bytes, file);
    const logVkey = formatVkey(vkeyOf(pipeline.lane, NOTE_KEY_TYPE.ed25519, generateKeyPairSync('ed25519').privateKey));
    const source = { pipeline, findKey: keysByName(), logVkey, logSize: 0, now: '2026-11-24T10:00:00Z', revoked: [] };
    for (const { name, gates } of pipeline.stages) {
      const policy = parsePolicy(encodePolicy(policyFor(source, name)));
      expect(policy.gates.map(({ use }) => use)).toEqual(gates.map(({ use }) => use));
    }
  });
});

test('sealane init makes a lane of pipelines/three-stages.yaml that verifies, with a key for each name', async () => {
  const home = path.join(await tempFolder(), 'home');
  const made = await expectJson('sealane', ['init', home, '--pipeline', path.join(ROOT, 'pipelines', 'three-stages.yaml')]);
  expect(made.keys.map(({ name }: { readonly name: string }) => name)).toEqual(
    expect.arrayContaining(['bob-token', 'carol', 'edge-preprod', 'registrar', 'root-3', 'targets-2']),
  );
  await expectJson('sealane', ['trust', 'verify', '--home', home]);
});

test('the page on pipelines shows pipelines/three-stages.yaml as it is', () => {
  const words = (text: string): unknown => parseYaml(text);
  expect(words(codeBelow(pageText('docs/formats/pipeline.md'), 'Example'))).toEqual(
    words(readFileSync(path.join(ROOT, 'pipelines', 'three-stages.yaml'), 'utf8')),
  );
});

test('the page on pipelines lists every gate with its settings, and no other', () => {
  expect(gatesBelow('Gates')).toEqual(settingsOf(GATES));
});

test('the page on pipelines lists every gate of the promoter alone, and no other', async () => {
  const gates = await promoterGates(gatesBelow('Gates of the promoter alone').map(([gate]) => gate));
  const own = gates.filter((gate) => !GATES.includes(gate));
  expect(gatesBelow('Gates of the promoter alone')).toEqual(settingsOf(own));
  expect(own.map(({ id }) => id)).toEqual(PROMOTER_VERDICTS);
  expect(own.filter(({ recheckedAtSite }) => recheckedAtSite)).toEqual([]);
});

/** Name and settings of each gate in the table below a heading. */
function gatesBelow(heading: string): readonly (readonly [string, readonly string[]])[] {
  const table = pageText('docs/formats/pipeline.md').split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return tableRows(table).map(([gate, , settings]) => [named(gate), settingsIn(settings)]);
}

function settingsOf(gates: readonly Gate[]): readonly (readonly [string, readonly string[]])[] {
  return gates.filter(({ settings }) => settings.length > 0).map(({ id, settings }) => [id, [...settings].sort()]);
}

/** Setting names of a cell: `count`, `distinctFrom: […]`; what comes after "or" is another value of one. */
function settingsIn(cell = ''): readonly string[] {
  const names = [...cell.replace(/ or `[a-z]+`/g, '').matchAll(/`([A-Za-z]+)(?::[^`]*)?`/g)].map(([, name]) => name ?? '');
  return [...new Set(names)].sort();
}

function keysByName(): (name: string) => Uint8Array {
  const keys = new Map<string, Uint8Array>();
  return (name) => {
    const spki = keys.get(name) ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'der' });
    keys.set(name, spki);
    return spki;
  };
}

test('the workflow for GitHub takes steps of others by commit, and leaves no token to what it runs', () => {
  const text = readFileSync(path.join(ROOT, 'pipelines', 'ci', 'github', 'workflow.yml'), 'utf8');
  const { jobs } = parseYaml(text) as { readonly jobs: Record<string, { readonly steps: readonly { uses?: string; with?: object }[] }> };
  const others = Object.values(jobs).flatMap(({ steps }) => steps.filter(({ uses = './' }) => !uses.startsWith('./')));
  expect(others).toEqual([
    { uses: expect.stringMatching(/^actions\/checkout@[0-9a-f]{40}$/) as string, with: { 'persist-credentials': false } },
  ]);
});
