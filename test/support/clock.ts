/** Processes whose wall clock is wrong. */
import { writeFileSync } from 'node:fs';
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

/** A clock that is moved while processes run. */
export interface MovedClock {
  /** For the environment of each process that is to go by it. */
  readonly nodeOptions: string;
  /** Sets it ahead of this machine's by so many milliseconds. */
  moveTo(aheadMs: number): void;
}

/** Keeps in `file` how far ahead it is; each look at the clock reads it. */
export function movedClock(file: string): MovedClock {
  const moveTo = (aheadMs: number): void => writeFileSync(file, String(aheadMs));
  moveTo(0);
  const module = `
    import { readFileSync } from 'node:fs';
    const then = Date;
    const ahead = () => Number(readFileSync(${JSON.stringify(file)}, 'utf8'));
    globalThis.Date = class extends then {
      constructor(...given) { super(...(given.length === 0 ? [then.now() + ahead()] : given)); }
      static now() { return then.now() + ahead(); }
    };`;
  return { nodeOptions: `--import=data:text/javascript,${encodeURIComponent(module)}`, moveTo };
}
