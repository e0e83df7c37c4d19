// `node bin/compile-sealane.mjs FILE`: takes a release through the bundled program once, and keeps the code that V8 has made of it beside its modules. What
// ran is then compiled, what did not is left until it is needed, so that what is read at each start stays small.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exampleLane } from './example-lane.mjs';
import { keepCode, programLoader } from './load-compiled.mjs';

const { load, scripts } = programLoader();
const { describeSealane, runSealane } = load(path.resolve(process.argv[2]));
const folder = mkdtempSync(path.join(tmpdir(), 'sealane-compile-'));
try {
  // every command is loaded by this
  await describeSealane();
  const lane = await exampleLane(folder, runSealane);
  const name = await lane.release('1.0.0');
  await lane.run('plan', name, '--to', 'prod');
  await lane.run('promote', name, '--to', 'prod');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const [file, script] of scripts) keepCode(file, script);
// the witness still listens
process.exit(0);
