/** Every test that is skipped for want of something says of what: a newcomer who runs `npm test` has few of the parts that `.ci/run` installs. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../support/run.js';
import { skipLines } from '../support/skip-report.js';

const FILES = ['test', 'packages'].flatMap((folder) =>
  readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && !file.includes('node_modules'))
    .map((file) => path.join(folder, file)),
);

const SAYS_WHY = /skipped (?:without|where) |\$\{(?:why|no)/;

/** Where what stands in the parentheses that open at `from` ends. */
function behindParentheses(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1;
    if (text[at] === ')') depth -= 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
}

/** The names of the tests and groups in a source that may be skipped. */
function namesOfSkipped(source: string): readonly string[] {
  return [...source.matchAll(/\b(?:it|test|describe)\.(?:skipIf|runIf)(?=\()/g)].map(({ index, 0: word }) => {
    let at = behindParentheses(source, index + word.length);
    for (let more = /^\.\w+(?=\()/.exec(source.slice(at)); more !== null; more = /^\.\w+(?=\()/.exec(source.slice(at)))
      // `.concurrent('name'` is the call itself
      if (more[0] === '.concurrent') at += more[0].length;
      else at = behindParentheses(source, at + more[0].length);
    return /^\(\s*(['"`])([\s\S]*?)\1/.exec(source.slice(at))?.[2] ?? source.slice(at, at + 40);
  });
}

test('each test that may be skipped says at the end of its name for want of what', () => {
  const named = FILES.flatMap((file) => namesOfSkipped(readFileSync(path.join(ROOT, file), 'utf8')).map((name) => ({ file, name })));
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter(({ name }) => !SAYS_WHY.test(name))).toEqual([]);
});

test('whoever has a support run openssl is skipped where there is none', () => {
  const folder = path.join(ROOT, 'test', 'support');
  const supports = readdirSync(folder).filter((name) => {
    const text = name.endsWith('.ts') ? readFileSync(path.join(folder, name), 'utf8') : '';
    // one that looks for it by itself says so to whom it serves
    return text.includes("execFileSync('openssl'") && !text.includes('requireProgram');
  });
  expect(supports.length).toBeGreaterThan(2);
  const users = FILES.map((file) => ({ file, text: readFileSync(path.join(ROOT, file), 'utf8') })).filter(({ text }) =>
    supports.some((name) => text.includes(`/support/${name.replace(/ts$/, 'js')}'`)),
  );
  expect(users.length).toBeGreaterThan(4);
  const asking = /requireProgram\('openssl'\)|'openssl'\][^;]*requireProgram/;
  expect(users.filter(({ text }) => !asking.test(text)).map(({ file }) => file)).toEqual([]);
});

test('a run ends with what was missing, the part of most tests first', () => {
  expect(
    skipLines([
      { fullName: 'B9 driver podman (skipped without podman) > starts' },
      { fullName: 'a log > of others (skipped without cosign)' },
      { fullName: 'B18 on podman (skipped without podman) > stops' },
      { fullName: 'a file of somebody else', note: 'skipped without root' },
      { fullName: 'left out by a filter' },
      { fullName: 'power (needs /dev/kvm) > is cut (skipped without strace)' },
    ]).slice(1),
  ).toEqual([
    '      2  skipped without podman',
    '      1  skipped without cosign',
    '      1  skipped without root',
    '      1  needs /dev/kvm',
  ]);
  expect(skipLines([])).toEqual([]);
});
