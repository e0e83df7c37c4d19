import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type JsonObject, utf8 } from '@sealane/core';
import { parseCtrf } from './ctrf.js';

const passing = { name: 'boots', status: 'passed' };
const of = (tests: readonly JsonObject[], summary: JsonObject = {}, more: JsonObject = {}) =>
  parseCtrf(
    utf8(JSON.stringify({ results: { tool: { name: 't' }, summary: { tests: tests.length, failed: 0, ...summary }, tests, ...more } })),
  );

describe('CTRF', () => {
  test('reads names, suites, retries and the time', () => {
    const read = of(
      [
        { ...passing, suite: ['link', 'up'], retries: 2 },
        { ...passing, suite: 'link' },
      ],
      { stop: 1795405991032 },
    );
    expect(read).toMatchObject({ verdict: 'PASSED', flaky: 1, ranAt: '2026-11-23T03:53:11Z' });
    expect(read.cases.map(({ suites }) => suites)).toEqual([['link', 'up'], ['link']]);
  });

  test.each([
    ['no test', of([]), 'EMPTY'],
    ['all pending', of([{ name: 'a', status: 'pending' }]), 'EMPTY'],
    ['an unknown status', of([passing, { name: 'a', status: 'PASSED' }]), 'FAILED'],
    ['a status that every object has a value for', of([passing, { name: 'a', status: 'constructor' }]), 'FAILED'],
    ['status other', of([passing, { name: 'a', status: 'other' }]), 'FAILED'],
    ['a claim of failures that no test shows', of([passing], { failed: 1 }), 'FAILED'],
    ['a summary of more tests than there are', of([passing], { tests: 2 }), 'UNREADABLE'],
    ['no summary', of([passing], {}, { summary: null }), 'UNREADABLE'],
    ['no tool', of([passing], {}, { tool: {} }), 'UNREADABLE'],
    ['no list of tests', of([passing], {}, { tests: {} }), 'UNREADABLE'],
    ['a test without a name', of([{ status: 'passed' }]), 'UNREADABLE'],
    ['a test without a status', of([{ name: 'a' }]), 'UNREADABLE'],
    ['a count that is none', of([passing], { failed: '0' }), 'UNREADABLE'],
  ] as const)('%s is %3$s', (_, read, verdict) => {
    expect(read.verdict).toBe(verdict);
  });

  test('a status twice, one of them passed, is UNREADABLE', () => {
    const text =
      '{"results":{"tool":{"name":"t"},"summary":{"tests":1,"failed":0},"tests":[{"name":"a","status":"failed","status":"passed"}]}}';
    expect(parseCtrf(utf8(text)).verdict).toBe('UNREADABLE');
  });

  test('another format in JSON is UNREADABLE', () => {
    expect(parseCtrf(utf8('{"numPassedTests":3}')).verdict).toBe('UNREADABLE');
    const other = { reportFormat: 'X', results: { tool: { name: 't' }, summary: { tests: 1, failed: 0 }, tests: [passing] } };
    expect(parseCtrf(utf8(JSON.stringify(other))).verdict).toBe('UNREADABLE');
  });

  test('any JSON is a verdict, never a crash', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void expect(parseCtrf(utf8(JSON.stringify(value))).verdict).toBe('UNREADABLE')));
  });
});
