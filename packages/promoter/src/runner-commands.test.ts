/** What a runner of CI must not find in the log of a step. */
import { expect, test } from 'vitest';
import { withoutRunnerCommands } from './runner-commands.js';

test.each([
  ['::set-output name=decision::passed', String.raw`\u003a:set-output name=decision::passed`],
  ['got x\n \t::add-mask::a\n::error::b', `got x\n \t${String.raw`\u003a:add-mask::a`}\n${String.raw`\u003a:error::b`}`],
  ['\u200b:\u00ad:stop-commands::x', `\u200b${String.raw`\u003a`}\u00ad:stop-commands::x`],
  ['error: got ##[set-output name=decision;]passed', String.raw`error: got \u0023#[set-output name=decision;]passed`],
  ['###[group]##vso[task.setvariable variable=PATH]x', String.raw`#\u0023#[group]\u0023#vso[task.setvariable variable=PATH]x`],
  ["#\u200b##TeamCity[buildStatus text='ok']", `#\u200b${String.raw`\u0023`}#TeamCity[buildStatus text='ok']`],
])('%j has no command in it any more', (text, shown) => {
  expect(withoutRunnerCommands(text)).toBe(shown);
  expect(withoutRunnerCommands(shown)).toBe(shown);
});

test.each(['a::b', '# a [b]', '## [a]', 'sha256:ab ::c', ''])('%j stays as it is', (text) => {
  expect(withoutRunnerCommands(text)).toBe(text);
});

test('a JSON document says what it said', () => {
  const document = { name: '##[add-mask]a', path: String.raw`\##[x]\\##vso[y]`, line: 'a\n::error::b' };
  const shown = withoutRunnerCommands(JSON.stringify(document));
  expect(shown).not.toMatch(/##(?:vso)?\[/);
  expect(JSON.parse(shown)).toEqual(document);
});

test('a long text takes no longer than it is long', () => {
  for (const part of ['\n', ' ', '\ufeff', '#', '\u200b', '##a', '#\ufeff']) {
    const text = part.repeat(200_000);
    expect(withoutRunnerCommands(text) === text).toBe(true);
  }
});
