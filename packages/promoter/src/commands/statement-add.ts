/** `sealane statement add`. */
import path from 'node:path';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { statementsResult } from '../command-parts.js';
import { readNamed } from '../disk-shell.js';
import { addStatements } from '../log/statement-add.js';
import type { LoggedStatement } from '../log/log-statements.js';
import { withLockedPromoter } from '../promoter.js';

export const command: CommandSpec = {
  name: 'statement add',
  summary: 'log approvals, evidence and receipts that came by hand',
  arguments: [{ name: '<file...>', description: 'files with one bundle or an array of bundles' }],
  example: 'sealane statement add approval.json --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const [files] = call.args;
  return await withLockedPromoter(call, async (promoter) => {
    const logged: LoggedStatement[] = [];
    for (const file of Array.isArray(files) ? (files as readonly string[]) : []) {
      logged.push(...(await addStatements(promoter, readNamed(path.resolve(call.io.cwd, file), 'statement'), file)));
    }
    return statementsResult(logged);
  });
}
