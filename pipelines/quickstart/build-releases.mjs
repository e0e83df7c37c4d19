// Builds the four releases of the service as real OCI images, runs its tests against their bytes, and writes the provenance.
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildImage, flattenImage, openLayout, packedFile } from '../../dist/oci.mjs';
import { runProcess } from './run-command.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
/** Plain JavaScript runs anywhere; the site picks the image by its own platform, in Go's words. */
const PLATFORM = { os: process.platform === 'darwin' ? 'darwin' : 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };
const sources = ['main.mjs', 'server.mjs', 'readings.mjs'];

/** Versions of the service; 1.2.0 names a store that does not exist, which none of its tests notices. */
export const RELEASES = [
  { version: '1.0.0', store: 'memory' },
  { version: '1.1.0', store: 'memory' },
  { version: '1.2.0', store: 'flash' },
  { version: '1.2.1', store: 'memory' },
];

/** Writes the image of one version into an OCI layout in `folder`; the same bytes on every machine. */
export async function buildRelease({ version, store }, folder) {
  await mkdir(folder, { recursive: true });
  const entries = await Promise.all(
    sources.map(async (name) => packedFile(`srv/${name}`, await readFile(path.join(here, 'service', name)))),
  );
  entries.push(packedFile('srv/release.json', Buffer.from(`${JSON.stringify({ version, store })}\n`)));
  const layout = await openLayout(folder, { create: 'if-missing' });
  const config = { Cmd: ['node', '/srv/main.mjs'], Labels: { 'org.opencontainers.image.version': version } };
  const image = await buildImage(layout, { platform: PLATFORM, layers: [entries], config });
  return { digest: image.digest, reference: `oci:${folder}@${image.digest}` };
}

/** Unpacks an image and runs the service's tests against those very bytes; returns the path of the JUnit report. */
export async function testRelease(layoutFolder, digest, folder) {
  const unpacked = path.join(folder, 'rootfs');
  await mkdir(folder, { recursive: true });
  await flattenImage(await openLayout(layoutFolder), digest, unpacked, { platform: PLATFORM });
  await cp(path.join(here, 'service', 'service.test.mjs'), path.join(unpacked, 'srv', 'service.test.mjs'));
  const report = path.join(folder, 'junit.xml');
  const words = ['--test', '--test-reporter=junit', `--test-reporter-destination=${report}`, 'service.test.mjs'];
  const { code, stderr } = await runProcess(process.execPath, words, { cwd: path.join(unpacked, 'srv') });
  if (code !== 0) throw new Error(`run the tests of ${digest}: expected exit 0, got ${code}\n${stderr}`);
  return report;
}

/** SLSA provenance of one build: who built it, from which source and commit. */
export async function writeProvenance({ version }, commit, file) {
  const predicate = {
    buildDefinition: {
      buildType: 'https://git.example/readings/build@v1',
      externalParameters: { source: 'https://git.example/readings', ref: `refs/tags/v${version}`, version },
      resolvedDependencies: [{ uri: 'git+https://git.example/readings', digest: { gitCommit: commit } }],
    },
    runDetails: { builder: { id: 'https://ci.example/builder' } },
  };
  await writeFile(file, `${JSON.stringify(predicate)}\n`);
}
