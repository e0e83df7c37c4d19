/** A real home and a real witness inside the test's own process: every command runs as a shell would call it. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { formatVkey, NOTE_KEY_TYPE, parseVkey, vkeyOf } from '@sealane/core';
import { runCommandLine } from '@sealane/core/command-line';
import { createWitness } from '@sealane/ledger';
import { PROGRAM } from '../program.js';

/** What a command answered: exit code, its one JSON object, what it told people. */
export interface Answer {
  readonly exit: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what is asserted is the shape itself
  readonly json: any;
  readonly talk: string;
}

/** Two stages; provenance for both, one approval for the second. */
export const PIPELINE = `apiVersion: sealane/v1
kind: Pipeline
lane: lane.example
stages:
  - name: dev
    gates: [{ use: provenance }]
  - name: prod
    from: [dev]
    gates: [{ use: provenance }, { use: approvals, with: { count: 1 } }]
people:
  - { id: alice, keys: [alice] }
  - { id: bob, keys: [bob] }
signers: { release: [author], provenance: [builder], tests: [lab], hardware: [lab] }
registrar: registrar
`;

/** A lane made from keys of its own, and the witness that it names. */
export interface TestHome {
  readonly dir: string;
  readonly home: string;
  /** Runs `sealane` in the home. */
  run(words: readonly string[]): Promise<Answer>;
  /** As a person runs it, without `--json`: what it says beside its answer, a hint before all. */
  talkOf(words: readonly string[]): Promise<string>;
  /** As `run`, for a command that must end with `exit` (default 0); returns its JSON. */
  sealane(words: readonly string[], exit?: number): Promise<Answer['json']>;
  /** Writes a file beside the home and returns its path. */
  file(name: string, text: string): string;
  /** Makes a release of one file and returns its digest. */
  release(version: string): Promise<string>;
  stopWitness(): Promise<void>;
  stop(): Promise<void>;
}

/** A lane as `init` made it, with the key of its witness: homes are copies of one, since making eighteen keys for each test costs a second. */
interface Template {
  readonly dir: string;
  readonly witnessKey: KeyObject;
  readonly logVkey: string;
}

const WITNESS_URL = 'http://127.0.0.1:1';
const templates = new Map<string, Promise<Template>>();

async function makeTemplate(pipeline: string): Promise<Template> {
  const dir = mkdtempSync(path.join(tmpdir(), 'sealane-template-'));
  const { privateKey } = generateKeyPairSync('ed25519');
  const vkey = formatVkey(vkeyOf('witness.example', NOTE_KEY_TYPE.cosignature, privateKey));
  writeFileSync(path.join(dir, 'pipeline.yaml'), `${pipeline}witnesses:\n  - { vkey: '${vkey}', url: '${WITNESS_URL}' }\n`);
  const made = await runSealane(dir, ['init', 'home', '--pipeline', 'pipeline.yaml']);
  if (made.exit !== 0) throw new Error(`make a lane: ${made.talk}`);
  return { dir, witnessKey: privateKey, logVkey: made.json.log.vkey };
}

/** A lane of its own, made by `init`, and a witness. The caller stops it. */
export async function makeHome(pipeline = PIPELINE): Promise<TestHome> {
  const making = templates.get(pipeline) ?? makeTemplate(pipeline);
  templates.set(pipeline, making);
  const template = await making;
  const dir = mkdtempSync(path.join(tmpdir(), 'sealane-home-'));
  const home = path.join(dir, 'home');
  cpSync(path.join(template.dir, 'home'), home, { recursive: true });
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(dir, name), text);
    return path.join(dir, name);
  };
  const witness = await createWitness({
    stateDir: path.join(dir, 'witness'),
    logs: [parseVkey(template.logVkey)],
    name: 'witness.example',
    privateKey: template.witnessKey,
    listen: { host: '127.0.0.1', port: 0 },
    now: () => new Date().toISOString(),
    onFault: (error) => {
      throw error;
    },
  });
  const inHome = path.join(home, 'pipeline.yaml');
  writeFileSync(inHome, readFileSync(inHome, 'utf8').replace(WITNESS_URL, witness.url));
  const run: TestHome['run'] = (words) => runSealane(dir, [...words, '--home', home]);
  const sealane: TestHome['sealane'] = async (words, exit = 0) => {
    const answer = await run(words);
    if (answer.exit !== exit) throw new Error(`run sealane ${words.join(' ')}: expected exit ${exit}, got ${answer.exit}\n${answer.talk}`);
    return answer.json;
  };
  let stopped: Promise<void> | undefined;
  const stopWitness = (): Promise<void> => (stopped ??= witness.close());
  return {
    dir,
    home,
    run,
    talkOf: async (words) => (await runWords(dir, [...words, '--home', home], {})).talk,
    sealane,
    file,
    async release(version) {
      const part = file(`part-${version}.yaml`, `version: ${version}\n`);
      return (await sealane(['release', 'create', '--name', 'api', '--version', version, '--manifest', part, '--key', 'author'])).release;
    },
    stopWitness,
    async stop() {
      await stopWitness();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Runs a command as a shell in the folder `cwd` would: on any machine, also an owner's. */
export async function runSealane(cwd: string, words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const { exit, out, talk } = await runWords(cwd, [...words, '--json'], env);
  return { exit, json: out === '' ? undefined : JSON.parse(out), talk };
}

async function runWords(
  cwd: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly exit: number; readonly out: string; readonly talk: string }> {
  let out = '';
  let talk = '';
  const exit = await runCommandLine(PROGRAM, words, {
    env,
    cwd,
    isTerminal: false,
    signal: new AbortController().signal,
    out: (text) => {
      out += text;
    },
    talk: (text) => {
      talk += text;
    },
  });
  return { exit, out, talk };
}

/** SLSA v1 provenance that the default gate takes. */
export const PROVENANCE = JSON.stringify({
  buildDefinition: {
    buildType: 'https://git.example/api/build@v1',
    externalParameters: { source: 'https://git.example/api', ref: 'refs/heads/main' },
    resolvedDependencies: [{ uri: 'git+https://git.example/api', digest: { gitCommit: '4f1c'.repeat(10) } }],
  },
  runDetails: { builder: { id: 'https://ci.example/builder' } },
});
