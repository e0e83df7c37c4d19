import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8 } from '@sealane/core';
import { parseTap } from './tap.js';

const report = (...lines: string[]) => parseTap(utf8(`${lines.join('\n')}\n`));

describe('TAP', () => {
  test('takes versions 13 and 14, or none', () => {
    for (const first of ['TAP version 13', 'TAP version 14', '# by hand']) expect(report(first, '1..1', 'ok 1').verdict).toBe('PASSED');
  });

  test('counts the points of subtests, not the suites, and names the suites around them', () => {
    const read = report(
      '# Subtest: link',
      '    ok 1 - up',
      '    ok 2 - down # SKIP no cable',
      '    1..2',
      'ok 1 - link',
      'ok 2 - boots',
      '1..2',
    );
    expect(read).toMatchObject({ verdict: 'PASSED', counts: { total: 3, passed: 2, failed: 0, skipped: 1 } });
    expect(read.cases.map(({ suites, name }) => [...suites, name].join('/'))).toEqual(['link/up', 'link/down', 'boots']);
  });

  test.each([
    ['a failed case', ['1..1', 'not ok 1'], 'FAILED'],
    ['a suite that failed though its cases passed', ['    ok 1 - a', '    1..1', 'not ok 1 - suite', '1..1'], 'FAILED'],
    ['a case both failed and skipped', ['1..2', 'ok 1', 'not ok 2 # SKIP'], 'FAILED'],
    ['a failure whose name has a hash before todo', ['1..2', 'ok 1', 'not ok 2 - keeps its # todo-list'], 'FAILED'],
    ['a failure of a test that is to be done', ['1..2', 'ok 1', 'not ok 2 - is fast # TODO: caches'], 'PASSED'],
    ['a bail out', ['1..1', 'ok 1', 'Bail out! no power'], 'FAILED'],
    ['a bail out in a subtest', ['    ok 1', '    Bail out!', '    1..1', 'ok 1', '1..1'], 'FAILED'],
    ['nothing planned', ['1..0'], 'EMPTY'],
    ['all skipped', ['1..1', 'ok 1 # skipped: no rig'], 'EMPTY'],
    ['an empty subtest', ['    1..0', 'ok 1 - suite', '1..1'], 'EMPTY'],
    ['no plan', ['ok 1'], 'UNREADABLE'],
    ['two plans', ['1..1', 'ok 1', '1..1'], 'UNREADABLE'],
    ['points after the plan that ended it', ['ok 1', '1..1', 'ok 2'], 'UNREADABLE'],
    ['more points than planned', ['1..1', 'ok 1', 'ok 2'], 'UNREADABLE'],
    ['a number beyond the plan', ['1..1', 'ok 2'], 'UNREADABLE'],
    ['number 0', ['1..1', 'ok 0'], 'UNREADABLE'],
    ['a subtest that no point sums up', ['1..1', 'ok 1', '    ok 1', '    1..1'], 'UNREADABLE'],
    ['two subtests for one point', ['    ok 1', '    1..1', '# x', '        ok 1', 'ok 1', '1..1'], 'UNREADABLE'],
    ['an unknown line', ['1..1', 'ok 1', '\u0000not ok 2'], 'UNREADABLE'],
    ['okay, which is no verdict', ['1..1', 'okay 1'], 'UNREADABLE'],
    ['an open YAML block', ['1..1', 'ok 1', '  ---', '  a: b'], 'UNREADABLE'],
    ['a YAML block that begins nowhere', ['1..1', '  ---', '  ...', 'ok 1'], 'UNREADABLE'],
    ['version 15', ['TAP version 15', '1..1', 'ok 1'], 'UNREADABLE'],
    ['odd indentation', ['1..1', ' ok 1'], 'UNREADABLE'],
  ] as const)('%s is %3$s', (_, lines, verdict) => {
    expect(report(...lines).verdict).toBe(verdict);
  });

  test('bytes that are no UTF-8, and too deep nesting, are UNREADABLE', () => {
    expect(parseTap(new Uint8Array([0x6f, 0x6b, 0xff])).verdict).toBe('UNREADABLE');
    const deep = Array.from({ length: 33 }, (_, level) => `${' '.repeat(4 * level)}ok 1`);
    expect(report(...deep).verdict).toBe('UNREADABLE');
  });

  test('any tangle of real lines is a verdict, and PASSED only with a passing and no failing point', () => {
    const line = fc.constantFrom(
      '1..1',
      '1..2',
      'ok 1',
      'not ok 1',
      'ok 2 # SKIP',
      '    1..1',
      '    ok 1',
      '    not ok 1',
      '  ---',
      '  ...',
      '# Subtest: x',
      '# x',
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const read = report(...lines);
        if (read.verdict === 'PASSED') expect([read.counts.failed + read.suiteErrors, read.counts.passed > 0]).toEqual([0, true]);
        if (read.verdict === 'PASSED') expect(lines.filter((each) => each.trim().startsWith('not ok')).length).toBe(blocked(lines));
      }),
      { numRuns: 1000 },
    );
  });
});

/** `not ok` lines inside YAML blocks, which are text. */
function blocked(lines: readonly string[]): number {
  let [inside, count] = [false, 0];
  for (const line of lines) {
    if (line === '  ---') inside = true;
    else if (line === '  ...') inside = false;
    else if (inside && line.trim().startsWith('not ok')) count += 1;
  }
  return count;
}
