/** A statement that a person signed: into the log, or with `--out` into a file for `statement add`. */
import path from 'node:path';
import { type Signed, statementDigestOf } from '@sealane/core';
import type { CommandCall, CommandResult } from '@sealane/core/command-line';
import { encodeBundle } from '@sealane/trust';
import { statementsResult } from '../command-parts.js';
import { writeOutput } from '../disk-shell.js';
import { type LoggedStatement, logEnvelope, statementOf, tryWitness } from '../log/log-statements.js';
import { optionalText, type Promoter, withLockedPromoter, withPromoter } from '../promoter.js';

/**
 * Has a person sign, and logs that or writes its bundle. Nobody who publishes waits for a token that has to be touched: the lock is held before and after. Before, since what is
 * carried is never held against what is published here.
 *
 * @throws as `sign`
 */
export async function signedByPerson(call: CommandCall, sign: (promoter: Promoter) => Promise<Signed>): Promise<CommandResult> {
  const out = optionalText(call, 'out');
  if (out !== undefined) await withLockedPromoter(call, () => Promise.resolve());
  const signed = await withPromoter(call, sign);
  if (out !== undefined) return statementsResult([written(path.resolve(call.io.cwd, out), signed)]);
  return await withLockedPromoter(call, async (promoter) => statementsResult([await logged(promoter, signed)]));
}

function written(file: string, signed: Signed): LoggedStatement {
  writeOutput(file, `${JSON.stringify(encodeBundle(signed))}\n`);
  return { predicateType: statementOf(signed).predicateType, digest: statementDigestOf(signed.envelope), logIndex: null };
}

async function logged(promoter: Promoter, signed: Signed): Promise<LoggedStatement> {
  const { index, statementDigest } = await logEnvelope(promoter.ledger, signed);
  await tryWitness(promoter);
  return { predicateType: statementOf(signed).predicateType, digest: statementDigest, logIndex: index };
}
