/** `docs/requirements.md` maps rows to the tests that show them. After a change: `npx vitest run --project system test/docs/requirements.test.ts -u`. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { format as pretty } from 'prettier';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../support/run.js';
import { REQUIREMENT_PARTS, type RequirementRow } from './requirement-rows.js';

const FILE = 'docs/requirements.md';
const ROW_TEST = /\b(?:test|it|describe)(?:\.[\w.]+)?\(\s*(['"`])(((?:[ABD]\d{1,2} )+).+?)\1/g;

/** Attacks are played by the test of the same name, or by the one that imports them. */
const ATTACKS = '.attacks.ts';

const ROWS = REQUIREMENT_PARTS.flatMap(({ rows }) => rows);

interface RowTest {
  readonly row: string;
  readonly name: string;
  readonly file: string;
}

const FILES = readdirSync(path.join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
  .map((file) => `test/${file}`)
  .filter((file) => file.endsWith('.test.ts') || file.endsWith(ATTACKS))
  .sort();

const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

const ROW_TESTS: readonly RowTest[] = FILES.flatMap((file) =>
  [...read(file).matchAll(ROW_TEST)].flatMap(([, , name = '', rows = '']) =>
    rows
      .trim()
      .split(' ')
      .map((row) => ({ row, name, file: ranBy(file) })),
  ),
);

function ranBy(file: string): string {
  if (!file.endsWith(ATTACKS)) return file;
  const tests = FILES.filter((test) => test.endsWith('.test.ts'));
  const importing = tests.find((test) => read(test).includes(`'./${path.basename(file, '.ts')}.js'`));
  return tests.find((test) => test === file.replace(ATTACKS, '.test.ts')) ?? importing ?? `${file}, which nothing plays`;
}

function section([id, capability, open]: RequirementRow): string {
  const shown = ROW_TESTS.filter(({ row }) => row === id).map(({ file, name }) => `- \`${file}\`: “${name}”`);
  return [`### ${id} ${capability}`, shown.join('\n'), open === '' ? '' : `Open: ${open}.`].filter((part) => part !== '').join('\n\n');
}

function page(): string {
  return `# Requirements

Each row, the tests that show it through the real commands, and what is open. Generated from \`test/docs/requirement-rows.ts\` and from the names of tests, which begin with their rows; \`.ci/run\` fails when a
file named here did not run.

${REQUIREMENT_PARTS.map(({ title, rows }) => `## ${title}\n\n${rows.map(section).join('\n\n')}`).join('\n\n')}
`;
}

describe(FILE, () => {
  test('is what rows and tests say', async () => {
    const options = { parser: 'markdown', printWidth: 200, proseWrap: 'preserve' } as const;
    await expect(await pretty(page(), options)).toMatchFileSnapshot(path.join(ROOT, FILE));
  });

  test('has rows A1 to A24, B1 to B22 and D1 to D9, each once', () => {
    const all = Object.entries({ A: 24, B: 22, D: 9 }).flatMap(([part, last]) =>
      Array.from({ length: last }, (_, at) => `${part}${at + 1}`),
    );
    expect(ROWS.map(([id]) => id)).toEqual(all);
  });

  test.for(ROWS.map(([id, , open]) => ({ id, open })))('$id has a test, or says what is open', ({ id, open }) => {
    if (!ROW_TESTS.some(({ row }) => row === id)) expect(open).toMatch(/\w{4}/);
  });

  test('each file that it names is one that runs', () => {
    expect(ROW_TESTS.filter(({ file }) => !FILES.includes(file))).toEqual([]);
  });

  test('no test names a row that does not exist', () => {
    const ids = new Set(ROWS.map(([id]) => id));
    expect(ROW_TESTS.filter(({ row }) => !ids.has(row))).toEqual([]);
  });
});
