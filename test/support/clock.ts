/** Processes whose wall clock is wrong. */
import type { RunOptions } from './run.js';

/** Options for a command whose clock is ahead of this machine's. In milliseconds; the clock goes on. */
export function clockAhead(aheadMs: number): Pick<RunOptions, 'node'> {
  const module = `
    const then = Date;
    globalThis.Date = class extends then {
      constructor(...given) { super(...(given.length === 0 ? [then.now() + ${aheadMs}] : given)); }
      static now() { return then.now() + ${aheadMs}; }
    };`;
  return { node: ['--import', `data:text/javascript,${encodeURIComponent(module)}`] };
}
