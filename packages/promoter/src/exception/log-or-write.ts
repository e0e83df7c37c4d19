/** A statement that a person signed: into the log, or with `--out` into a file for `statement add`. */
import path from 'node:path';
import { type Envelope, type Signer, statementDigestOf } from '@sealane/core';
import type { CommandCall } from '@sealane/core/command-line';
import { encodeBundle } from '@sealane/trust';
import { durableWrite, PUBLIC_FILE } from '../disk-shell.js';
import { type LoggedStatement, logEnvelope, statementOf, tryWitness } from '../log/log-statements.js';
import { optionalText, type Promoter } from '../promoter.js';

/** Logs the envelope, or writes its bundle; the answer's line. */
export async function logOrWrite(call: CommandCall, promoter: Promoter, envelope: Envelope, { spki }: Signer): Promise<LoggedStatement> {
  const { predicateType } = statementOf({ envelope });
  const out = optionalText(call, 'out');
  if (out !== undefined) {
    durableWrite(path.resolve(call.io.cwd, out), `${JSON.stringify(encodeBundle({ envelope, spki }))}\n`, PUBLIC_FILE);
    return { predicateType, digest: statementDigestOf(envelope), logIndex: null };
  }
  const { index, statementDigest } = await logEnvelope(promoter.ledger, envelope, spki);
  await tryWitness(promoter);
  return { predicateType, digest: statementDigest, logIndex: index };
}
