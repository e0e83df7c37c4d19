/** Runs a command of local configuration to its end, within a time; with it ends everything it started. */
import { spawn } from 'node:child_process';
import { isNodeError } from '../disk.js';

/** How a command ended: with an exit code, or why it has none. */
export type CommandEnd = { readonly code: number } | { readonly code: undefined; readonly why: string };

/** Where and how long a command runs. */
export interface RunOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Runs it; never rejects. At the timeout or when `signal` aborts the whole process group is killed. */
export function runToEnd(argv: readonly string[], { cwd, env, timeoutMs, signal }: RunOptions): Promise<CommandEnd> {
  const [file = '', ...words] = argv;
  return new Promise((resolve) => {
    const child = spawn(file, words, { cwd, env, detached: true, stdio: 'ignore' });
    const end = (answer: CommandEnd): void => {
      limit.removeEventListener('abort', kill);
      resolve(answer);
    };
    const kill = (): void => {
      killGroup(child.pid);
      end({ code: undefined, why: signal.aborted ? 'it was interrupted' : `it took longer than ${timeoutMs} ms` });
    };
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    limit.addEventListener('abort', kill, { once: true });
    child.once('error', (error) => end({ code: undefined, why: error.message }));
    child.once('exit', (code, by) => end(code === null ? { code: undefined, why: `it was ended by ${by ?? 'a signal'}` } : { code }));
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // it ended by itself just now
    if (!isNodeError(error, 'ESRCH')) throw error;
  }
}
