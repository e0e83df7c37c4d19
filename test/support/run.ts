/** Runs the real executables in processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout that the tests run in. */
export const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

export type Executable = 'sealane' | 'sealane-site';

/** How a process ended; `exit` is null when a signal ended it. */
export interface Ended {
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An ended command with its one JSON object: `any`, since tests assert its shape field by field. */
export interface Answer extends Ended {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what is asserted is the shape itself
  readonly json: any;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Words for node itself, before the script. */
  readonly node?: readonly string[];
  /** Ends it with SIGABRT when it takes longer. */
  readonly limitMs?: number;
}

/** The words that start an executable under this Node. */
export function commandWords(program: Executable, words: readonly string[], node: readonly string[] = []): readonly string[] {
  return [...node, path.join(ROOT, 'bin', `${program}.mjs`), ...words];
}

/** Runs a program to its end. */
export function runProgram(file: string, words: readonly string[], { env = {}, cwd, limitMs }: RunOptions = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const limit = limitMs === undefined ? {} : { timeout: limitMs, killSignal: 'SIGABRT' as const };
    const child = spawn(file, words, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], ...limit });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    child.on('error', reject);
    void endOf(child).then((how) => resolve({ ...how, ...output }));
  });
}

/**
 * How a program ended, when all that it wrote has been read. Not `close`: a workload that a site starts may hold on to a pipe after the command has ended. Not
 * at once either: its end may be seen together with that of another program, before its last words were looked for.
 */
export function endOf(child: ChildProcess): Promise<Pick<Ended, 'exit' | 'signal'>> {
  return new Promise((resolve) => {
    child.once('exit', (exit, signal) => {
      // the next turn of the loop begins with all pipes that have something in them
      setImmediate(() => setImmediate(() => resolve({ exit, signal })));
    });
  });
}

/** Runs a command with `--json`; its exit code is the caller's to judge. */
export async function runJson(program: Executable, words: readonly string[], options: RunOptions = {}): Promise<Answer> {
  const ended = await runProgram(process.execPath, commandWords(program, [...words, '--json'], options.node), options);
  try {
    return { ...ended, json: ended.stdout === '' ? undefined : JSON.parse(ended.stdout) };
  } catch (cause) {
    throw new Error(`read the answer of ${program} ${words.join(' ')}: expected one JSON object, got ${ended.stdout}${ended.stderr}`, {
      cause,
    });
  }
}

/** As `runJson`, for a command that must end with `exit` (default 0); returns its JSON. */
export async function expectJson(
  program: Executable,
  words: readonly string[],
  exit = 0,
  options: RunOptions = {},
): Promise<Answer['json']> {
  const answer = await runJson(program, words, options);
  if (answer.exit !== exit) {
    throw new Error(
      `run ${program} ${words.join(' ')}: expected exit ${exit}, got ${answer.exit ?? answer.signal ?? ''}\n${answer.stdout}${answer.stderr}`,
    );
  }
  return answer.json;
}

/** A running server: what the first line of its stdout said, and how to end it. */
export interface Server {
  readonly url: string;
  /** Of a witness. */
  readonly vkey?: string;
  /** All that its first line said. */
  readonly first: Readonly<Record<string, string>>;
  /** What it has told people so far. */
  stderr(): string;
  /** Resolves when it has ended, with its exit code or signal. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a command that serves and waits for its first line, a JSON object with `url`. */
export function startServer(program: Executable, words: readonly string[], { env = {}, node }: RunOptions = {}): Promise<Server> {
  return startNode(commandWords(program, words, node), env);
}

/** As `startServer`, for a script: words for node. */
export function startNode(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Server> {
  return startListening(process.execPath, words, env);
}

/** As `startServer`, for a program that starts ours. */
export function startListening(file: string, words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Server> {
  const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let errors = '';
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (errors += piece));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) =>
      reject(new Error(`start ${words.join(' ')}: expected a server, it ended with ${code ?? 'a signal'}\n${errors}`)),
    );
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      const end = text.indexOf('\n');
      if (end < 0) return;
      const first = JSON.parse(text.slice(0, end)) as { readonly url: string; readonly vkey?: string };
      const ended = new Promise<number | NodeJS.Signals | null>((done) => child.once('exit', (code, signal) => done(code ?? signal)));
      resolve({ ...first, first, ended, stderr: () => errors, stop: (signal) => stopChild(child, signal) });
    });
  });
}

function stopChild(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve();
      return;
    }
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}
