// A lane, a witness and releases for the benchmarks, made by the real commands.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildImage, openLayout, packedFile } from '../../dist/oci.mjs';
import { command, ROOT } from './measure.mjs';

const JUNIT = `<testsuite name="readings">${[1, 2, 3, 4, 5].map((number) => `<testcase name="${number}"/>`).join('')}</testsuite>\n`;
const PROVENANCE = {
  buildDefinition: {
    buildType: 'https://git.example/readings/build@v1',
    externalParameters: { source: 'https://git.example/readings', ref: 'refs/heads/main' },
    resolvedDependencies: [{ uri: 'git+https://git.example/readings', digest: { gitCommit: 'ab'.repeat(20) } }],
  },
  runDetails: { builder: { id: 'https://ci.example/builder' } },
};

/** Makes a lane in `dir`, by default one whose prod asks for provenance, tests and hardware, and for two approvals. */
export async function makeLane(dir, { pipeline: text, database } = {}) {
  const home = path.join(dir, 'home');
  const state = path.join(dir, 'witness');
  mkdirSync(state, { recursive: true });
  const pipeline = path.join(dir, 'pipeline.yaml');
  writeFileSync(
    pipeline,
    text ?? readFileSync(path.join(ROOT, 'pipelines', 'quickstart', 'pipeline.yaml'), 'utf8').replace(/ +- use: soak\n.*\n/, ''),
  );
  const kept = database === undefined ? [] : ['--database', path.join(dir, 'database.json')];
  if (database !== undefined) writeFileSync(path.join(dir, 'database.json'), database);
  const made = command('sealane', ['init', home, '--pipeline', pipeline, '--example-keys', ...kept]).json;
  cpSync(path.join(ROOT, 'keys-example', 'witness.pem'), path.join(state, 'witness.pem'));
  const witness = await serve(['witness', 'serve', '--state', state, '--log', made.log.vkey, '--listen', '127.0.0.1:0']);
  const file = path.join(home, 'pipeline.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/url: http:\S+/, `url: ${witness.url}`));
  for (const [name, text] of Object.entries({ 'junit.xml': JUNIT, 'provenance.json': JSON.stringify(PROVENANCE) }))
    writeFileSync(path.join(dir, name), text);
  command('sealane-site', ['inventory', '--out', path.join(dir, 'hardware.json')]);
  const sealane = (...words) => command('sealane', [...words, '--home', home]);
  return { dir, home, lane: path.join(home, 'lane'), sealane, stop: witness.stop };
}

/** A release of one image with one file of these bytes. */
export async function release(lane, version, bytes) {
  return await releaseOf(lane, version, [[packedFile('srv/version', Buffer.from(`${version}\n`)), packedFile('srv/data', bytes)]]);
}

/** A release of one image of these layers. */
export async function releaseOf({ dir, sealane }, version, layers) {
  const folder = path.join(dir, 'images', version);
  mkdirSync(folder, { recursive: true });
  const platform = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };
  const layout = await openLayout(folder, { create: 'if-missing' });
  const image = await buildImage(layout, { platform, layers, config: {} });
  await layout.addToIndex(image);
  const made = sealane(
    'release',
    'create',
    '--name',
    'readings',
    '--version',
    version,
    '--image',
    `app=oci:${folder}@${image.digest}`,
    '--key',
    'author',
  );
  return { id: made.json.release, image: folder, digest: image.digest };
}

/** Brings a release up to the promotion to prod, which is left to the caller. */
export function prepare({ dir, sealane }, id) {
  sealane('evidence', 'add', id, '--provenance', path.join(dir, 'provenance.json'), '--key', 'builder');
  sealane('evidence', 'add', id, '--tests', path.join(dir, 'junit.xml'), '--hardware', path.join(dir, 'hardware.json'), '--key', 'lab');
  for (const stage of ['dev', 'edge-preprod']) sealane('promote', id, '--to', stage);
  for (const person of ['alice', 'bob']) sealane('approve', id, '--to', 'prod', '--key', person);
}

/** Enrols a site in `dir/site` at an upstream; returns its words. */
export function site({ dir, home, lane, sealane }, upstream = lane) {
  const folder = path.join(dir, 'site');
  mkdirSync(folder, { recursive: true });
  const driver = { use: 'files', start: ['/bin/sh', '-c', 'exec sleep 600'], health: [], probationSeconds: 0, stopGraceSeconds: 1 };
  writeFileSync(
    path.join(folder, 'site.yaml'),
    `name: harbour-7\nstage: prod\nallowExampleKeys: true\nupstreams: ['${upstream}']\ndriver: ${JSON.stringify(driver)}\n`,
  );
  const words = ['--config', path.join(folder, 'site.yaml'), '--state', path.join(folder, 'state')];
  const [request, record] = [path.join(folder, 'request.json'), path.join(folder, 'record.json')];
  command('sealane-site', ['enroll', '--name', 'harbour-7', '--out', request, ...words]);
  sealane('site', 'add', request, '--stage', 'prod', '--key', 'registrar', '--out', record);
  command('sealane-site', ['enroll', '--record', record, '--root', path.join(home, 'lane', 'trust', 'metadata', '1.root.json'), ...words]);
  return { folder, state: path.join(folder, 'state'), words, run: (...more) => command('sealane-site', [...more, ...words]) };
}

/** Starts `sealane` as a server and waits for its first line. */
export function serve(words) {
  const child = spawn(process.execPath, [path.join(ROOT, 'bin', 'sealane.mjs'), ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.stdout.setEncoding('utf8').once('data', (text) => {
      const ended = new Promise((done) => child.once('exit', done));
      const stop = () => {
        child.kill();
        return ended;
      };
      resolve({ ...JSON.parse(text.split('\n')[0]), stop });
    });
  });
}
