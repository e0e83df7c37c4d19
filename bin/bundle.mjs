// Bundles both executables into dist/: a command starts in half the time that hundreds of small modules take. Types are checked elsewhere
// (`npm run types`).
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

/** All programs, and what scripts outside the packages import. */
const ENTRIES = {
  sealane: 'packages/promoter/src/index.ts',
  ...SITE_ENTRIES,
  core: 'packages/core/src/index.ts',
  ledger: 'packages/ledger/src/index.ts',
  oci: 'packages/oci/src/index.ts',
};

/** Writes dist/, or some of it elsewhere. Chunks are named by their content and older ones stay: a command that runs meanwhile finds the rest of itself. */
export async function bundle(out = path.join(root, 'dist'), entries = ENTRIES) {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const build = await rolldown({
    input: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, path.join(root, file)])),
    platform: 'node',
    // `import` or `require` comes with each kind of import: naming one for both would give `require('pg-pool')` a module without its default
    resolve: { conditionNames: ['@sealane/source', 'node', 'default'] },
    // native: they stay in node_modules, and only the promoter loads them
    external: ['better-sqlite3', 'pkcs11js'],
  });
  await build.write({
    dir: out,
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: 'chunks/[name]-[hash].mjs',
    // names stay, for whoever reads a stack trace
    minify: { mangle: false, compress: false, codegen: { removeWhitespace: true } },
    banner: `// Sealane ${version}`,
  });
  await build.close();
  // help is written down, so that asking for it loads no command
  for (const [name, describe] of Object.entries({ sealane: 'describeSealane', 'sealane-site': 'describeSealaneSite' })) {
    if (!Object.hasOwn(entries, name)) continue;
    const program = await import(pathToFileURL(path.join(out, `${name}.mjs`)).href);
    writeFileSync(path.join(out, `${name}.help.json`), JSON.stringify(await program[describe]()));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle();
