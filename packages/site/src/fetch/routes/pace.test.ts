import { describe, expect, test } from 'vitest';
import { freePace, paceOf, type PaceFacts, SPAN_SECONDS } from './pace.js';

const code = (name: string): object => expect.objectContaining({ code: name }) as object;

/** A link of some rate, and what was done over it. */
function over(facts: Partial<PaceFacts> = {}): { readonly facts: PaceFacts; readonly slept: number[] } {
  const slept: number[] = [];
  const seen = { rate: 0 };
  return {
    slept,
    facts: {
      at: 'a',
      knownRate: () => seen.rate,
      minRate: 1024,
      limit: () => null,
      leftToSpend: () => Infinity,
      sawBytes: (bytes: number, seconds: number) => void (seen.rate = bytes / seconds),
      sleep: (ms: number) => Promise.resolve(void slept.push(ms)),
      lookForNews: () => Promise.resolve(),
      ...facts,
    },
  };
}

describe('the pace of a download', () => {
  test('begins with two seconds at 256 kbit/s and grows to two seconds of the link, four times at most each time', async () => {
    const link = over();
    const pace = paceOf(link.facts);
    const spans: number[] = [];
    for (let count = 0; count < 6; count += 1) {
      spans.push(pace.spanBytes());
      await pace.took(spans.at(-1) ?? 0, (spans.at(-1) ?? 0) / 5_000_000);
    }
    expect(spans).toEqual([65_536, 262_144, 1_048_576, 4_194_304, 10_000_000, 10_000_000]);
    expect(paceOf(over({ knownRate: () => 32_000 }).facts).spanBytes()).toBe(32_000 * SPAN_SECONDS);
  });

  test('grows over a link that is faster than its clock counts, and not by the end of a file', async () => {
    const pace = paceOf(over({ sawBytes: () => undefined }).facts);
    for (const span of [65_536, 262_144, 1_048_576]) {
      expect(pace.spanBytes()).toBe(span);
      await pace.took(span, 0);
    }
    expect(pace.spanBytes()).toBe(4_194_304);
    await pace.took(100, 0);
    expect(pace.spanBytes()).toBe(4_194_304);
  });

  test('shrinks with the link at once', async () => {
    const link = over();
    const pace = paceOf(link.facts);
    pace.spanBytes();
    await pace.took(1_000_000, 1);
    pace.spanBytes();
    await pace.took(262_144, 16);
    expect(pace.spanBytes()).toBe(32_768);
  });

  test('holds a limit by waiting, in spans of two seconds of it', async () => {
    const link = over({ limit: () => 10_000 });
    const pace = paceOf(link.facts);
    expect(pace.spanBytes()).toBe(20_000);
    expect(await pace.took(20_000, 0.5)).toBe(1.5);
    expect(link.slept).toEqual([1500]);
  });

  test('stops at the budget, to the byte', async () => {
    let left = 100_000;
    const pace = paceOf(over({ leftToSpend: () => left }).facts);
    expect(pace.spanBytes()).toBe(65_536);
    left -= 65_536;
    await pace.took(65_536, 1);
    expect(pace.spanBytes()).toBe(34_464);
    left = 0;
    await expect(pace.took(34_464, 1)).rejects.toThrow(code('BUDGET_SPENT'));
    expect(() => pace.spanBytes()).toThrow(code('BUDGET_SPENT'));
  });

  test('is patient for ten seconds, then a rate below the least one is too slow', async () => {
    const pace = paceOf(over({ minRate: 1000 }).facts);
    await pace.took(100, 9);
    await pace.took(10_000, 1);
    await pace.took(100, 5);
    await expect(pace.took(100, 5)).rejects.toThrow(code('FETCH_TOO_SLOW'));
  });

  test('of what is needed to judge anything has no limit, and the least rate', async () => {
    const pace = freePace({ at: 'a', minRate: 1000 });
    expect(pace.spanBytes()).toBe(Infinity);
    await pace.took(100, 9);
    await pace.took(10_000, 1);
    expect(await pace.took(100, 5)).toBe(0);
    expect(() => pace.took(100, 5)).toThrow(code('FETCH_TOO_SLOW'));
  });
});
