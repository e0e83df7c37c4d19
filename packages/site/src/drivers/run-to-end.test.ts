import { expect, test } from 'vitest';
import { type RunOptions, runToEnd } from './run-to-end.js';

const options: RunOptions = { cwd: '/', env: process.env, timeoutMs: 60_000, signal: new AbortController().signal, output: 'text' };

/** Holds the event loop up, as a busy host does: what happens meanwhile is all there at once. */
function stall(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test('all that a command said is read, however late, while what it started holds on to its streams', async () => {
  // more than one read takes: a socket holds some 200 kB
  const run = runToEnd(['/bin/sh', '-c', 'sleep 5 & head -c 150000 /dev/zero | tr "\\0" x; echo end >&2'], options);
  setTimeout(() => stall(1500), 0);
  const { code, stdout, stderr } = await run;
  expect({ code, bytes: stdout.length, stderr }).toEqual({ code: 0, bytes: 150_000, stderr: 'end\n' });
});

test('what it started is waited for no longer, whether it is silent or goes on talking for ever', async () => {
  for (const left of ['sleep 5 >&1 &', 'yes &']) {
    // the least of some: a busy host makes any one of them late
    const waits: number[] = [];
    for (let times = 0; times < 5; times += 1) {
      const { code, stdout, stderr } = await runToEnd(['/bin/sh', '-c', `${left} sleep 0.1; date +%s%3N >&2`], options);
      expect(code).toBe(0);
      expect(stdout.length).toBeLessThanOrEqual(4 * 1024 * 1024);
      waits.push(Date.now() - Number(stderr));
    }
    expect(Math.min(...waits)).toBeLessThan(400);
  }
});
