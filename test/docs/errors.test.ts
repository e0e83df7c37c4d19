/** `docs/errors.md` is the error table of the code. After a change of it: `npx vitest run --project system test/docs/errors.test.ts -u`. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ERRORS, type ErrorCode, EXIT_CODES } from '@sealane/core';
import { format as pretty } from 'prettier';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../support/run.js';
import { NAMED_REFUSALS } from './named-refusals.js';
import { named, pageText, tableRows } from './pages.js';

const FILE = 'docs/errors.md';
const CODES = (Object.keys(ERRORS) as ErrorCode[]).sort();

const row = (...cells: readonly (string | number)[]): string =>
  `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
const table = (head: readonly string[], rows: readonly string[]): string =>
  [row(...head), row(...head.map(() => '---')), ...rows].join('\n');

function page(): string {
  const codes = CODES.map((code) => row(`\`${code}\``, ERRORS[code].exit, ERRORS[code].what, ERRORS[code].hint));
  return `# Errors

Generated from \`packages/core/src/error-table.ts\`; a test holds it to that table, and each code to a place in the code that says it.

A command that fails prints one line with what it was doing, what it expected and what it got, one line with the next step, and ends with the exit code. With \`--json\` the same is
\`{"error": {"code", "message", "hint"}}\`. The \`reason\` of \`sealane-site check\` and \`update\`, of receipts and of checks is one of these codes too. A check of a gate that does not pass decides the exit of \`plan\` and
\`promote\` by its verdict: fail or error is 3, pending is 5. What the gates say, sentence by sentence, is in [refusals.md](refusals.md).

## Exit codes

${table(
  ['exit', 'meaning'],
  Object.entries(EXIT_CODES).map(([exit, meaning]) => row(exit, meaning)),
)}

## Codes

${table(['code', 'exit', 'meaning', 'what to do'], codes)}
`;
}

describe('docs/errors.md', () => {
  test('is generated from the table', async () => {
    await expect(await pretty(page(), { parser: 'markdown' })).toMatchFileSnapshot(path.join(ROOT, FILE));
  });

  test('has as many codes as the table, each once, with its exit code', () => {
    const section = pageText(FILE).split('\n## Codes\n')[1]?.split('\n## ')[0] ?? '';
    const rows = tableRows(section).map(([code, exit]) => [named(code), Number(exit)]);
    expect(rows).toEqual(CODES.map((code) => [code, ERRORS[code].exit]));
  });

  test('has every refusal that the threat model names', () => {
    for (const code of NAMED_REFUSALS) expect(CODES).toContain(code);
  });
});

describe('the error table', () => {
  const sources = readdirSync(path.join(ROOT, 'packages'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\/src\/.*\.ts$/.test(file) && !/node_modules|\/testing\/|\.test\.ts$|error-table\.ts$/.test(file))
    .map((file) => readFileSync(path.join(ROOT, 'packages', file), 'utf8'));

  test.for(CODES.map((code) => ({ code })))('$code is said somewhere in the code', ({ code }) => {
    expect(sources.some((source) => source.includes(`'${code}'`))).toBe(true);
  });

  test('has a meaning and a next step for each code, in one line without a full stop', () => {
    for (const code of CODES) {
      const { what, hint } = ERRORS[code];
      for (const text of [what, hint]) expect(text, code).toMatch(/^\S.*[^.\s]$/);
    }
  });
});
