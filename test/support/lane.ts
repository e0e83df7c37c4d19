/** A real lane with a real witness, made from the example keys by the real commands; and releases on their way through it. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildImage, openLayout, packedFile } from '@sealane/oci';
import { expectJson, ROOT, type Answer, type RunOptions, type Server, startServer } from './run.js';

/** The stages of the lane, in order. */
const STAGES = ['dev', 'edge-preprod', 'prod'] as const;

export interface LaneOptions {
  /** Replaces text in the pipeline before the lane is made from it. */
  readonly pipeline?: (text: string) => string;
  /** The text of a `database.json`, for a ledger in PostgreSQL. */
  readonly database?: string;
  /** More of the environment for each of its commands: what opens keys that are there before. */
  readonly env?: Readonly<Record<string, string>>;
  /** A root below which the lab's machine is seen, in place of this host. */
  readonly machine?: string;
}

/** A running lane: `home` is the promoter's folder, `lane` the published tree. */
export interface TestLane {
  readonly dir: string;
  readonly home: string;
  readonly lane: string;
  readonly origin: string;
  readonly witness: Server;
  /** Inventory of this machine, as the lab and every site see it. */
  readonly hardware: string;
  /** Runs `sealane` in this home; it must end with `exit` (default 0). */
  sealane(words: readonly string[], exit?: number): Promise<Answer['json']>;
  /** Makes a release of one image: `srv/version`, and what else `files` says, above a layer of `base` if there is one. Returns its digest. */
  release(version: string, files?: Readonly<Record<string, string>>, base?: Readonly<Record<string, string>>): Promise<string>;
  /** Adds provenance and a test report with hardware. */
  evidence(release: string): Promise<void>;
  /** Evidence, approvals, and promotion through every stage up to `to` (default prod). */
  promote(release: string, to?: (typeof STAGES)[number]): Promise<void>;
  stop(): Promise<void>;
}

const JUNIT = `<testsuites><testsuite name="readings" tests="5" failures="0">${[1, 2, 3, 4, 5]
  .map((number) => `<testcase classname="readings" name="case ${number}"/>`)
  .join('')}</testsuite></testsuites>\n`;

const PROVENANCE = {
  buildDefinition: {
    buildType: 'https://git.example/readings/build@v1',
    externalParameters: { source: 'https://git.example/readings', ref: 'refs/heads/main' },
    resolvedDependencies: [{ uri: 'git+https://git.example/readings', digest: { gitCommit: '4f1c'.repeat(10) } }],
  },
  runDetails: { builder: { id: 'https://ci.example/builder' } },
};

/** Makes a lane in `dir/home` with a witness in `dir/witness`. The caller stops it. */
export async function makeLane(dir: string, options: LaneOptions = {}): Promise<TestLane> {
  const home = path.join(dir, 'home');
  const run: RunOptions = options.env === undefined ? {} : { env: options.env };
  const witnessDir = path.join(dir, 'witness');
  const files = {
    junit: path.join(dir, 'junit.xml'),
    provenance: path.join(dir, 'provenance.json'),
    hardware: path.join(dir, 'hardware.cdx.json'),
  };
  mkdirSync(witnessDir, { recursive: true });
  const pipeline = path.join(dir, 'pipeline.yaml');
  const text = readFileSync(path.join(ROOT, 'pipelines', 'quickstart', 'pipeline.yaml'), 'utf8').replace(/ +- use: soak\n.*\n/, '');
  writeFileSync(pipeline, options.pipeline?.(text) ?? text);
  writeFileSync(files.junit, JUNIT);
  writeFileSync(files.provenance, JSON.stringify(PROVENANCE));
  const database = path.join(dir, 'database.json');
  if (options.database !== undefined) writeFileSync(database, options.database);
  const kept = options.database === undefined ? [] : ['--database', database];
  const made = await expectJson('sealane', ['init', home, '--pipeline', pipeline, '--example-keys', ...kept], 0, run);
  cpSync(path.join(ROOT, 'keys-example', 'witness.pem'), path.join(witnessDir, 'witness.pem'));
  const witness = await startServer('sealane', [
    'witness',
    'serve',
    '--state',
    witnessDir,
    '--log',
    made.log.vkey,
    '--listen',
    '127.0.0.1:0',
  ]);
  const inHome = path.join(home, 'pipeline.yaml');
  writeFileSync(inHome, readFileSync(inHome, 'utf8').replace('http://127.0.0.1:8791', witness.url));
  const below = options.machine === undefined ? [] : ['--root', options.machine];
  await expectJson('sealane-site', ['inventory', '--out', files.hardware, ...below]);
  const sealane: TestLane['sealane'] = (words, exit = 0) => expectJson('sealane', [...words, '--home', home], exit, run);
  const evidence = async (release: string): Promise<void> => {
    await sealane(['evidence', 'add', release, '--provenance', files.provenance, '--key', 'builder']);
    await sealane(['evidence', 'add', release, '--tests', files.junit, '--hardware', files.hardware, '--key', 'lab']);
  };
  return {
    dir,
    home,
    lane: path.join(home, 'lane'),
    origin: made.origin,
    witness,
    hardware: files.hardware,
    sealane,
    evidence,
    async release(version, more = {}, base) {
      const reference = await buildVersion(path.join(dir, 'images', version), version, more, base);
      const words = ['release', 'create', '--name', 'readings', '--version', version, '--image', `app=${reference}`, '--key', 'author'];
      return (await sealane(words)).release;
    },
    async promote(release, to = 'prod') {
      await evidence(release);
      for (const stage of STAGES.slice(0, STAGES.indexOf(to) + 1)) {
        if (stage === 'prod') for (const person of ['alice', 'bob']) await sealane(['approve', release, '--to', stage, '--key', person]);
        await sealane(['promote', release, '--to', stage]);
      }
    },
    stop: () => witness.stop(),
  };
}

/** An image of this machine's platform in an OCI layout of its own; returns its reference. */
export async function buildVersion(
  folder: string,
  version: string,
  files: Readonly<Record<string, string>> = {},
  base?: Readonly<Record<string, string>>,
): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const layout = await openLayout(folder, { create: 'if-missing' });
  const layers = [...(base === undefined ? [] : [base]), { 'srv/version': `${version}\n`, ...files }].map((layer) =>
    Object.entries(layer).map(([name, text]) => packedFile(name, Buffer.from(text))),
  );
  const platform = {
    os: process.platform === 'darwin' ? 'darwin' : 'linux',
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
  };
  const { digest } = await buildImage(layout, { platform, layers, config: {} });
  return `oci:${folder}@${digest}`;
}
