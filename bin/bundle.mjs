// Bundles both executables into dist/: a command starts in half the time that hundreds of small modules take. Types are checked elsewhere
// (`npm run types`).
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The programs of a site. */
export const SITE_ENTRIES = {
  'sealane-site': 'packages/site/src/index.ts',
  'sealane-site-fetch': 'packages/site/src/fetch/main.ts',
  'sealane-site-probe': 'packages/site/src/health/main.ts',
  'sealane-site-kubernetes': 'packages/site/src/drivers/kubernetes/main.ts',
  'sealane-site-mirror': 'packages/site/src/mirror/main.ts',
};

/** All programs but `sealane`, and what scripts outside the packages import. */
const ENTRIES = {
  ...SITE_ENTRIES,
  core: 'packages/core/src/index.ts',
  ledger: 'packages/ledger/src/index.ts',
  oci: 'packages/oci/src/index.ts',
};

/** Writes dist/. Modules are named by their content and older ones stay: a command that runs meanwhile finds the rest of itself. */
export async function bundle() {
  const dist = path.join(root, 'dist');
  await bundleModules(dist, ENTRIES);
  await bundleSealane(dist);
}

/** Bundles programs as they are imported. */
export async function bundleModules(out, entries) {
  await rollup(entries, { dir: out, format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: 'chunks/[name]-[hash].mjs' });
  if (Object.hasOwn(entries, 'sealane-site')) await writeHelp(out, 'sealane-site', 'describeSealaneSite');
}

/** The promoter's program, compiled: Node 20 compiles what is imported anew each time, and keeps code for CommonJS only (`load-compiled.mjs`). */
async function bundleSealane(out) {
  // what runs as a script can `require` and not `import`
  const names = { dynamicImportInCjs: false, entryFileNames: 'chunks/[name]-[hash].cjs', chunkFileNames: 'chunks/[name]-[hash].cjs' };
  const [entry] = await rollup({ sealane: 'packages/promoter/src/index.ts' }, { dir: out, format: 'cjs', ...names });
  execFileSync(process.execPath, [path.join(root, 'bin', 'compile-sealane.mjs'), path.join(out, entry)], { stdio: ['ignore', 2, 2] });
  writeFileSync(
    path.join(out, 'sealane.mjs'),
    `import { loadCompiled } from '../bin/load-compiled.mjs';
export const { describeSealane, runSealane } = loadCompiled(new URL('./${entry}', import.meta.url));
`,
  );
  await writeHelp(out, 'sealane', 'describeSealane');
}

/** Bundles entries; returns the files that they came to. */
async function rollup(entries, output) {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const build = await rolldown({
    input: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, path.join(root, file)])),
    platform: 'node',
    // `import` or `require` comes with each kind of import: naming one for both would give `require('pg-pool')` a module without its default
    resolve: { conditionNames: ['@sealane/source', 'node', 'default'] },
    // native: they stay in node_modules, and only the promoter loads them
    external: ['better-sqlite3', 'pkcs11js'],
  });
  const written = await build.write({
    ...output,
    // names stay, for whoever reads a stack trace
    minify: { mangle: false, compress: false, codegen: { removeWhitespace: true } },
    banner: `// Sealane ${version}`,
  });
  await build.close();
  return written.output.filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName);
}

/** Help is written down, so that asking for it loads no command. */
async function writeHelp(out, program, describe) {
  const { [describe]: help } = await import(pathToFileURL(path.join(out, `${program}.mjs`)).href);
  writeFileSync(path.join(out, `${program}.help.json`), JSON.stringify(await help()));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle();
