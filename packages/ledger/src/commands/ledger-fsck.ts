/** `sealane ledger fsck`. */
import path from 'node:path';
import { base64, counted, refuseService } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { archivePlaces } from '../archive/archive-file.js';
import { ledgerAt, type LedgerPlace } from '../store/place.js';
import { fsckLedger, type FsckReport } from '../verify/fsck.js';
import { checkHashes, type HashReport } from '../verify/hashes.js';
import type { LedgerProblem } from '../verify/report.js';

export const command: CommandSpec = {
  name: 'ledger fsck',
  summary: 'check a ledger by itself, and name every leaf whose envelope is gone',
  options: [
    { flags: '--file <file>', description: 'an SQLite ledger, such as a copy (default: the ledger of the home)' },
    { flags: '--hashes', description: 'hash every leaf, tile and signed root only: no signature of a statement, no envelope, no index' },
  ],
  example: 'sealane ledger fsck --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const { options, io } = call;
  if (typeof options['file'] !== 'string') refuseService(call);
  const home = path.resolve(io.cwd, typeof options['home'] === 'string' ? options['home'] : '.');
  const place =
    typeof options['file'] === 'string'
      ? copyAt(path.resolve(io.cwd, options['file']))
      : ledgerAt(path.join(home, 'ledger', 'ledger.sqlite'));
  if (options['hashes'] === true) return hashed(place, await checkHashes(place));
  const report = await fsckLedger(place);
  const lines = [
    report.ok
      ? `${report.origin}: ${counted(report.size, 'entry')}, all of them there`
      : `${report.origin}: ${counted(report.size, 'entry')}, ${report.problems.length + report.gone.length > 0 ? 'not as they were' : 'not all of them seen'}`,
    ...(report.archived === 0 ? [] : [`  ${counted(report.archived, 'entry is', 'entries are')} in the archive`]),
    ...(report.unseen === null
      ? []
      : [`  not seen: what ${counted(report.unseen.entries, 'entry says', 'entries say')}: ${report.unseen.why}`]),
    ...report.erased.map(({ logIndex, digest, erasure }) => `  entry ${logIndex}: ${digest} was erased by entry ${erasure}`),
    ...report.gone.map(({ logIndex, digest }) => `  entry ${logIndex}: the envelope of ${digest} is gone`),
    ...report.problems.map(problemLine),
  ];
  return { exit: exitOf(report), json: { file: place.file, ...report }, text: lines.join('\n') };
}

/** A copy lies in a file, wherever it was made; its archive is named beside it. */
function copyAt(file: string): LedgerPlace {
  const archive = archivePlaces(file);
  return archive.length === 0 ? { file } : { file, archive };
}

/** What is wrong comes before what was not seen. */
function exitOf({ ok, problems, gone }: FsckReport): 0 | 4 | 6 {
  if (ok) return 0;
  return problems.length > 0 || gone.length > 0 ? 4 : 6;
}

function hashed({ file }: LedgerPlace, { ok, origin, size, root, problems, complete }: HashReport): CommandResult {
  const lines = [
    ok
      ? `${origin}: ${counted(size, 'leaf', 'leaves')}, as the log signed them`
      : `${origin}: ${counted(size, 'leaf', 'leaves')}, not as the log signed them`,
    ...problems.map(problemLine),
  ];
  return { exit: ok ? 0 : 4, json: { file, ok, origin, size, root: base64(root), problems, complete }, text: lines.join('\n') };
}

function problemLine({ where, key, expected, actual }: LedgerProblem): string {
  return `  ${where} ${key}: expected ${expected}; got ${actual}`;
}
