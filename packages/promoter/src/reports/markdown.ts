/** A decision as a table in Markdown, for the summary of a CI job. */
import { type Check, oneLine } from '@sealane/core';
import type { ReportedOutcome } from './outcome.js';

const MARKS: Readonly<Record<Check['verdict'], string>> = { pass: '✅ pass', fail: '❌ fail', pending: '⏳ pending', error: '💥 error' };

/** A section with the decision and one row a check. */
export function markdownReport(outcome: ReportedOutcome): string {
  const { release, to, decision, checks, earliest, statement, logIndex } = outcome;
  const rows = checks.map(({ id, verdict, expected, actual, remedy }) => {
    const cells = verdict === 'pass' ? [actual, ''] : [`expected ${expected}; got ${actual}`, remedy];
    return `| ${[MARKS[verdict], id, ...cells].map(cell).join(' | ')} |`;
  });
  const notes = [
    ...(earliest === null ? [] : [`Could pass at ${cell(earliest)}.`]),
    ...(statement === null ? [] : [`Decision \`${statement}\`, entry ${String(logIndex)} of the log.`]),
  ];
  return [
    `### Sealane: ${decision} to ${cell(to)}`,
    `Release \`${release}\``,
    ['| verdict | gate | what | next |', '| --- | --- | --- | --- |', ...rows].join('\n'),
    ...notes,
    '',
  ].join('\n\n');
}

/** Text of a cell: it comes from reports and inventories, and must neither end the cell nor be read as markup. */
function cell(text: string): string {
  return oneLine(text)
    .replace(/[\\`*_[\]<>|~]/g, (character) => (character === '<' ? '&lt;' : character === '>' ? '&gt;' : `\\${character}`))
    .replace(/\s+/g, ' ');
}
