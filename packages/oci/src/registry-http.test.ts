/** Where a registry may send us. */
import { expect, test } from 'vitest';
import { isSafeTarget } from './registry-http.js';

test.for([
  ['https://r.example', 'https://store.example/x', true],
  ['https://r.example', 'http://r.example/x', false],
  ['https://r.example', 'https://127.0.0.1/x', false],
  ['https://r.example', 'https://localhost./x', false],
  ['https://r.example', 'https://a.localhost/x', false],
  ['https://r.example', 'https://0/x', false],
  ['https://r.example', 'https://[::]/x', false],
  ['https://r.example', 'https://[::1]/x', false],
  ['https://r.example', 'https://[::ffff:127.0.0.1]/x', false],
  ['https://r.example', 'https://[::ffff:0.0.0.0]/x', false],
  ['https://r.example', 'https://[::ffff:192.0.2.1]/x', true],
  ['https://r.example', 'https://u:p@store.example/x', false],
  ['http://127.0.0.1:5000', 'http://127.0.0.1:9/x', true],
  ['http://127.0.0.1:5000', 'http://store.example/x', false],
  ['http://127.0.0.1:5000', 'https://store.example/x', true],
] as const)('from %s to %s: %s', ([from, to, expected]) => {
  expect(isSafeTarget(new URL(from), new URL(to))).toBe(expected);
});
