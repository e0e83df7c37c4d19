import { describe, expect, test } from 'vitest';
import type { DeclaredVariable } from './evidence/predicates/declaration.js';
import { renderVariables, type SiteVariables } from './site-variables.js';

const DECLARED: readonly DeclaredVariable[] = [
  { name: 'POLL_SECONDS', type: 'integer', min: 1, max: 60, default: 5 },
  { name: 'MODE', type: 'choice', choices: ['slow', 'fast'] },
];

describe('rendering', () => {
  test('takes what the site sets and defaults for the rest, and nothing else', () => {
    expect(renderVariables(DECLARED, { MODE: 'fast' })).toEqual({ POLL_SECONDS: 5, MODE: 'fast' });
    expect(renderVariables(DECLARED, { MODE: 'slow', POLL_SECONDS: 60 })).toEqual({ POLL_SECONDS: 60, MODE: 'slow' });
    expect(renderVariables([], {})).toEqual({});
  });

  test.each<[string, SiteVariables, string]>([
    ['a value outside its range', { MODE: 'fast', POLL_SECONDS: 0 }, 'POLL_SECONDS: expected a whole number 1–60, got 0'],
    ['a value of another type', { MODE: 'fast', POLL_SECONDS: '5' }, 'POLL_SECONDS: expected a whole number 1–60, got "5"'],
    ['an override that is not declared', { MODE: 'fast', DEBUG: true }, 'DEBUG is not declared by the release'],
    ['a variable without default that is not set', {}, 'MODE has no default and is not set'],
    ['an empty value', { MODE: '' }, 'MODE: expected one of slow, fast, got ""'],
  ])('refuses %s and names it', (_, set, line) => {
    expect(() => renderVariables(DECLARED, set)).toThrow(
      expect.objectContaining({ code: 'SITE_VARIABLES', message: expect.stringContaining(line) as string }),
    );
  });

  test('does not take a value from where objects inherit', () => {
    const declared: readonly DeclaredVariable[] = [{ name: 'A', type: 'text', maxLength: 10 }];
    expect(() => renderVariables(declared, Object.create({ A: 'x' }) as SiteVariables)).toThrow(
      expect.objectContaining({ code: 'SITE_VARIABLES' }),
    );
  });
});
