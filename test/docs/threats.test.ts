/** `docs/threats.md` names tests that exist; what it does not name a test for, it says is open. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../support/run.js';
import { NAMED_REFUSALS } from './named-refusals.js';
import { named, pageText, tableRows } from './pages.js';

const FILE = 'docs/threats.md';
const section = (heading: string): readonly (readonly string[])[] =>
  tableRows(pageText(FILE).split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '');
const attackers = section('Who holds what');
const refusals = section('Named refusals');
const uptane = section('Uptane’s attacks');

/** Uptane Standard 2.1.0, § 4.2 and 4.3, and what the TUF specification 1.5.2 has beyond them. */
const UPTANE = [
  ...['eavesdrop', 'drop-request', 'slow retrieval', 'freeze', 'partial bundle', 'rollback', 'endless data', 'mixed bundles'],
  ...['mix-and-match', 'arbitrary software', 'fast-forward', 'wrong software', 'extraneous dependencies', 'key compromise'],
];

/** The tests that a cell names: `file`: “name”, “name”. */
function testsIn(cell = ''): readonly { readonly file: string; readonly name: string }[] {
  return cell.split('<br>').flatMap((part) => [...part.matchAll(/“([^”]+)”/g)].map(([, name = '']) => ({ file: named(part), name })));
}

const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const attacksOf = (file: string): string => file.replace(/\.test\.ts$/, '.attacks.ts');

/** A file of tests, with the attacks that it plays. */
function source(file: string): string {
  const attacks = attacksOf(file);
  return read(file) + (attacks !== file && existsSync(path.join(ROOT, attacks)) ? read(attacks) : '');
}

/** Attacks that are played on the installed service too. */
const INSTALLED = ['installed', 'installed-content', 'installed-medium'].map((name) => read(`test/attacks/${name}.test.ts`)).join('');
const isPlayedInstalled = (file: string): boolean => INSTALLED.includes(`'./${path.basename(attacksOf(file), '.ts')}.js'`);

describe('docs/threats.md', () => {
  const all = [...attackers.map((cells) => testsIn(cells[3])), ...[...refusals, ...uptane].map((cells) => testsIn(cells[2]))].flat();

  test('names many tests', () => {
    expect(all.length).toBeGreaterThan(60);
  });

  test.for([...new Map(all.map((each) => [`${each.file} ${each.name}`, each])).values()])(
    '$file has a test named “$name”',
    ({ file, name }) => {
      expect(existsSync(path.join(ROOT, file))).toBe(true);
      const quoted = [`'${name}'`, `"${name}"`, `\`${name}\``].filter(
        (text) => source(file).includes(`(${text}`) || source(file).includes(`, ${text}`),
      );
      expect(quoted).toHaveLength(1);
    },
  );

  test('has each of the 16 attackers once, and says what is open where no test is named', () => {
    expect(attackers.map(([id]) => id)).toEqual(Array.from({ length: 16 }, (_, at) => `T${at + 1}`));
    for (const [id, , , shown, open] of attackers) if (testsIn(shown).length === 0) expect(open, id).toMatch(/\w{4}/);
  });

  test('has each named refusal once, with a test in a file that asserts its code', () => {
    expect(refusals.map(([code]) => named(code)).sort()).toEqual([...NAMED_REFUSALS].sort());
    const without = refusals.filter((cells) => testsIn(cells[2]).length === 0).map(([code]) => named(code));
    expect(without).toEqual([]);
    for (const [code, , shown] of refusals) {
      for (const { file } of testsIn(shown)) expect(source(file), file).toContain(`'${named(code)}'`);
    }
  });

  test('has each attack of Uptane’s and TUF’s lists by its name', () => {
    expect(uptane.map(([name]) => name)).toEqual(UPTANE);
    for (const [name, , shown] of uptane) expect(testsIn(shown), name).not.toEqual([]);
  });

  test('says of each refusal and each of Uptane’s attacks whether it is tried on the installed service', () => {
    const [, elsewhere = ''] = /\nNot tried on the installed service: (.*)\n/.exec(pageText(FILE)) ?? [];
    const rows = [
      ...refusals.map((cells) => [named(cells[0]), cells[2]] as const),
      ...uptane.map((cells) => [cells[0], cells[2]] as const),
    ];
    const without = rows.filter(([, shown]) => !testsIn(shown).some(({ file }) => isPlayedInstalled(file))).map(([name]) => name);
    expect([...elsewhere.matchAll(/`([^`]+)`/g)].map(([, name]) => name)).toEqual(without);
  });

  test('names files beside the tables that exist', () => {
    const files = [...pageText(FILE).matchAll(/`((?:packages|test)\/[\w./-]+\.test\.ts)`/g)].map(([, file = '']) => file);
    expect(files.filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([]);
  });
});
