// `node bin/compile-site.mjs NODE MAIN ENTRY…`: takes a site through two releases once, with the bundled program MAIN, and keeps the code that NODE has made of
// it beside its modules, for it and for the other entries. What ran is then compiled, what did not is left until it is needed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runSealane } from '../dist/sealane.mjs';
import { exampleLane, muted, serving } from './example-lane.mjs';

const [node, ...files] = process.argv.slice(2).map((file) => path.resolve(file));
const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'walk-site.mjs');
// the log of the server
const speak = muted();
const folder = mkdtempSync(path.join(tmpdir(), 'sealane-compile-'));
try {
  process.chdir(folder);
  const lane = await exampleLane(folder, runSealane);
  const { url } = await serving(runSealane, ['serve', '--home', lane.home]);
  const driver = { use: 'files', start: ['/bin/sh', '-c', 'exec sleep 600'], health: [], probationSeconds: 0, stopGraceSeconds: 1 };
  const site = { name: 'example', stage: 'prod', allowExampleKeys: true, upstreams: [url], receiptsTo: url, driver };
  // JSON is YAML
  writeFileSync('site.yaml', JSON.stringify(site));
  await walked(spawn(node, [script, lane.home, ...files], { stdio: ['ignore', 2, 2, 'ipc'] }), {
    record: () => lane.run('site', 'add', 'request.json', '--stage', 'prod', '--key', 'registrar', '--out', 'record.json'),
    release: async (version) => await lane.run('promote', await lane.release(version), '--to', 'prod'),
  });
} catch (error) {
  console.error(speak());
  throw error;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
// servers still listen
process.exit(0);

/** The site asks for what others do meanwhile. */
async function walked(child, steps) {
  child.on('message', async ({ step, words }) => {
    await steps[step](...words);
    child.send('done');
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`take a site through two releases: expected exit 0, got ${code}`);
}
