/** Outputs of a step as GitHub reads them from `$GITHUB_OUTPUT`: one `name=value` a line. A service may have said the values: none of them ends its line. */
import { oneLine } from '@sealane/core';
import type { ReportedOutcome } from './outcome.js';

/** The lines to append. */
export function githubOutput({ release, to, decision, earliest, statement, logIndex, exit }: ReportedOutcome): string {
  const outputs = { release, stage: to, decision, earliest, statement, 'log-index': logIndex, exit };
  return Object.entries(outputs)
    .map(([name, value]) => `${name}=${value === null ? '' : oneLine(String(value))}\n`)
    .join('');
}
