/** Reads pages of `docs/`: tables, code blocks, links. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/run.js';

/** The text of a page, by its path from the root of the repository. */
export function pageText(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

/** The rows of every table of a text, as trimmed cells; heads and rules left out. */
export function tableRows(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  const rows = lines.map((line) =>
    line
      .slice(1, line.lastIndexOf('|'))
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
  return rows.filter((cells, at) => !isRule(cells) && !isRule(rows[at + 1] ?? []));
}

/** The first code block below a heading. */
export function codeBelow(text: string, heading: string): string {
  const [, after] = text.split(`\n## ${heading}\n`);
  const [, code] = /```(?:json|yaml)\n([\s\S]*?)\n```/.exec(after ?? '') ?? [];
  if (code === undefined) throw new Error(`read a page: expected a code block below "${heading}"`);
  return code;
}

/** What a cell names between its first pair of backticks. */
export function named(cell: string | undefined): string {
  return /`([^`]+)`/.exec(cell ?? '')?.[1] ?? '';
}

function isRule(cells: readonly string[]): boolean {
  return cells.length > 0 && cells.every((cell) => /^:?-+:?$/.test(cell));
}
