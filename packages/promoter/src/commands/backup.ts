/** `sealane backup`. */
import path from 'node:path';
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { withStillHome } from '../backup/still-home.js';
import { writeBackup } from '../backup/write-backup.js';
import { nowText } from '../clock.js';
import { textOption } from '../promoter.js';

export const command: CommandSpec = {
  name: 'backup',
  summary: 'write ledger, lane, pipeline and sealed keys to one file, while the promoter runs',
  options: [
    { flags: '--out <file>', description: 'the file to write; there must be none', required: true },
    { flags: '--without-keys', description: 'leave out every private key' },
  ],
  example: 'sealane backup --out backup.tar --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const written = await writeBackup({
    out: path.resolve(call.io.cwd, textOption(call, 'out')),
    keys: call.options['withoutKeys'] === true ? 'no-keys' : 'sealed-keys',
    now: nowText,
    signal: call.io.signal,
    standStill: (work) => withStillHome(call, work),
  });
  const { out, origin, size, files, bytes, digest, leftOut, unseen } = written;
  const lines = [
    `backed up ${origin} with ${counted(size, 'entry')}: ${counted(files, 'file')}, ${counted(bytes, 'byte')} in ${out}`,
    `its digest, to be kept apart: ${digest}`,
    ...(unseen === null
      ? []
      : [`  not seen: what ${counted(unseen.entries, 'archived entry says', 'archived entries say')}: ${unseen.why}`]),
    ...leftOut.map((name) => `  left out: ${name}`),
  ];
  return { exit: 0, json: written, text: lines.join('\n') };
}
