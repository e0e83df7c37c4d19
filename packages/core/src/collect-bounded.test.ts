import { expect, it } from 'vitest';
import { collectBounded } from './collect-bounded.js';

/** Pieces without end, and how many of them were asked for, and whether they were given up. */
function endless(piece: Uint8Array): { readonly pieces: AsyncIterable<Uint8Array>; readonly told: { asked: number; isGivenUp: boolean } } {
  const told = { asked: 0, isGivenUp: false };
  async function* flow(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        told.asked += 1;
        yield await Promise.resolve(piece);
      }
    } finally {
      told.isGivenUp = true;
    }
  }
  return { pieces: flow(), told };
}

async function* each(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}

const refused = (): Error => new RangeError('too much');

it('joins what comes, to the last byte that is allowed', async () => {
  expect(Buffer.from(await collectBounded(each('ab', '', 'cd'), 4, refused)).toString()).toBe('abcd');
  expect(await collectBounded(each(), 0, refused)).toEqual(new Uint8Array());
});

it('gives up what is longer by a byte, or has no end, with the error of whoever asked', async () => {
  await expect(collectBounded(each('ab', 'cde'), 4, refused)).rejects.toThrow('too much');
  const { pieces, told } = endless(new Uint8Array(10));
  await expect(collectBounded(pieces, 25, refused)).rejects.toThrow(RangeError);
  expect(told).toEqual({ asked: 3, isGivenUp: true });
});

it('hands on what breaks on the way', async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(new Uint8Array(1));
    throw new Error('connection lost');
  }
  await expect(collectBounded(broken(), 4, refused)).rejects.toThrow('connection lost');
});
