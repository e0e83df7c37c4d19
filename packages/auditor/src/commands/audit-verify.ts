/** `sealane audit verify`. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { AuditorError, counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { verifyAll, type VerifyAnswer } from '../answers/verify.js';
import { withAudit } from '../open-audit-shell.js';

export const auditVerify: CommandSpec = {
  name: 'audit verify',
  summary: 'recompute the whole ledger and hold it against its checkpoints, the lane, and what was kept elsewhere',
  options: [
    { flags: '--checkpoint <file>', description: 'an older checkpoint that the ledger must extend' },
    {
      flags: '--seen <file>',
      description: 'approvals or receipts that quote a checkpoint which it must extend, or a root that a site has; may be repeated',
      repeat: true,
    },
  ],
  example: 'sealane audit verify --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const { checkpoint } = call.options;
  const read = (file: string): Buffer => readKept(path.resolve(call.io.cwd, file));
  const files = Array.isArray(call.options['seen']) ? call.options['seen'].filter((file) => typeof file === 'string') : [];
  const kept = {
    ...(typeof checkpoint === 'string' ? { checkpoint: read(checkpoint).toString('utf8') } : {}),
    seen: files.map((file) => ({ file, bytes: new Uint8Array(read(file)) })),
  };
  const answer = await withAudit(call, (context, lane) => verifyAll(context, kept, lane));
  const { ok, problems, unseen } = answer.answer;
  const lines = problems.map(({ where, key, expected, actual }) => `  ${where} ${key}: expected ${expected}; got ${actual}`);
  const missed = unseen === undefined ? [] : [`  not seen: what ${counted(unseen.entries, 'entry says', 'entries say')}: ${unseen.why}`];
  const verdict = problems.length > 0 ? wrongIn(problems) : 'the ledger is what it was, as far as it was seen';
  return {
    // what is wrong comes before what was not seen
    exit: ok ? 0 : problems.length > 0 ? 4 : 6,
    json: answer,
    text: [ok ? 'the ledger is what it was' : verdict, ...lines, ...missed].join('\n'),
  };
}

/** Roots beside the log change nothing in it, nor do channels and content. */
function wrongIn(problems: VerifyAnswer['problems']): string {
  if (problems.every(({ where }) => where === 'root'))
    return `the ledger is what it was, and roots are not as it has them: ${counted(problems.length, 'problem')}`;
  if (problems.every(({ where }) => ['root', 'trust', 'content'].includes(where)))
    return `the ledger is what it was, and the lane beside it is not: ${counted(problems.length, 'problem')}`;
  return `the ledger was changed: ${counted(problems.length, 'problem')}`;
}

function readKept(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    const [got, hint] =
      why === 'ENOENT' ? ['nothing', 'check the path: nothing is there'] : [why, 'name a file that this account can read'];
    throw new AuditorError('CONFIG_INVALID', `read what was kept in ${file}: expected a file, got ${got}`, { file }, { cause, hint });
  }
}
