// Bundles both executables into dist/: a command starts in half the time that hundreds of small modules take. Types are checked elsewhere
// (`npm run types`).
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Programs, and what scripts outside the packages import. */
const entries = {
  sealane: 'packages/promoter/src/index.ts',
  'sealane-site': 'packages/site/src/index.ts',
  'sealane-site-fetch': 'packages/site/src/fetch/main.ts',
  'sealane-site-probe': 'packages/site/src/health/main.ts',
  core: 'packages/core/src/index.ts',
  ledger: 'packages/ledger/src/index.ts',
  oci: 'packages/oci/src/index.ts',
};

/** Writes dist/. Chunks are named by their content and older ones stay: a command that runs meanwhile finds the rest of itself. */
export async function bundle() {
  const out = path.join(root, 'dist');
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
  const { describeSealane } = await import('../dist/sealane.mjs');
  const { describeSealaneSite } = await import('../dist/sealane-site.mjs');
  writeFileSync(path.join(out, 'sealane.help.json'), JSON.stringify(await describeSealane()));
  writeFileSync(path.join(out, 'sealane-site.help.json'), JSON.stringify(await describeSealaneSite()));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle();
