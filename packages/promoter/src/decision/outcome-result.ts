/** The answer of `plan` and `promote`, for programs and for people. */
import { ERRORS } from '@sealane/core';
import type { CommandResult } from '@sealane/core/command-line';
import { checksText } from '../command-parts.js';
import { exitOf, type Outcome } from './promote.js';

/** An outcome as a command's result: exit code, JSON of the contract, lines, and the next step after a refusal. */
export function outcomeResult(outcome: Outcome): CommandResult {
  const { exit, code } = exitOf(outcome);
  const { release, to, decision, checks, earliest, statement, logIndex } = outcome;
  const waits = decision === 'passed' && exit === 5 ? ', waiting for the witness quorum: run the command again' : '';
  const open = checks.find(({ verdict }) => verdict !== 'pass');
  const text = `${decision}: ${release} to ${to}${waits}${earliest === null ? '' : `, could pass at ${earliest}`}\n${checksText(checks)}`;
  const hint = open?.remedy !== undefined && open.remedy !== '' ? open.remedy : code === null ? undefined : ERRORS[code].hint;
  return { exit, json: { release, to, decision, checks, earliest, statement, logIndex }, text, ...(hint === undefined ? {} : { hint }) };
}
