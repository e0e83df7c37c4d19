/** What a release declares holds together, or the release is refused. */
import { describe, expect, test } from 'vitest';
import { checkDeclaration, declarationShape, type DeclaredVariable, problemOfValue, type ReleaseDeclaration } from './declaration.js';

const rate: DeclaredVariable = { name: 'RATE', type: 'number', min: 0.5, max: 2 };

describe('a declaration', () => {
  test.each<[string, ReleaseDeclaration]>([
    ['of nothing', {}],
    ['of empty lists', { dependencies: [], variables: [] }],
    ['of every type', { variables: [rate, { name: 'MODE', type: 'choice', choices: ['slow', 'fast'], default: 'slow' }] }],
  ])('%s is taken', (_, declaration) => {
    expect(() => checkDeclaration(declarationShape.parse(declaration))).not.toThrow();
  });

  test.each<[string, ReleaseDeclaration]>([
    [
      'a dependency twice',
      {
        dependencies: [
          { name: 'plc', criticality: 'high' },
          { name: 'plc', criticality: 'low' },
        ],
      },
    ],
    ['a variable twice', { variables: [rate, rate] }],
    ['a number without its limits', { variables: [{ name: 'RATE', type: 'number', min: 1 }] }],
    ['a text without its length', { variables: [{ name: 'NAME', type: 'text' }] }],
    ['a choice of nothing', { variables: [{ name: 'MODE', type: 'choice' }] }],
    ['limits of another type', { variables: [{ name: 'ON', type: 'boolean', min: 0 }] }],
    ['an empty range', { variables: [{ ...rate, min: 3 }] }],
    ['a default outside the range', { variables: [{ ...rate, default: 3 }] }],
    ['a default of another type', { variables: [{ ...rate, default: '1' }] }],
  ])('with %s is refused', (_, declaration) => {
    expect(() => checkDeclaration(declaration)).toThrow(expect.objectContaining({ code: 'TRUST_MALFORMED' }));
  });

  test.each([
    ['an unknown criticality', { dependencies: [{ name: 'plc', criticality: 'vital' }] }],
    ['an unknown type', { variables: [{ name: 'A', type: 'regex' }] }],
    ['a name that a shell would trip over', { variables: [{ name: 'a-b', type: 'boolean' }] }],
    ['a limit that is no number', { variables: [{ ...rate, max: Number.NaN }] }],
    ['an unknown field', { variables: [{ ...rate, step: 1 }] }],
  ])('with %s has another shape', (_, declaration) => {
    expect(declarationShape.safeParse(declaration).success).toBe(false);
  });
});

test.each<[DeclaredVariable, unknown[], unknown[]]>([
  [{ name: 'N', type: 'integer', min: 1, max: 60 }, [1, 60], [0, 61, 1.5, '1', true, Number.NaN]],
  [rate, [0.5, 2], [0.4, 2.1, '1', Number.NaN, Number.POSITIVE_INFINITY]],
  [{ name: 'ON', type: 'boolean' }, [true, false], ['true', 1]],
  [{ name: 'T', type: 'text', maxLength: 3 }, ['', 'abc'], ['abcd', 1]],
  [{ name: 'M', type: 'choice', choices: ['a', 'b'] }, ['a'], ['c', 'a ', true]],
])('%j takes what is in its range and nothing else', (variable, within, outside) => {
  for (const value of within) expect(problemOfValue(variable, value as string), JSON.stringify(value)).toBeUndefined();
  for (const value of outside) expect(problemOfValue(variable, value as string), JSON.stringify(value)).toMatch(/^expected/);
});
