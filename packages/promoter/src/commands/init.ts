/** `sealane init`: makes a lane. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { counted, shellWord } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { nowText } from '../clock.js';
import { optionalText } from '../promoter.js';
import { initLane } from '../trust/init.js';

export const command: CommandSpec = {
  name: 'init',
  summary: 'make a lane: keys, root of trust, stages, policies, log',
  arguments: [{ name: '[dir]', description: 'the home of the promoter (default: --home, else the current folder)' }],
  options: [
    { flags: '--pipeline <file>', description: 'stages, gates, people and signers (default: three stages, written to DIR/pipeline.yaml)' },
    { flags: '--database <file>', description: 'keep the ledger in PostgreSQL, as this JSON file says (default: in a file of its own)' },
    { flags: '--example-keys', description: 'use the keys of keys-example, which everybody has: for trying things out only' },
  ],
  example: 'sealane init my-lane --example-keys',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const { io, args, options } = call;
  const [dir] = args;
  const folder = path.resolve(io.cwd, typeof dir === 'string' ? dir : (optionalText(call, 'home') ?? '.'));
  const pipeline = optionalText(call, 'pipeline');
  const database = optionalText(call, 'database');
  const made = await initLane({
    folder,
    ...(database === undefined ? {} : { database: path.resolve(io.cwd, database) }),
    ...(pipeline === undefined ? {} : { pipeline: path.resolve(io.cwd, pipeline) }),
    ...(options['exampleKeys'] === true ? { exampleKeys: exampleKeys() } : {}),
    now: nowText,
    secrets: { env: io.env, cwd: io.cwd },
  });
  const text = [
    `made the lane ${made.origin} in ${made.home}, root version ${made.rootVersion}, ${counted(made.keys.length, 'key')}`,
    `the log's verifier key, for witnesses: ${made.log.vkey}`,
    ...(made.witness.key === null ? [] : [`the witness's key lies in ${made.witness.key}: move it to the witness's own host`]),
  ];
  return {
    exit: 0,
    json: made,
    text: text.join('\n'),
    hint: `start the witness: sealane witness serve --state WITNESS --log ${shellWord(path.join(folder, 'log.vkey'))} --listen 127.0.0.1:8791`,
  };
}

/** The folder of the example keys: it lies at the top of the checkout that this program runs from. */
function exampleKeys(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'keys-example')) && path.dirname(folder) !== folder) folder = path.dirname(folder);
  return path.join(folder, 'keys-example');
}
