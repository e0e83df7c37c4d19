import { describe, expect, it } from 'vitest';
import { matchesPathPattern } from './path-pattern.js';

describe('a path pattern', () => {
  it.each([
    ['channel/prod.json', 'channel/prod.json', true],
    ['channel/prod.json', 'channel/*.json', true],
    ['channel/prod.json', '*', false],
    ['channel/prod.json', '*/*', true],
    ['channel/prod.json', 'channel/????.json', true],
    ['channel/prod.json', 'channel/???.json', false],
    ['channel/PROD.json', 'channel/prod.json', false],
    ['releases/x/x_v1', 'releases/x/*', true],
    ['a/b/c', 'a/*', false],
    ['abcabd', '*abd', true],
    ['abc', '*', true],
    ['', '*', true],
    ['', '?', false],
    ['a', '', false],
    ['a*c', 'a*c', true],
  ])('%s against %s is %s', (path, pattern, expected) => {
    expect(matchesPathPattern(path, pattern)).toBe(expected);
  });

  it.each(['!channel/dev.json', '#', '{channel,policy}/prod.json', '+(channel)/prod.json', 'channel/[p]rod.json', 'channel/prod.jso\\n'])(
    'knows nothing special in %s',
    (pattern) => {
      expect(matchesPathPattern('channel/prod.json', pattern)).toBe(false);
    },
  );

  it('comes to an end against a pattern made to be slow', () => {
    expect(matchesPathPattern('a'.repeat(5_000), `${'*a'.repeat(50)}b`)).toBe(false);
  });
});
