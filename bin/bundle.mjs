// Bundles both executables into dist/: a command starts in half the time that hundreds of small modules take. Types are checked elsewhere
// (`npm run types`).
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The programs of a site. */
const SITE_ENTRIES = {
  'sealane-site': 'packages/site/src/index.ts',
  'sealane-site-fetch': 'packages/site/src/fetch/main.ts',
  'sealane-site-probe': 'packages/site/src/health/main.ts',
  'sealane-site-kubernetes': 'packages/site/src/drivers/kubernetes/main.ts',
  'sealane-site-mirror': 'packages/site/src/mirror/main.ts',
};

/** What scripts outside the packages import, and a thread of the ledger. */
const PARTS = {
  core: 'packages/core/src/index.ts',
  ledger: 'packages/ledger/src/index.ts',
  oci: 'packages/oci/src/index.ts',
  'sealane-hashes': 'packages/ledger/src/verify/hash-thread-shell.ts',
};

/** Writes dist/. Modules are named by their content and older ones stay: a command that runs meanwhile finds the rest of itself. */
export async function bundle() {
  const dist = path.join(root, 'dist');
  await bundleModules(dist, PARTS);
  await bundlePrograms(dist, { sealane: 'packages/promoter/src/index.ts' }, 'describeSealane', (entries) =>
    runScript('compile-sealane', entries),
  );
  await bundleSite(dist, process.execPath);
}

/** Bundles the programs of a site, compiled by the Node that will run them. */
export async function bundleSite(out, node) {
  await bundlePrograms(out, SITE_ENTRIES, 'describeSealaneSite', (entries) => runScript('compile-site', [node, ...entries]));
}

/** Bundles modules as they are imported. */
export async function bundleModules(out, entries) {
  await rollup(entries, { dir: out, format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: 'chunks/[name]-[hash].mjs' });
}

/** Bundles programs to be compiled: Node 20 compiles what is imported anew each time, and keeps code for CommonJS only (`load-compiled.mjs`). */
async function bundlePrograms(out, entries, describe, compile) {
  // what runs as a script can `require` and not `import`
  const names = { dynamicImportInCjs: false, entryFileNames: 'chunks/[name]-[hash].cjs', chunkFileNames: 'chunks/[name]-[hash].cjs' };
  const written = await rollup(entries, { dir: out, format: 'cjs', ...names });
  compile(written.map(({ fileName }) => path.join(out, fileName)));
  copyFileSync(path.join(root, 'bin', 'load-compiled.mjs'), path.join(out, 'load-compiled.mjs'));
  for (const { name, fileName, exports } of written) {
    const loaded = `loadCompiled(new URL('./${fileName}', import.meta.url))`;
    const line = exports.length === 0 ? loaded : `export const { ${exports.join(', ')} } = ${loaded}`;
    writeFileSync(path.join(out, `${name}.mjs`), `import { loadCompiled } from './load-compiled.mjs';\n${line};\n`);
  }
  // help is written down, so that asking for it loads no command
  const [program] = Object.keys(entries);
  const { [describe]: help } = await import(pathToFileURL(path.join(out, `${program}.mjs`)).href);
  writeFileSync(path.join(out, `${program}.help.json`), JSON.stringify(await help()));
}

/** Runs a script beside this one; what it prints goes to stderr. */
function runScript(name, words) {
  execFileSync(process.execPath, [path.join(root, 'bin', `${name}.mjs`), ...words], { stdio: ['ignore', 2, 2] });
}

/** How a module of the sources, which is none of CommonJS, loads one of it when it is needed. In a bundle of CommonJS `require` is there, and what it names comes along. */
const OWN_REQUIRE = 'const require = createRequire(import.meta.url);\n';

/** Bundles entries; returns the chunks that they came to, in the order given. */
async function rollup(entries, output) {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const build = await rolldown({
    input: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, path.join(root, file)])),
    platform: 'node',
    // `import` or `require` comes with each kind of import: naming one for both would give `require('pg-pool')` a module without its default
    resolve: { conditionNames: ['@sealane/source', 'node', 'default'] },
    // native: they stay in node_modules, and only the promoter loads them
    external: ['better-sqlite3', 'pkcs11js'],
    plugins: [{ name: 'require-from-bundle', transform: (code) => (output.format === 'cjs' ? code.replace(OWN_REQUIRE, '') : null) }],
  });
  const written = await build.write({
    ...output,
    // names stay, for whoever reads a stack trace
    minify: { mangle: false, compress: false, codegen: { removeWhitespace: true } },
    banner: `// Sealane ${version}`,
  });
  await build.close();
  return Object.keys(entries).map((name) => written.output.find((chunk) => chunk.isEntry && chunk.name === name));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle();
