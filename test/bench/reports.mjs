// What it costs to read a test report of 100,000 cases, in each format, in a process that has loaded everything.
import { readReport } from '../../packages/trust/dist/index.js';
import { median, round } from './measure.mjs';

const CASES = 100_000;
const RUNS = 5;
/** Every gate that reads a report reads all of it: longer than this, and a site's poll is felt. */
const LIMIT_MS = 2000;

const numbers = Array.from({ length: CASES }, (_, at) => at);
const REPORTS = {
  junit: `<testsuites><testsuite name="big">${numbers.map((at) => `<testcase classname="pkg.Class${at % 100}" name="case ${at}" time="0.001"/>`).join('\n')}</testsuite></testsuites>`,
  tap: `TAP version 14\n1..${CASES}\n${numbers.map((at) => `ok ${at + 1} - case ${at}\n  ---\n  duration_ms: 0.1\n  ...`).join('\n')}\n`,
  ctrf: JSON.stringify({
    results: {
      tool: { name: 'bench' },
      summary: { tests: CASES, passed: CASES, failed: 0 },
      tests: numbers.map((at) => ({ name: `case ${at}`, status: 'passed', duration: 1, suite: ['big'] })),
    },
  }),
  lava: numbers
    .map(
      (at) =>
        `- id: '${at}'\n  job: '1'\n  logged: '2026-11-07 11:11:01.3+00:00'\n  metadata: {case: case-${at}}\n  name: case-${at}\n  result: pass\n  suite: 0_big\n`,
    )
    .join(''),
};

export function measureReports() {
  return Object.entries(REPORTS).map(([format, text]) => {
    const bytes = Buffer.from(text);
    const times = Array.from({ length: RUNS }, () => {
      const began = performance.now();
      const { verdict, counts } = readReport(format, bytes);
      if (verdict !== 'PASSED' || counts.total !== CASES) throw new Error(`read the ${format} report: expected PASSED, got ${verdict}`);
      return performance.now() - began;
    });
    const ours = median(times);
    const what = `read a ${format} report of ${CASES} cases (${round(bytes.length / 1e6)} MB)`;
    return { id: `reports-${format}`, what, ours: round(ours), peer: null, limit: LIMIT_MS, ratio: round(ours / LIMIT_MS), unit: 'ms' };
  });
}
