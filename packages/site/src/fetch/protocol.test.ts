import { SealaneError, utf8 } from '@sealane/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boundedLines } from '../apply/bounded-lines.js';
import { MAX_LINE_BYTES, parseAnswer } from './protocol.js';

const synced = { outcome: 'synced', code: null, message: 'm', upstream: 'u', requests: 1, bytes: 2, fetched: 3, kept: 4 };
const line = (value: unknown): Uint8Array => utf8(JSON.stringify(value));

test('reads what fetch says', () => {
  expect(parseAnswer(line({ synced }))).toEqual({ synced });
  expect(parseAnswer(line({ flushed: { upTo: 3, problem: null } }))).toEqual({ flushed: { upTo: 3, problem: null } });
});

test('takes no word that it does not know: no path, no verdict, no code of its own making, no control character', () => {
  const said = {
    ...synced,
    code: 'toString',
    message: '\u001b[2Jall is well\n',
    outcome: 'synced',
    release: 'sha256:x',
    install: '/etc/passwd',
  };
  expect(parseAnswer(line({ synced: said }))).toEqual({ synced: { ...synced, code: null, message: ' [2Jall is well ' } });
  for (const bad of [{ ...synced, outcome: 'admitted' }, { ...synced, bytes: -1 }, { ...synced, kept: 1.5 }, null, [], 'synced'])
    expect(() => parseAnswer(line({ synced: bad }))).toThrow(SealaneError);
  expect(() => parseAnswer(line({ flushed: { upTo: 2 ** 53, problem: null } }))).toThrow(SealaneError);
});

test('takes arbitrary bytes and arbitrary JSON for an answer or for an error with a code, never for a crash', () => {
  const named = (bytes: Uint8Array): void => {
    try {
      parseAnswer(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(SealaneError);
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), named));
  fc.assert(fc.property(fc.jsonValue(), (value) => named(line({ synced: value }))));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('outcome', 'code', 'message', 'upstream', 'bytes', '__proto__'), fc.jsonValue()), (value) =>
      named(line({ synced: { ...synced, ...value } })),
    ),
  );
});

async function linesOf(pieces: readonly Uint8Array[], maxBytes: number): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const bytes of boundedLines(
    (async function* () {
      for (const piece of pieces) yield await Promise.resolve(piece);
    })(),
    maxBytes,
  ))
    lines.push(Buffer.from(bytes).toString());
  return lines;
}

test('lines are the same however the stream is cut into pieces', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.stringMatching(/^[a-z]{0,20}$/), { maxLength: 8 }),
      fc.integer({ min: 1, max: 7 }),
      async (lines, size) => {
        const bytes = utf8(lines.map((text) => `${text}\n`).join(''));
        const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.slice(at * size, (at + 1) * size));
        expect(await linesOf(pieces, 20)).toEqual(lines);
      },
    ),
  );
});

test('an endless line is given up at its bound, and an unfinished last one is no line', async () => {
  let sent = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      sent += 1024;
      yield await Promise.resolve(new Uint8Array(1024).fill(97));
    }
  }
  await expect(boundedLines(endless(), MAX_LINE_BYTES).next()).rejects.toMatchObject({ code: 'FETCH_FAILED' });
  expect(sent).toBeLessThanOrEqual(MAX_LINE_BYTES + 2048);
  expect(await linesOf([utf8('whole\nhal')], 100)).toEqual(['whole']);
});
