/** What a neighbour may use of the link: its own share, anew each hour. */
import { expect, it } from 'vitest';
import { hourlyShare } from './hourly-share.js';

const MIB = 1024 * 1024;

it('is 8 MiB an hour for each neighbour, the cost of a request with it, and comes back when the hour is over', () => {
  const share = hourlyShare();
  expect(share.take('harbour-7', 4 * MIB, 100)).toBe(0);
  expect(share.take('harbour-7', 4 * MIB, 160)).toBe(3540);
  // what was refused cost nothing, and nobody else
  expect(share.take('harbour-7', 3 * MIB, 200)).toBe(0);
  expect(share.take('harbour-9', 7 * MIB, 200)).toBe(0);
  expect(share.take('harbour-7', 1 * MIB, 3699.5)).toBe(1);
  expect(share.take('harbour-7', 7 * MIB, 3700)).toBe(0);
  expect(share.take('harbour-9', 7 * MIB, 3700)).toBe(0);
  // from the first request of the hour, not from the last one
  expect(share.take('harbour-9', 1 * MIB, 7299)).toBe(1);
});

it('counts requests without a body', () => {
  const share = hourlyShare();
  const answers = Array.from({ length: 513 }, () => share.take('harbour-7', 0, 0));
  expect(answers.filter((wait) => wait === 0)).toHaveLength(512);
  expect(answers.at(-1)).toBe(3600);
});
