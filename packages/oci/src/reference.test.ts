import { isDigest } from '@sealane/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatReference, isLoopback, parseReference } from './reference.js';

const D = `sha256:${'a'.repeat(64)}`;

describe('references', () => {
  test.for([
    [`docker://registry.example/team/app@${D}`, { kind: 'docker', registry: 'registry.example', repository: 'team/app', wanted: D }],
    ['docker://127.0.0.1:5000/app:1.2', { kind: 'docker', registry: '127.0.0.1:5000', repository: 'app', wanted: '1.2' }],
    ['docker://[::1]:5000/app:v1', { kind: 'docker', registry: '[::1]:5000', repository: 'app', wanted: 'v1' }],
    [`oci:/srv/images@${D}`, { kind: 'oci', path: '/srv/images', digest: D }],
    ['oci:images:app', { kind: 'oci', path: 'images', tag: 'app' }],
    ['oci:./a:b/images', { kind: 'oci', path: './a:b/images' }],
    ['oci-archive:app.tar', { kind: 'oci-archive', path: 'app.tar' }],
  ] as const)('reads %s and prints it back', ([text, expected]) => {
    expect(parseReference(text)).toEqual(expected);
    expect(formatReference(parseReference(text))).toBe(text);
  });

  test.for([
    ['app', 'no scheme'],
    ['docker://app:1', 'no host: Docker would mean its hub'],
    ['docker://registry.example/app', 'no tag: latest is never implied'],
    [`docker://registry.example/app:1@${D}`, 'a tag and a digest'],
    ['docker://registry.example/App:1', 'upper case'],
    ['docker://registry.example/../app:1', 'dots as a path'],
    ['docker://user:pw@registry.example/app:1', 'credentials'],
    ['docker://registry.example/app@sha256:ABC', 'no digest'],
    [`docker://registry.example/app@sha512:${'a'.repeat(128)}`, 'another algorithm'],
    ['docker://registry.example/app:1?x=y', 'a query'],
    ['oci:', 'no path'],
    ['oci:dir:a b', 'a space in a tag'],
    ['oci:dir\n', 'a control character'],
    [`oci:${'x'.repeat(5000)}`, 'too long'],
  ])('refuses %s: %s', ([text]) => {
    expect(() => parseReference(text ?? '')).toThrow(expect.objectContaining({ code: 'REFERENCE_MALFORMED' }));
  });

  test('any text is a reference that prints back to itself, or is refused by code', () => {
    const pieces = fc.constantFrom(
      'docker://',
      'oci:',
      'oci-archive:',
      'a',
      'A',
      '.',
      '/',
      ':',
      '@',
      D,
      'sha256:',
      '127.0.0.1:5000',
      '[::1]',
      '..',
      '-',
      '_',
      ' ',
      '\u0000',
      'é',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join('')),
        ),
        (text) => {
          try {
            const reference = parseReference(text);
            expect(formatReference(reference)).toBe(text);
            if (reference.kind === 'docker') expect(isDigest(reference.wanted) || !reference.wanted.includes('@')).toBe(true);
          } catch (error) {
            expect(error).toMatchObject({ code: 'REFERENCE_MALFORMED' });
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  test.for([
    ['127.0.0.1:5000', true],
    ['127.255.0.1', true],
    ['localhost:80', true],
    ['[::1]:5000', true],
    ['127.0.0.1.example', false],
    ['localhost.example', false],
    ['127.0.0.256', false],
    ['[::2]', false],
    ['10.0.0.1:5000', false],
  ] as const)('%s on this machine: %s', ([host, expected]) => {
    expect(isLoopback(host)).toBe(expected);
  });
});
