// Installs the packages when they are missing or changed, and bundles the programs when a source is newer. Plain Node: it runs before any package is there.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeProblem } from './node-version.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const marker = path.join(root, 'node_modules', '.sealane-installed');
const built = path.join(root, 'dist', 'sealane-site.help.json');
/** What it is built by. */
const BUILDS = ['bundle.mjs', 'compile-sealane.mjs', 'compile-site.mjs', 'example-lane.mjs', 'load-compiled.mjs', 'walk-site.mjs'];

/** Brings the checkout into a state in which every command runs. Throws when npm or the bundler fails. */
export async function prepare() {
  if (nodeProblem !== undefined) throw new Error(`prepare the checkout: ${nodeProblem}`);
  const wanted = `${createHash('sha256')
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex')} ${process.versions.modules}`;
  if (!existsSync(marker) || readFileSync(marker, 'utf8') !== wanted) {
    console.error('installing the packages (once; a minute or two) …');
    npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
    writeFileSync(marker, wanted);
  }
  if (existsSync(built) && newestSource() < statSync(built).mtimeMs) return;
  const { bundle } = await import('./bundle.mjs');
  await bundle();
}

/** The name by which the test runner calls it before the system tests. */
export { prepare as setup };

/** When a file of the packages, or what they are built by, was changed last. */
function newestSource() {
  const folders = readdirSync(path.join(root, 'packages'))
    .map((name) => path.join(root, 'packages', name, 'src'))
    .filter((folder) => existsSync(folder));
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()),
  );
  const names = files.map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
  return Math.max(...[...names, marker, ...BUILDS.map((name) => path.join(root, 'bin', name))].map((file) => statSync(file).mtimeMs));
}

/** npm's output goes to stderr: stdout is data. */
function npm(words) {
  const cli = process.env.npm_execpath;
  const [program, ...before] = cli === undefined ? ['npm'] : [process.execPath, cli];
  try {
    execFileSync(program, [...before, ...words], { cwd: root, stdio: ['ignore', 2, 2] });
  } catch (cause) {
    const needs =
      'the npm registry, and for better-sqlite3 its prebuilt binary from GitHub, else a C++ compiler, make, Python 3 and the headers of Node';
    throw new Error(`install the packages: npm ${words[0]} failed as it says above; it needs ${needs} (docs/dependencies.md)`, { cause });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await prepare();
  } catch (error) {
    console.error(`prepare: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
