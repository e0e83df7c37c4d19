// Installs the packages when they are missing or changed, and builds what is stale. Plain Node: it runs before any package is there.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const marker = path.join(root, 'node_modules', '.sealane-installed');
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

/** Brings the checkout into a state in which every command runs. Throws when npm or the compiler fails. */
export function prepare() {
  if (major < 20 || (major === 20 && minor < 20)) {
    throw new Error(`prepare the checkout: expected Node 20.20 or later, got ${process.versions.node}`);
  }
  const wanted = `${createHash('sha256').update(readFileSync(path.join(root, 'package-lock.json'))).digest('hex')} ${process.versions.modules}`;
  if (!existsSync(marker) || readFileSync(marker, 'utf8') !== wanted) {
    console.error('installing the packages (once; a minute or two) …');
    npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
    writeFileSync(marker, wanted);
  }
  execFileSync(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-b'], { cwd: root, stdio: ['ignore', 2, 2] });
}

/** npm's output goes to stderr: stdout is data. */
function npm(words) {
  const cli = process.env.npm_execpath;
  if (cli === undefined) execFileSync('npm', words, { cwd: root, stdio: ['ignore', 2, 2] });
  else execFileSync(process.execPath, [cli, ...words], { cwd: root, stdio: ['ignore', 2, 2] });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    prepare();
  } catch (error) {
    console.error(`prepare: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
