import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { oneLine } from './printable.js';
import { shellWord } from './shell-word.js';

describe('a word for a shell', () => {
  it('stays as it is where no quotes are needed', () => {
    for (const word of ['/var/lib/sealane/request.json', 'lane.example', 'sha256:00', 'K=V', 'a@1.0+b']) expect(shellWord(word)).toBe(word);
  });

  it.each([
    '/media/my stick/lane',
    "O'Hara's stick",
    '$(touch /tmp/x) `id` "$HOME"',
    '~/lane',
    '*.json',
    'a;b|c&d>e',
    'back\\slash',
    '#comment',
    'Hafenbüro',
    '',
    'two\nlines',
    'red \u001b[31m, and \u202eback',
  ])('%j comes back from bash as it was, and is printed as it is', (text) => {
    const word = shellWord(text);
    expect(oneLine(word)).toBe(word);
    expect(execFileSync('bash', ['-c', `printf %s ${word}`], { encoding: 'utf8' })).toBe(text);
  });

  it('a path that begins with a dash is no option', () => {
    expect(shellWord('-rf')).toBe('./-rf');
  });
});
