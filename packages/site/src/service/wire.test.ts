import { ERRORS, SealaneError, utf8 } from '@sealane/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseFetchAnswer, parseFetchOrder, parseOperatorAnswer, parseOperatorRequest } from './wire.js';

const line = (value: unknown): Uint8Array => utf8(JSON.stringify(value));
const digest = `sha256:${'ab'.repeat(32)}`;

test('takes a digest or nothing from fetch, one of four words, and what it ran into', () => {
  const rest = 'here';
  expect(parseFetchAnswer(line({ v: 1, brought: digest, rest }))).toEqual({ brought: digest, rest });
  expect(parseFetchAnswer(line({ v: 1, brought: null, rest: 'spent' }))).toEqual({ brought: null, rest: 'spent' });
  expect(parseFetchAnswer(line({ v: 1, brought: null, rest, code: 'DISK_SHORT' }))).toEqual({ brought: null, rest, code: 'DISK_SHORT' });
  const bads = [
    { brought: digest, rest },
    { v: 2, brought: digest, rest },
    { v: 1, brought: digest, rest, code: 'x' },
    { v: 1, brought: digest, rest, message: 'x' },
    { v: 1, brought: digest, rest: 'install it' },
    { v: 1, brought: digest },
    { v: 1, rest },
    null,
    [],
    digest,
  ];
  for (const bad of bads) expect(() => parseFetchAnswer(line(bad))).toThrow(expect.objectContaining({ code: 'FETCH_FAILED' }));
});

test('takes no code from fetch that would be a verdict, nor one of another program', () => {
  const may = Object.keys(ERRORS).filter((code) => {
    try {
      return parseFetchAnswer(line({ v: 1, brought: null, rest: 'unreached', code })).code === code;
    } catch {
      return false;
    }
  });
  expect(may.sort()).toEqual(['BUDGET_SPENT', 'CONFIG_INVALID', 'DISK_SHORT', 'FETCH_FAILED', 'FETCH_TOO_SLOW', 'STATE_UNWRITABLE']);
});

test('reads arbitrary bytes as an answer or as an error with a code', () => {
  for (const parse of [parseFetchAnswer, parseOperatorRequest, parseFetchOrder, parseOperatorAnswer]) {
    const named = (bytes: Uint8Array): void => {
      try {
        parse(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(SealaneError);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), named));
    fc.assert(fc.property(fc.jsonValue(), (value) => named(line(value))));
  }
});

test('throws the failure that a command had, with its code and hint', () => {
  const failure = { code: 'UPDATER_BUSY', message: 'a message', hint: 'wait' };
  expect(() => parseOperatorAnswer(line({ v: 1, error: failure }))).toThrow(expect.objectContaining(failure));
  for (const bad of [
    { v: 1, error: { ...failure, code: 'toString' } },
    { v: 1, exit: 9, json: {}, text: '' },
    { v: 1, exit: 0, json: [], text: '' },
  ])
    expect(() => parseOperatorAnswer(line(bad))).toThrow(expect.objectContaining({ code: 'UPDATER_UNREACHABLE' }));
});
