/** `sealane exception export`. */
import path from 'node:path';
import { counted, parseDigest, shellWord } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { writeOutput } from '../disk-shell.js';
import { exceptionBundles } from '../exception/request.js';
import { textArgument, textOption, withPromoter } from '../promoter.js';

export const command: CommandSpec = {
  name: 'exception export',
  summary: 'write an exception with all signatures on it and their proofs, to be carried to the site that it is for',
  arguments: [{ name: 'statement', description: 'sha256:… of one of its signatures' }],
  options: [{ flags: '--out <file>', description: 'the file to write', required: true }],
  example: 'sealane exception export "$(sealane exception list --home my-lane | cut -d" " -f1)" --out exception.json --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const out = path.resolve(call.io.cwd, textOption(call, 'out'));
  const digest = parseDigest(textArgument(call, 0, 'STATEMENT'));
  const bundles = await withPromoter(call, (promoter) => exceptionBundles(promoter, digest));
  writeOutput(out, `${JSON.stringify(bundles)}\n`);
  return {
    exit: 0,
    json: { out, statement: digest, signatures: bundles.length },
    text: `${out}: ${counted(bundles.length, 'signature')}`,
    hint: `at the site: sealane-site exception apply ${shellWord(path.basename(out))}`,
  };
}
