// `node bin/compile-sealane.mjs FILE`: takes a release through the bundled program once, and keeps the code that V8 has made of it beside its modules. What
// ran is then compiled, what did not is left until it is needed, so that what is read at each start stays small.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { keepCode, programLoader } from './load-compiled.mjs';

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
  metadata: { component: { type: 'device', name: 'example', properties: [{ name: 'sealane:arch', value: 'x86_64' }] } },
};
const PROVENANCE = {
  buildDefinition: { buildType: 'https://ci.example/build@v1', externalParameters: {}, resolvedDependencies: [] },
  runDetails: { builder: { id: 'https://ci.example/builder' } },
};

const { load, scripts } = programLoader();
const { describeSealane, runSealane } = load(path.resolve(process.argv[2]));
const folder = mkdtempSync(path.join(tmpdir(), 'sealane-compile-'));
try {
  // every command is loaded by this
  await describeSealane();
  await walk(folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const [file, script] of scripts) keepCode(file, script);
// the witness still listens
process.exit(0);

async function walk(dir) {
  const at = (name) => path.join(dir, name);
  const files = {
    'pipeline.yaml': PIPELINE,
    'junit.xml': JUNIT,
    'hardware.json': JSON.stringify(HARDWARE),
    'provenance.json': JSON.stringify(PROVENANCE),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text);
  for (const name of ['witness', 'files']) mkdirSync(at(name));
  writeFileSync(path.join(at('files'), 'file'), 'example\n');
  cpSync(path.join(keys, 'witness.pem'), path.join(at('witness'), 'witness.pem'));

  const home = at('home');
  await run('init', home, '--pipeline', at('pipeline.yaml'), '--example-keys');
  const { url } = await serveWitness(['--state', at('witness'), '--log', path.join(home, 'log.vkey')]);
  const pipeline = path.join(home, 'pipeline.yaml');
  writeFileSync(pipeline, readFileSync(pipeline, 'utf8').replace(/url: http:\S+/, `url: ${url}`));
  const inHome = (...words) => run(...words, '--home', home, '--json');
  const name = 'example@1.0.0';
  await inHome('release', 'create', '--name', 'example', '--version', '1.0.0', '--files', at('files'), '--key', 'author');
  await inHome('evidence', 'add', name, '--provenance', at('provenance.json'), '--key', 'builder');
  await inHome('evidence', 'add', name, '--tests', at('junit.xml'), '--hardware', at('hardware.json'), '--key', 'lab');
  await inHome('promote', name, '--to', 'dev');
  await inHome('approve', name, '--to', 'prod', '--key', 'alice');
  await inHome('plan', name, '--to', 'prod');
  await inHome('promote', name, '--to', 'prod');
}

async function run(...words) {
  const { code, text } = await quietly(() => runSealane(words));
  if (code !== 0) throw new Error(`run sealane ${words.join(' ')}: expected exit 0, got ${code}\n${text}`);
}

/** What is printed goes nowhere unless it says why something failed. */
async function quietly(work) {
  const streams = [process.stdout, process.stderr];
  const writes = streams.map(({ write }) => write);
  let text = '';
  for (const stream of streams)
    stream.write = (part) => {
      text += part;
      return true;
    };
  try {
    return { code: await work(), text };
  } finally {
    for (const [at, stream] of streams.entries()) stream.write = writes[at];
  }
}

/** The first line of the witness says where it listens. */
async function serveWitness(words) {
  const { write } = process.stdout;
  try {
    return await new Promise((resolve, reject) => {
      process.stdout.write = (line) => {
        resolve(JSON.parse(line));
        return true;
      };
      runSealane(['witness', 'serve', '--listen', '127.0.0.1:0', ...words]).then(
        (code) => reject(new Error(`the witness ended with ${code}`)),
        reject,
      );
    });
  } finally {
    process.stdout.write = write;
  }
}
