/** Tables for people with spreadsheets: RFC 4180, and no cell that a spreadsheet would take for a formula. */
import type { StatementRow } from './statement-rows.js';

const COLUMNS = ['entry', 'witnessed', 'type', 'says', 'signer', 'key', 'statement', 'subject', 'part'] as const;

/** What spreadsheets take for the beginning of a formula (OWASP, CSV injection); some also the same signs in the width of East Asian letters. */
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
/** The same behind what a spreadsheet of another language takes for the border of a cell: it splits at semicolons or tabs, and sees no quotes of ours. */
const FORMULA_WITHIN = /([;|\t\r\n]["' ]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])/g;

/** One line a statement. */
export function statementsCsv(rows: readonly StatementRow[]): string {
  const lines = rows.map(({ index, witnessedAt, predicateType, says, signer, key, digest, subjects, part }) => [
    String(index),
    witnessedAt,
    predicateType,
    says,
    signer,
    key?.id ?? '',
    digest,
    subjects.map((subject) => `sha256:${subject}`).join(' '),
    part,
  ]);
  return [[...COLUMNS], ...lines].map((line) => `${line.map(cell).join(',')}\r\n`).join('');
}

/** A cell: always quoted, and with an apostrophe before what would be a formula. */
export function cell(text: string): string {
  const within = text.replaceAll(FORMULA_WITHIN, "$1'");
  const safe = FORMULA.test(within) ? `'${within}` : within;
  return `"${safe.replaceAll('"', '""')}"`;
}
