/** Results of `check`, `update` and `rollback` for people: one line, then what did not pass. */
import { type Check, ERRORS } from '@sealane/core';
import type { CommandResult } from '@sealane/core/command-line';
import { exitOf, type SiteResult } from '../apply/outcome.js';

/** The command's answer; the hint is the next step of the first check that did not pass. */
export function answerOf(result: SiteResult): CommandResult {
  const failed = result.checks.filter(({ verdict }) => verdict !== 'pass');
  const lines = [headline(result), ...failed.map(line)];
  const remedy = failed[0]?.remedy ?? '';
  const hint = remedy === '' && result.reason !== null ? ERRORS[result.reason].hint : remedy;
  return { exit: exitOf(result), json: result, text: lines.join('\n'), ...(hint === '' ? {} : { hint }) };
}

function headline({ site, outcome, release, reason, checks }: SiteResult): string {
  const passed = checks.filter(({ verdict }) => verdict === 'pass').length;
  const why = reason === null ? '' : ` (${reason})`;
  return `${site}: ${outcome}${why}${release === null ? '' : ` ${release}`}, ${passed} of ${checks.length} checks passed`;
}

function line({ id, verdict, expected, actual }: Check): string {
  return `  ${verdict} ${id}: expected ${expected}; got ${actual}`;
}
