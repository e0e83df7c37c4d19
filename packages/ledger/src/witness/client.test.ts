/** What a log makes of a witness's answers: each status of C2SP tlog-witness, by the name that promoters act on. */
import { generateKeyPairSync } from 'node:crypto';
import { NOTE_KEY_TYPE, vkeyOf } from '@sealane/core';
import { expect, it } from 'vitest';
import { requestCosignature } from './client.js';

const NOTE = 'lane.example\n10\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— lane.example AAAA\n';
const vkey = vkeyOf('witness.example', NOTE_KEY_TYPE.cosignature, generateKeyPairSync('ed25519').privateKey);

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Asks for a cosignature of 10 entries; the witness answers in this order. */
async function ask(
  believedSize: number,
  ...answers: readonly Answer[]
): Promise<{ readonly refused: unknown; readonly from: readonly string[] }> {
  const from: string[] = [];
  const asked = requestCosignature({
    witness: { vkey, url: 'http://witness.example' },
    note: NOTE,
    size: 10,
    believedSize,
    consistencyProof: () => [],
    post: (_, body) => {
      from.push(body.split('\n')[0] ?? '');
      return Promise.resolve(answers[from.length - 1] ?? { status: 500, body: '' });
    },
    signal: AbortSignal.timeout(1000),
  });
  const refused = await asked.then(
    () => undefined,
    (error: unknown) => error,
  );
  return { refused, from };
}

it.each<readonly [string, number, readonly Answer[], string, readonly string[]]>([
  ['another tree, by a proof that does not hold', 7, [{ status: 422, body: 'no\n' }], 'LOG_FORK', ['old 7']],
  ['another tree of this size', 10, [{ status: 409, body: 'another root\n' }], 'LOG_FORK', ['old 10']],
  ['another tree of this size, with the size', 10, [{ status: 409, body: '10\n' }], 'LOG_FORK', ['old 10']],
  [
    'this size, and then another tree of it',
    7,
    [
      { status: 409, body: '10\n' },
      { status: 409, body: '' },
    ],
    'LOG_FORK',
    ['old 7', 'old 10'],
  ],
  ['more entries', 10, [{ status: 409, body: '11\n' }], 'LOG_RESTORED', ['old 10']],
  [
    'more entries meanwhile',
    7,
    [
      { status: 409, body: '10\n' },
      { status: 409, body: '11\n' },
    ],
    'LOG_WITNESS',
    ['old 7', 'old 10'],
  ],
  [
    'a size each time, another one',
    7,
    [
      { status: 409, body: '8\n' },
      { status: 409, body: '9\n' },
    ],
    'LOG_WITNESS',
    ['old 7', 'old 8'],
  ],
  ['no size', 7, [{ status: 409, body: 'conflict\n' }], 'LOG_WITNESS', ['old 7']],
  ['no such log', 7, [{ status: 404, body: 'unknown log\n' }], 'LOG_WITNESS', ['old 7']],
  ['nothing now', 7, [{ status: 503, body: '' }], 'WITNESS_UNREACHABLE', ['old 7']],
  ['a cosignature by nobody', 7, [{ status: 200, body: '' }], 'LOG_WITNESS', ['old 7']],
])('a witness that answers with %s', async (_, believedSize, answers, code, from) => {
  expect(await ask(believedSize, ...answers)).toMatchObject({ refused: { code }, from });
});
