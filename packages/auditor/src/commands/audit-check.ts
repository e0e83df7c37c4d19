/** `sealane audit check`. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { AuditorError, counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import type { Answer } from '../answers/answer.js';
import { readExport } from '../export/tar-shell.js';
import { type ExportVerdict, verifyExport } from '../export/verify-export.js';

export const auditCheck: CommandSpec = {
  name: 'audit check',
  summary: 'check an audit export offline, against a root of trust that you hold: no home and no lane is needed',
  arguments: [{ name: 'file', description: 'what audit export wrote' }],
  options: [{ flags: '--root <file>', description: 'a root.json of the lane, from elsewhere than the export', required: true }],
  example: 'sealane audit check export.tar --root my-lane/lane/trust/metadata/1.root.json',
  run,
};

interface CheckAnswer extends Pick<ExportVerdict, 'problems' | 'doubts'> {
  readonly ok: boolean;
  readonly release: string | null;
  readonly site: string | null;
  readonly period: object | null;
  readonly missing: readonly string[];
}

async function run(call: CommandCall): Promise<CommandResult> {
  const [name] = call.args;
  const file = path.resolve(call.io.cwd, typeof name === 'string' ? name : '');
  const { root } = call.options;
  const { exported, statements, problems, doubts } = verifyExport(
    await readExport(file),
    readRoot(path.resolve(call.io.cwd, typeof root === 'string' ? root : '')),
  );
  const { release, site, period, missing, origin, size } = exported.manifest;
  const ok = problems.length === 0;
  const answer: Answer<CheckAnswer> = {
    question: `check ${path.basename(file)}`,
    answer: { ok, release, site, period, missing, problems, doubts },
    statements,
    checkpoint: exported.checkpoint,
    complete: doubts.length === 0 && missing.length === 0,
  };
  const lines = [
    ok
      ? `${counted(statements.length, 'statement is', 'statements are')} what ${origin} logged, proved at ${counted(size, 'entry')}`
      : `the export was changed: ${counted(problems.length, 'problem')}`,
    ...(ok && period !== null ? [`none from entry ${period.first} on was left out`] : []),
    ...problems.map(({ where, key, expected, actual }) => `  ${where} ${key}: expected ${expected}; got ${actual}`),
    ...doubts.map(({ statement, message }) => `  in doubt: ${statement}: ${message}`),
    ...missing.map((digest) => `  not in it: ${digest}`),
  ];
  return { exit: ok && doubts.length === 0 ? 0 : 4, json: answer, text: lines.join('\n') };
}

function readRoot(file: string): Uint8Array {
  if (!existsSync(file)) throw new AuditorError('CONFIG_INVALID', `read --root ${file}: expected a root.json, got no file`, { file });
  return new Uint8Array(readFileSync(file));
}
