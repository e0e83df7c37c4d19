/** A statement that a person signed: into the log, or with `--out` into a file for `statement add`. */
import path from 'node:path';
import { type Signed, statementDigestOf } from '@sealane/core';
import type { CommandCall } from '@sealane/core/command-line';
import { encodeBundle } from '@sealane/trust';
import { writeOutput } from '../disk-shell.js';
import { type LoggedStatement, logEnvelope, statementOf, tryWitness } from '../log/log-statements.js';
import { optionalText, type Promoter } from '../promoter.js';

/** Logs the statement, or writes its bundle; the answer's line. */
export async function logOrWrite(call: CommandCall, promoter: Promoter, signed: Signed): Promise<LoggedStatement> {
  const { predicateType } = statementOf(signed);
  const out = optionalText(call, 'out');
  if (out !== undefined) {
    writeOutput(path.resolve(call.io.cwd, out), `${JSON.stringify(encodeBundle(signed))}\n`);
    return { predicateType, digest: statementDigestOf(signed.envelope), logIndex: null };
  }
  const { index, statementDigest } = await logEnvelope(promoter.ledger, signed);
  await tryWitness(promoter);
  return { predicateType, digest: statementDigest, logIndex: index };
}
