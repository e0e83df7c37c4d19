// `node bin/walk-site.mjs HOME MAIN ENTRY…`, as `compile-site.mjs` starts it beside a lane: enrols a site in the current folder, takes it through two releases and
// back, all in this one process, and keeps the code that V8 has made by then.
import { once } from 'node:events';
import path from 'node:path';
import { muted } from './example-lane.mjs';
import { keepCode, programLoader } from './load-compiled.mjs';

const [home, main, ...entries] = process.argv.slice(2);
const PLACE = ['--config', 'site.yaml', '--state', 'state'];

const speak = muted();
const { load, compile, scripts } = programLoader();
const { describeSealaneSite, runSealaneSite } = load(main);
try {
  // every command is loaded by this
  await describeSealaneSite();
  await walk();
} catch (error) {
  console.error(speak());
  throw error;
}
// they are loaded by processes of their own
for (const file of entries) compile(file);
for (const [file, script] of scripts) keepCode(file, script);
// `fetch` still listens
process.exit(0);

async function walk() {
  await run('inventory', '--out', 'hardware.json');
  await run('enroll', '--name', 'example', '--out', 'request.json');
  await ask('record');
  await run('enroll', '--record', 'record.json', '--root', path.join(home, 'lane', 'trust', 'metadata', '1.root.json'));
  // where it is a process of its own, it does the same
  runSealaneSite(['fetch', '--listen', 'fetch.sock', ...PLACE]);
  try {
    for (const version of ['1.0.0', '2.0.0']) {
      await ask('release', version);
      for (const verb of ['update', 'update']) await run(verb, '--fetch', 'fetch.sock');
    }
    await run('rollback', '--fetch', 'fetch.sock');
    await run('status');
  } finally {
    await run('stop');
  }
}

async function run(...words) {
  const code = await runSealaneSite([...words, ...PLACE]);
  if (code !== 0) throw new Error(`run sealane-site ${words.join(' ')}: expected exit 0, got ${code}`);
}

async function ask(step, ...words) {
  process.send({ step, words });
  await once(process, 'message');
}
