/** `sealane ledger fsck`. */
import path from 'node:path';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { ledgerAt } from '../store/place.js';
import { fsckLedger } from '../verify/fsck.js';

export const command: CommandSpec = {
  name: 'ledger fsck',
  summary: 'check a ledger by itself, and name every leaf whose envelope is gone',
  options: [{ flags: '--file <file>', description: 'an SQLite ledger, such as a copy (default: the ledger of the home)' }],
  example: 'sealane ledger fsck --home my-lane',
  run,
};

async function run({ options, io }: CommandCall): Promise<CommandResult> {
  const home = path.resolve(io.cwd, typeof options['home'] === 'string' ? options['home'] : '.');
  const place =
    typeof options['file'] === 'string'
      ? { file: path.resolve(io.cwd, options['file']) }
      : ledgerAt(path.join(home, 'ledger', 'ledger.sqlite'));
  const report = await fsckLedger(place);
  const lines = [
    report.ok
      ? `${report.origin}: ${report.size} entries, all of them there`
      : `${report.origin}: ${report.size} entries, not as they were`,
    ...report.gone.map(({ logIndex, digest }) => `  entry ${logIndex}: the envelope of ${digest} is gone`),
    ...report.problems.map(({ where, key, expected, actual }) => `  ${where} ${key}: expected ${expected}; got ${actual}`),
  ];
  return { exit: report.ok ? 0 : 4, json: { file: place.file, ...report }, text: lines.join('\n') };
}
