/** Links of README, NEWS, example keys and docs lead somewhere, and the README fits on one screen and names scripts that exist. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../support/run.js';
import { pageText } from './pages.js';

const docs = readdirSync(path.join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.md'));
const PAGES = ['README.md', 'NEWS.md', 'keys-example/README.md', ...docs.map((file) => path.join('docs', file))];

/** A screen of a large window. */
const README_LINES = 60;

describe('links', () => {
  test.for(PAGES.map((file) => ({ file })))('of $file lead to files and headings that exist', ({ file }) => {
    const links = [...pageText(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link).filter((link) => !/^[a-z]+:/.test(link));
    const dead = links.filter((link) => {
      const [target = '', heading] = link.split('#');
      const place = target === '' ? file : path.join(path.dirname(file), target);
      return !existsSync(path.join(ROOT, place)) || (heading !== undefined && !headings(place).includes(heading));
    });
    expect(dead).toEqual([]);
  });
});

describe('README.md', () => {
  const text = pageText('README.md');

  test('fits on one screen', () => {
    expect(text.split('\n').length).toBeLessThanOrEqual(README_LINES);
  });

  test('names scripts and programs that exist', () => {
    const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      readonly scripts: Readonly<Record<string, string>>;
    };
    const named = [...text.matchAll(/npm (?:run )?(\w+)/g)].map(([, name = '']) => name).filter((name) => name !== 'run');
    expect(named.filter((name) => !Object.hasOwn({ ...scripts, test: '' }, name))).toEqual([]);
    for (const [, program = ''] of text.matchAll(/node (bin\/[\w-]+\.mjs)/g))
      expect(existsSync(path.join(ROOT, program)), program).toBe(true);
  });
});

/** Anchors of a page's headings, as GitHub makes them. */
function headings(file: string): readonly string[] {
  // a comment in an example is no heading
  const lines = pageText(file)
    .replace(/^ *```[\s\S]*?^ *```/gm, '')
    .split('\n')
    .filter((line) => /^#+ /.test(line));
  return lines.map((line) =>
    line
      .replace(/^#+ /, '')
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}
