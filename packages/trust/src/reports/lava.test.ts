import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8 } from '@sealane/core';
import { parseLava } from './lava.js';

/** A case as LAVA writes it, PyYAML's way: every value a text. */
const row = (
  name: string,
  result: string,
  { suite = '0_smoke', job = '999', logged = '2018-11-07 11:11:01.341667+00:00' } = {},
) => `- id: '9991'
  job: '${job}'
  level: ''
  log_end_line: '4353'
  log_start_line: '4353'
  logged: '${logged}'
  measurement: None
  metadata: {case: ${name}, definition: ${suite}, result: ${result}}
  name: ${name}
  result: ${result}
  suite: ${suite}
  unit: ''
  url: /results/testcase/9991
`;
const report = (...rows: string[]) => parseLava(utf8(rows.join('')));
const booted = row('login-action', 'pass', { suite: 'lava' });

describe('LAVA results', () => {
  test('are read case by case, with the time of the last one', () => {
    const read = report(booted, row('linux-posix-uname', 'pass'), row('wlan', 'skip', { logged: '2018-11-07 12:00:00+00:00' }));
    expect(read).toMatchObject({
      verdict: 'PASSED',
      counts: { total: 3, passed: 2, failed: 0, skipped: 1 },
      ranAt: '2018-11-07T12:00:00Z',
    });
    expect(read.cases[1]).toMatchObject({ suites: ['0_smoke'], name: 'linux-posix-uname' });
  });

  test.each([
    ['only the steps of LAVA itself', [booted], 'EMPTY'],
    ['all skipped', [booted, row('a', 'skip')], 'EMPTY'],
    ['a failed case', [row('a', 'pass'), row('b', 'fail')], 'FAILED'],
    ['a result that every object has a value for', [row('a', 'pass'), row('b', 'constructor')], 'FAILED'],
    ['an unknown result', [row('a', 'pass'), row('b', 'unknown')], 'FAILED'],
    ['a result that LAVA does not have', [row('a', 'pass'), row('b', 'Pass')], 'FAILED'],
    ['a step of LAVA that failed', [row('power-off', 'fail', { suite: 'lava' }), row('a', 'pass')], 'FAILED'],
    ['an empty list', ['[]\n'], 'EMPTY'],
    ['nothing', [''], 'UNREADABLE'],
    ['cases of two jobs', [row('a', 'pass'), row('a', 'pass', { job: '1000' })], 'UNREADABLE'],
    ['a result twice', [`${row('a', 'fail')}  result: pass\n`], 'UNREADABLE'],
    ['no result', [row('a', 'pass').replace('  result: pass\n', '')], 'UNREADABLE'],
    ['an alias', [row('a', 'pass'), '- *a\n'], 'UNREADABLE'],
    ['a merge key', [row('a', 'pass'), '  <<: {result: pass}\n'], 'UNREADABLE'],
    ['a case in braces', ['- {name: a, suite: s, result: pass, job: j, logged: x}\n'], 'UNREADABLE'],
    ['a result that an anchor or tag decorates', [row('a', '!!str pass')], 'UNREADABLE'],
    ['a result with a comment', [row('a', 'pass # fail')], 'UNREADABLE'],
    ['a result on the next line', [row('a', 'pass').replace('result: pass\n', 'result:\n    pass\n')], 'UNREADABLE'],
    ['a tab', [row('a', 'pass').replace('  unit', '\tunit')], 'UNREADABLE'],
    ['an odd indent', [row('a', 'pass').replace('  unit', ' unit')], 'UNREADABLE'],
    ['two documents', [row('a', 'pass'), '---\n', row('b', 'fail')], 'UNREADABLE'],
    ['a cut quote', ["- name: 'a\n"], 'UNREADABLE'],
    ['a mapping', ['results: []\n'], 'UNREADABLE'],
  ] as const)('%s is %3$s', (_, rows, verdict) => {
    expect(report(...rows).verdict).toBe(verdict);
  });

  test('text inside a value is no result', () => {
    const text = row('a', 'fail').replace("  unit: ''\n", '  unit: |\n    x\n\n    result: pass\n');
    expect(report(text)).toMatchObject({ verdict: 'FAILED', counts: { total: 1 } });
  });

  test('quotes are read as YAML means them', () => {
    expect(report(row("'it''s: up'", 'pass')).cases[0]?.name).toBe("it's: up");
    expect(report(row('"gr\\u00f6\\u00dfe"', 'pass')).cases[0]?.name).toBe('größe');
  });

  test('any text is a verdict, and PASSED only with a case that passed', () => {
    const piece = fc.constantFrom(
      '- ',
      'name: a\n',
      '  suite: s\n',
      '  result: pass\n',
      '  result: fail\n',
      "  job: '1'\n",
      '  logged: x\n',
      '&a ',
      '*a',
      '---\n',
      '{',
      '}',
      '\t',
      '\u0000',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        if (report(text).verdict === 'PASSED') expect(text).not.toContain('fail');
      }),
    );
  });
});
