/** `sealane audit evidence`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { evidenceState, type EvidenceState } from '../answers/evidence.js';
import { answerQuestion, argument, ASKED, given } from './question.js';
import { AuditorError, counted } from '@sealane/core';

export const auditEvidence: CommandSpec = {
  name: 'audit evidence',
  summary: 'which evidence of a release is missing from storage, has expired, or will',
  arguments: [{ name: 'release', description: 'sha256:… or NAME@VERSION' }],
  options: [{ flags: '--within <days>', description: 'how far ahead (default: 30)' }, ...ASKED],
  example: 'sealane audit evidence readings@1.0.0 --within 90 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await answerQuestion(
    call,
    (context, asked) => evidenceState(context, argument(call, 0), daysOf(given(call, 'within')), asked),
    lines,
  );
}

function lines({ name, version, by, present, missing, expired, expiring }: EvidenceState): readonly string[] {
  return [
    `${name}@${version}: ${counted(present, 'blob')} there, ${missing.length} missing`,
    ...missing.map(({ what, digest, erased }) =>
      erased === null ? `  missing: ${what} ${digest}` : `  erased in entry ${erased.logIndex}: ${what} ${digest}: ${erased.reason}`,
    ),
    ...expired.map(({ what, expiresAt }) => `  expired ${expiresAt}: ${what}`),
    ...expiring.map(({ what, expiresAt }) => `  expires ${expiresAt}, before ${by}: ${what}`),
  ];
}

/** Ten years: nothing that is signed here is meant to hold longer. */
const MAX_DAYS = 3660;

function daysOf(text = '30'): number {
  if (/^\d{1,4}$/.test(text) && Number(text) <= MAX_DAYS) return Number(text);
  throw new AuditorError('USAGE', `read --within: expected 0 to ${MAX_DAYS} days, got ${text.slice(0, 40)}`);
}
