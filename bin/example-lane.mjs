// A small lane for programs that are run once to be kept compiled (`compile-sealane.mjs`, `compile-site.mjs`), made by a promoter in this process.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { machine } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const keys = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), 'keys-example');
const PIPELINE = `apiVersion: sealane/v1
kind: Pipeline
lane: lane.example
stages:
  - { name: dev, gates: [{ use: provenance }, { use: tests }] }
  - { name: prod, from: [dev], gates: [{ use: provenance }, { use: tests }, { use: hardware }, { use: approvals, with: { count: 1 } }] }
people: [{ id: alice, keys: [alice] }]
signers: { release: [author], provenance: [builder], tests: [lab], hardware: [lab] }
registrar: [registrar]
hardware: { require: [arch] }
`;
const JUNIT = '<testsuite name="example"><testcase name="one"/></testsuite>\n';
const HARDWARE = {
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  metadata: { component: { type: 'device', name: 'example', properties: [{ name: 'sealane:arch', value: machine() }] } },
};
const PROVENANCE = {
  buildDefinition: { buildType: 'https://ci.example/build@v1', externalParameters: {}, resolvedDependencies: [] },
  runDetails: { builder: { id: 'https://ci.example/builder' } },
};

/** Makes a lane with its witness, which listens until this process ends. `runSealane` = a promoter's program. */
export async function exampleLane(dir, runSealane) {
  const at = (name) => path.join(dir, name);
  const files = {
    'pipeline.yaml': PIPELINE,
    'junit.xml': JUNIT,
    'hardware.json': JSON.stringify(HARDWARE),
    'provenance.json': JSON.stringify(PROVENANCE),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text);
  mkdirSync(at('witness'));
  cpSync(path.join(keys, 'witness.pem'), path.join(at('witness'), 'witness.pem'));

  const home = at('home');
  await quietly(runSealane, ['init', home, '--pipeline', at('pipeline.yaml'), '--example-keys']);
  const { url } = await serving(runSealane, ['witness', 'serve', '--state', at('witness'), '--log', path.join(home, 'log.vkey')]);
  const pipeline = path.join(home, 'pipeline.yaml');
  writeFileSync(pipeline, readFileSync(pipeline, 'utf8').replace(/url: http:\S+/, `url: ${url}`));
  const run = (...words) => quietly(runSealane, [...words, '--home', home, '--json']);
  return { home, run, release: (version) => release({ at, run }, version) };
}

/** Makes a release that may go to prod; returns its name. */
async function release({ at, run }, version) {
  const files = at(`files-${version}`);
  mkdirSync(files);
  writeFileSync(path.join(files, 'version'), `${version}\n`);
  const name = `example@${version}`;
  await run('release', 'create', '--name', 'example', '--version', version, '--files', files, '--key', 'author');
  await run('evidence', 'add', name, '--provenance', at('provenance.json'), '--key', 'builder');
  await run('evidence', 'add', name, '--tests', at('junit.xml'), '--hardware', at('hardware.json'), '--key', 'lab');
  await run('promote', name, '--to', 'dev');
  await run('approve', name, '--to', 'prod', '--key', 'alice');
  return name;
}

/** Runs a command in this process. What is printed goes nowhere unless it says why something failed. */
async function quietly(run, words) {
  const speak = muted();
  const code = await run(words);
  const said = speak();
  if (code !== 0) throw new Error(`run ${words.join(' ')}: expected exit 0, got ${code}\n${said}`);
}

/** Lets this process print nothing until what comes back is called, which gives what was to be printed. */
export function muted() {
  const streams = [process.stdout, process.stderr];
  const writes = streams.map(({ write }) => write);
  let said = '';
  for (const stream of streams)
    stream.write = (part, done) => {
      said += part;
      done?.();
      return true;
    };
  return () => {
    for (const [at, stream] of streams.entries()) stream.write = writes[at];
    return said;
  };
}

/** Starts a server in this process on a port of its own; its first line says where it listens. */
export async function serving(run, words) {
  const { write } = process.stdout;
  try {
    return await new Promise((resolve, reject) => {
      process.stdout.write = (line, done) => {
        resolve(JSON.parse(line));
        done?.();
        return true;
      };
      run([...words, '--listen', '127.0.0.1:0']).then((code) => reject(new Error(`${words.join(' ')} ended with ${code}`)), reject);
    });
  } finally {
    process.stdout.write = write;
  }
}
