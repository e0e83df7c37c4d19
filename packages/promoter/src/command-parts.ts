/** What commands share: common options, and how checks and statements read on a terminal. */
import type { Check } from '@sealane/core';
import type { CommandResult, OptionSpec } from '@sealane/core/command-line';
import type { LoggedStatement } from './log/log-statements.js';

/** The stage that a command is about. */
export const TO_STAGE: OptionSpec = { flags: '--to <stage>', description: 'the stage to go to', required: true };
/** The group that a command is about. */
export const GROUP: OptionSpec = { flags: '--group <group>', description: 'one group of the stage only (default: all)' };
/** Who signs. */
export const KEY: OptionSpec = {
  flags: '--key <keyref>',
  description: 'who signs: the name of a key, file:PATH, env:NAME, pkcs11:URI, exec:CMD or oidc',
  required: true,
};
/** Instead of logging. */
export const OUT: OptionSpec = { flags: '--out <file>', description: 'write the signed statement to a file instead of logging it' };
/** Why. */
export const REASON: OptionSpec = { flags: '--reason <text>', description: 'why, for everybody who asks later', required: true };

/** Why, where nobody is kept from acting for want of a word. */
export const OPTIONAL_REASON: OptionSpec = {
  flags: '--reason <text>',
  description: 'why, for everybody who asks later (default: none given)',
};
/** The reason of an order that named none. */
export const NO_REASON = 'none given';

/** What a check says to people. */
export type SaidCheck = Pick<Check, 'id' | 'verdict' | 'expected' | 'actual' | 'remedy'>;

/** Checks as lines for people: verdict, id, and for all but passes what was expected, what was found, what to do. */
export function checksText(checks: readonly SaidCheck[]): string {
  return checks
    .map(({ id, verdict, expected, actual, remedy }) =>
      verdict === 'pass'
        ? `  pass     ${id}: ${actual}`
        : `  ${verdict.padEnd(8)} ${id}: expected ${expected}; got ${actual}${remedy === '' ? '' : `\n           do: ${remedy}`}`,
    )
    .join('\n');
}

/** The answer of commands that log statements. */
export function statementsResult(statements: readonly LoggedStatement[]): CommandResult {
  const text = statements
    .map(({ predicateType, digest, logIndex }) => `${digest}  ${logIndex === null ? 'not logged' : `entry ${logIndex}`}  ${predicateType}`)
    .join('\n');
  return { exit: 0, json: { statements }, text };
}
