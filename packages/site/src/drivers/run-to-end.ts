/** Runs a command of local configuration to its end, within a time; with it ends everything it started. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { isNodeError } from '../disk.js';
import { credentialsEnv } from './credentials.js';
import type { Credentials } from './credentials.js';

/** How a command ended: with an exit code, or why it has none; and what it said, where that was asked for. */
export type CommandEnd = ({ readonly code: number } | { readonly code: undefined; readonly why: string }) & {
  readonly stdout: string;
  readonly stderr: string;
};

/** Where and how long a command runs. */
export interface RunOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** What it is called where it is a unit of its own: what a killed updater left of that name is ended first. Without one it is a look that changes nothing. */
  readonly as?: string;
  /** More properties where it is a unit of its own; else nothing. */
  readonly properties?: readonly string[];
  /** What it reads on standard input; default nothing. */
  readonly input?: Uint8Array;
  /** Where its output goes: to a file descriptor, or into the answer. Default: nowhere. */
  readonly output?: number | 'text';
  /** Secrets that it is given, where `CREDENTIALS_DIRECTORY` says. */
  readonly credentials?: Credentials | undefined;
}

/** Runs a command of local configuration to its end; never rejects. */
export type RunCommand = (argv: readonly string[], options: RunOptions) => Promise<CommandEnd>;

/** What is kept of each stream: the answer of an engine about some hundred containers. */
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

/** Looks at the pipes in which nothing new was found, after the end of a command: all that it said was read then. */
const QUIET_LOOKS = 2;

/** Runs it as a child of this process. At the timeout or when `signal` aborts the whole process group is killed. */
export function runToEnd(argv: readonly string[], options: RunOptions): Promise<CommandEnd> {
  const { cwd, env, timeoutMs, signal, input, output, credentials } = options;
  const [file = '', ...words] = argv;
  const stream = output === 'text' ? 'pipe' : (output ?? 'ignore');
  return new Promise((resolve) => {
    const child = spawn(file, words, {
      cwd,
      env: { ...env, ...credentialsEnv(credentials) },
      detached: true,
      stdio: [input === undefined ? 'ignore' : 'pipe', stream, stream],
    });
    // one that ends before it has read all of it says so by its exit
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
    const said = { stdout: saidOn(child.stdout), stderr: saidOn(child.stderr) };
    const end = (answer: { readonly code: number } | { readonly code: undefined; readonly why: string }): void => {
      limit.removeEventListener('abort', kill);
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve({ ...answer, stdout: said.stdout.text(), stderr: said.stderr.text() });
    };
    const kill = (): void => {
      killGroup(child.pid);
      end({ code: undefined, why: signal.aborted ? 'it was interrupted' : `it took longer than ${timeoutMs} ms` });
    };
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    limit.addEventListener('abort', kill, { once: true });
    child.once('error', (error) => end({ code: undefined, why: error.message }));
    child.once('exit', (code, by) => {
      const answer = code === null ? { code: undefined, why: `it was ended by ${by ?? 'a signal'}` } : { code };
      drained(child, Object.values(said), () => end(answer));
    });
  });
}

/**
 * Calls `then` when all was read that the command said. It has ended: that is in the pipes by now, and a turn of the event loop in which none of them has
 * anything new has seen them empty. What it started may hold on to them for ever, or go on talking: it is waited for no longer, and read up to the bound.
 */
function drained(child: ChildProcess, said: readonly Said[], then: () => void): void {
  if (child.stdout === null) {
    then();
    return;
  }
  let [seen, quiet] = [-1, 0];
  let isOver = false;
  const end = (): void => {
    if (!isOver) then();
    isOver = true;
  };
  const look = (): void => {
    const bytes = said.reduce((sum, each) => sum + each.bytes(), 0);
    quiet = bytes === seen ? quiet + 1 : 0;
    seen = bytes;
    if (quiet >= QUIET_LOOKS || bytes >= said.length * MAX_OUTPUT_BYTES) end();
    else if (!isOver) setImmediate(look);
  };
  child.once('close', end);
  setImmediate(look);
}

/** What came on a stream, as far as it is kept, and how much came. */
interface Said {
  readonly text: () => string;
  readonly bytes: () => number;
}

function saidOn(stream: Readable | null): Said {
  const pieces: Buffer[] = [];
  let bytes = 0;
  stream?.on('data', (piece: Buffer) => {
    if (bytes < MAX_OUTPUT_BYTES) pieces.push(piece.subarray(0, MAX_OUTPUT_BYTES - bytes));
    bytes += piece.length;
  });
  return { text: () => Buffer.concat(pieces).toString(), bytes: () => bytes };
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
