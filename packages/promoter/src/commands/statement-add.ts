/** `sealane statement add`. */
import path from 'node:path';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { serviceAddress } from '../client/service-address.js';
import { statementsResult } from '../command-parts.js';
import { readNamed } from '../disk-shell.js';
import { addBrought, readStatements } from '../log/statement-add.js';
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
  const [given] = call.args;
  const names = Array.isArray(given) ? (given as readonly string[]) : [];
  const files = names.map((name) => ({ name, bytes: readNamed(path.resolve(call.io.cwd, name), 'statement') }));
  const server = serviceAddress(call);
  if (server !== undefined)
    return await (
      await import('../client/remote-evidence.js')
    ).statementAddAt(
      call,
      server,
      files.map(({ bytes }) => bytes),
    );
  // taken apart before the lock is taken: others wait for it
  const documents = files.map(({ name, bytes }) => ({ name, brought: readStatements(bytes, name) }));
  return await withLockedPromoter(call, async (promoter) => {
    const logged: LoggedStatement[] = [];
    for (const { name, brought } of documents) logged.push(...(await addBrought(promoter, brought, name)));
    return statementsResult(logged);
  });
}
