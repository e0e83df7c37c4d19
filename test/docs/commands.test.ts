/** Every command that docs and hints of errors name is one that the programs have, with options that it takes. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ERRORS } from '@sealane/core';
import type { CommandSpec, Program } from '@sealane/core/command-line';
import { beforeAll, describe, expect, test } from 'vitest';
import { PROGRAM } from '../../packages/promoter/src/program.js';
import { program as SITE } from '../../packages/site/src/program.js';
import { ROOT } from '../support/run.js';
import { pageText } from './pages.js';

const PROGRAMS: Readonly<Record<string, Program>> = { sealane: PROGRAM, 'sealane-site': SITE };
const docs = readdirSync(path.join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.md'));
const PAGES = ['README.md', 'NEWS.md', ...docs.map((file) => path.join('docs', file))];
const SOURCES = readdirSync(path.join(ROOT, 'packages'), { recursive: true, encoding: 'utf8' }).filter((file) =>
  /^\w+\/src\/.*(?<!\.test)\.ts$/.test(file),
);
/** Options that every command takes. */
const EVERYWHERE = ['--json', '--help', '--version'];

/** A command as text names it: `sealane trust propose --renew`. */
interface Mention {
  readonly text: string;
  readonly program: string;
  readonly words: readonly string[];
}

const specs = new Map<string, CommandSpec>();
beforeAll(async () => {
  for (const [name, { commands }] of Object.entries(PROGRAMS)) {
    for (const [command, { load }] of Object.entries(commands)) specs.set(`${name} ${command}`, (await load()).command);
  }
});

describe('commands named in', () => {
  test.for(PAGES.map((file) => ({ file })))('$file', ({ file }) => {
    expect(mentionsIn(spansOf(pageText(file))).flatMap(problemOf)).toEqual([]);
  });

  test('hints of errors', () => {
    const hints = Object.values(ERRORS).flatMap(({ hint }) => hint.split(/; |, then: /));
    expect(mentionsIn(hints).length).toBeGreaterThan(30);
    expect(mentionsIn(hints).flatMap(problemOf)).toEqual([]);
  });

  test('hints and remedies in the sources', () => {
    const texts = SOURCES.flatMap((file) => adviceIn(readFileSync(path.join(ROOT, 'packages', file), 'utf8')));
    expect(mentionsIn(texts).length).toBeGreaterThan(30);
    expect(mentionsIn(texts).flatMap(problemOf)).toEqual([]);
  });

  test('an invented command and an invented option are found', () => {
    expect(mentionsIn(['sealane trust invent', 'sealane plan RELEASE --to STAGE --loudly']).flatMap(problemOf)).toHaveLength(2);
  });
});

/** Texts of a source after which people act: what stands in quotes behind `hint`, `remedy` or a colon before a command, up to where a value is put in. */
function adviceIn(source: string): readonly string[] {
  return [...source.matchAll(/(['`])((?:(?!\1)[^\n\\])*?: sealane(?:-site)? (?:(?!\1)[^\n\\])*)\1/g)].flatMap(([, , text = '']) =>
    text.split(/; |, then: |\$\{/),
  );
}

/** What stands in backticks, and the lines of code blocks. */
function spansOf(text: string): readonly string[] {
  const blocks = [...text.matchAll(/```[a-z]*\n([\s\S]*?)```/g)].flatMap(([, code = '']) => code.split('\n'));
  const inline = [...text.replace(/```[\s\S]*?```/g, '').matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  return [...blocks, ...inline];
}

function mentionsIn(texts: readonly string[]): readonly Mention[] {
  return texts.flatMap((text) =>
    [...text.matchAll(/(?<![\w/@.-])(sealane(?:-site)?)((?: (?:--?)?[A-Za-z][\w:.=-]*| \/?[\w./-]+)+)/g)].map(
      ([whole, program = '', rest = '']) => ({
        text: whole,
        program,
        words: rest.trim().split(' '),
      }),
    ),
  );
}

/** Why a mention is no command of ours; nothing when it is one. */
function problemOf({ text, program, words }: Mention): readonly string[] {
  const name = [2, 1].map((count) => `${program} ${words.slice(0, count).join(' ')}`).find((each) => specs.has(each));
  const spec = name === undefined ? undefined : specs.get(name);
  if (spec === undefined) return isProse(words) ? [] : [`${text}: no such command`];
  const globals = PROGRAMS[program]?.globals ?? [];
  const known = [...globals, ...(spec.options ?? [])].map(({ flags }) => flags.split(/[ ,]+/).find((word) => word.startsWith('--')));
  return words
    .filter((word) => word.startsWith('--') && !EVERYWHERE.includes(word) && !known.includes(word))
    .map((word) => `${text}: no option ${word}`);
}

/** A word of a sentence, what stands for a word, or a group of commands: `sealane trust`, and names of packages. */
function isProse(words: readonly string[]): boolean {
  if (/^[A-Z]+$/.test(words[0] ?? '')) return true;
  return words.length === 1 && Object.keys({ ...PROGRAM.commands, ...SITE.commands }).some((name) => name.startsWith(`${words[0] ?? ''} `));
}
