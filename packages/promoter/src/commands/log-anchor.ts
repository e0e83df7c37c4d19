/** `sealane log anchor`. */
import path from 'node:path';
import { counted, PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { anchorLog } from '../carry/anchor.js';
import { listOption, optionalText, textArgument, textOption, withLockedPromoter } from '../promoter.js';

export const command: CommandSpec = {
  name: 'log anchor',
  summary: 'verify what the log of another lane says of a release, and tie it to this log',
  arguments: [{ name: 'dir', description: 'the folder that evidence export wrote there' }],
  options: [
    { flags: '--log <vkey>', description: "the other log's verifier key: HOME/log.vkey there", required: true },
    { flags: '--witness <vkey>', description: 'verifier key of a witness of that log; may be repeated', repeat: true },
    { flags: '--new-keys', description: 'its owners have replaced the key of the log or a witness since it was anchored last' },
    { flags: '--quorum <n>', description: 'how many of them must have cosigned (default: all)' },
  ],
  example: 'sealane log anchor carried --log "$(cat other-log.vkey)" --witness "$(cat other-witness.vkey)" --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const folder = path.resolve(call.io.cwd, textArgument(call, 0, 'DIR'));
  const witnesses = listOption(call, 'witness');
  if (witnesses.length === 0) throw new PromoterError('USAGE', 'read --witness: expected at least one verifier key, got none');
  const quorum = parseQuorum(optionalText(call, 'quorum') ?? String(witnesses.length), witnesses.length);
  return await withLockedPromoter(call, async (promoter) => {
    const other = { log: textOption(call, 'log'), witnesses, quorum };
    const anchored = await anchorLog(promoter, folder, other, call.options['newKeys'] === true ? 'new' : 'as before');
    const { origin, size, release, statements } = anchored;
    const text = `${origin} at ${counted(size, 'entry')}: ${counted(anchored.anchored, 'statement')} about ${release}, entry ${String(statements[0]?.logIndex)}`;
    return { exit: 0, json: anchored, text };
  });
}

function parseQuorum(text: string, most: number): number {
  const quorum = /^[1-9]\d{0,2}$/.test(text) ? Number(text) : NaN;
  if (quorum <= most) return quorum;
  throw new PromoterError('USAGE', `read --quorum: expected 1 to ${most}, the witnesses that are named, got ${JSON.stringify(text)}`);
}
