/** The answer of `plan` and `promote`, for programs and for people. */
import { type ErrorCode, ERRORS } from '@sealane/core';
import type { CommandResult } from '@sealane/core/command-line';
import { checksText, type SaidCheck } from '../command-parts.js';
import type { Missing } from './missing.js';
import { exitOf, type Outcome } from './plan.js';

/** What a service answers, and every outcome has. */
interface Told extends Pick<Outcome, 'to' | 'decision' | 'earliest' | 'logIndex'> {
  readonly release: string;
  readonly checks: readonly SaidCheck[];
  readonly statement: string | null;
}

/** Who could supply what a check misses, and when it could pass. */
type SaidMissing = Pick<Missing, 'check' | 'earliest'> & { readonly who: readonly { readonly kind: string; readonly name: string }[] };

/** The answer of `plan`: what `promote` would answer, and for each check that does not pass who could supply what is missing. */
export function planResult(outcome: Outcome, missing: readonly Missing[]): CommandResult {
  return withMissing(outcomeResult(outcome), missing);
}

/** A result with what is missing. */
export function withMissing(result: CommandResult, missing: readonly SaidMissing[]): CommandResult {
  const lines = missing.map(({ check, who, earliest }) => {
    const names = who.map(({ kind, name }) => `${kind} ${name}`).join(', ') || (earliest === null ? 'nobody' : `time, until ${earliest}`);
    return `  ${check}: ${names}`;
  });
  const text = lines.length === 0 ? result.text : `${result.text}\nwho could supply what is missing:\n${lines.join('\n')}`;
  return { ...result, json: { ...result.json, missing }, text };
}

/** An outcome as a command's result: exit code, JSON of the contract, lines, and the next step after a refusal. */
export function outcomeResult(outcome: Outcome): CommandResult {
  const { exit, code } = exitOf(outcome);
  return toldResult(outcome, exit, code);
}

/** As `outcomeResult`, for an outcome whose exit code somebody else has found. */
export function toldResult(outcome: Told, exit: CommandResult['exit'], code: ErrorCode | null): CommandResult {
  const { release, to, decision, checks, earliest, statement, logIndex } = outcome;
  const waits = decision === 'passed' && exit === 5 ? ', waiting for the witness quorum: run the command again' : '';
  // what refuses is mended before what waits: no waiting helps against it
  const open =
    checks.find(({ verdict }) => verdict === 'fail' || verdict === 'error') ?? checks.find(({ verdict }) => verdict === 'pending');
  const when = earliest === null ? '' : decision === 'refused' ? `, not before ${earliest}` : `, could pass at ${earliest}`;
  const text = `${decision}: ${release} to ${to}${waits}${when}\n${checksText(checks)}`;
  const hint = open?.remedy !== undefined && open.remedy !== '' ? open.remedy : code === null ? undefined : ERRORS[code].hint;
  return { exit, json: { release, to, decision, checks, earliest, statement, logIndex }, text, ...(hint === undefined ? {} : { hint }) };
}
