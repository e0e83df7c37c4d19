/** `sealane restore`. */
import path from 'node:path';
import { counted, parseDigest, shellWord } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { restoreBackup, type RestoredHome } from '../backup/restore.js';
import { optionalText, textArgument, textOption } from '../promoter.js';

export const command: CommandSpec = {
  name: 'restore',
  summary: 'lay a backup down on an empty machine and verify it; with --lane, say whether the published lane is ahead of it',
  arguments: [{ name: 'file', description: 'a file that sealane backup wrote' }],
  options: [
    {
      flags: '--digest <digest>',
      description: 'what sealane backup said of the file, kept apart: another file is refused before anything in it is acted on',
    },
  ],
  example: 'sealane restore backup.tar --home my-restored-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const { io } = call;
  const published = optionalText(call, 'lane');
  const digest = optionalText(call, 'digest');
  const restored = await restoreBackup({
    file: path.resolve(io.cwd, textArgument(call, 0, 'FILE')),
    folder: path.resolve(io.cwd, textOption(call, 'home')),
    ...(digest === undefined ? {} : { digest: parseDigest(digest) }),
    ...(published === undefined ? {} : { published: path.resolve(io.cwd, published) }),
    signal: io.signal,
    uptimeMs: () => performance.now(),
  });
  return { exit: 0, json: restored, text: textOf(restored), hint: hintOf(restored) };
}

function textOf({ home, origin, size, madeAt, files, bytes, ledgerFrom, leftOut, tookMs, unseen }: RestoredHome): string {
  return [
    `restored ${origin} with ${counted(size, 'entry')}, as of ${madeAt}, into ${home}`,
    `  ${counted(files, 'file')}, ${counted(bytes, 'byte')}: unpacked in ${tookMs.unpack} ms, ledger verified in ${tookMs.verify} ms`,
    ...(ledgerFrom === 'sqlite' ? [] : ['  the ledger was in PostgreSQL: here it is in SQLite, ledger/ledger.sqlite']),
    ...(unseen === null
      ? []
      : [`  not seen: what ${counted(unseen.entries, 'archived entry says', 'archived entries say')}: ${unseen.why}`]),
    ...leftOut.map((name) => `  not in the backup, put it back by hand: ${name}`),
  ].join('\n');
}

/** An older ledger signs nothing once it has seen what was published; before it has, somebody must show it. */
function hintOf({ home, size, published }: RestoredHome): string {
  if (published === null)
    return `before it signs: fetch the newest checkpoint from the published lane, a site or a witness, and run: sealane audit verify --checkpoint FILE --home ${shellWord(home)}`;
  if (published.isAhead)
    return `the published lane has ${counted(published.size, 'entry')}, this ledger ${size}: it will refuse to log there (LOG_RESTORED); restore a newer backup, or start a new origin through policy`;
  if (published.isNewer)
    return `the log published there is not ahead, but was signed anew since: sites have seen version ${published.version} and take no lower one; if it is the same log (sealane audit verify --home ${shellWord(home)}), run: sealane publish --above ${published.version} --home ${shellWord(home)}`;
  return `the published lane is not ahead; check that it is the same log: sealane audit verify --home ${shellWord(home)}, then ask the witness: sealane publish --home ${shellWord(home)}`;
}
