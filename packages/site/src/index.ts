/** The public surface of `site`: its command line, and nothing that costs time before a command is known. */
import { readFileSync } from 'node:fs';
import { type CommandHelp, type CommandIo, commandStreams, describeCommands, runCommandLine } from '@sealane/core/command-line';
import { isNodeError } from './disk.js';
import { program } from './program.js';

/**
 * Runs `sealane-site` with these words (without node and script); returns the exit code of CONTRACT.md. `help` is the file that bundling wrote
 * (`describeSealaneSite`).
 */
export async function runSealaneSite(argv: readonly string[], help?: URL): Promise<number> {
  const { exitAfterWriting, ...streams } = commandStreams('sealane-site', process.stdout, process.stderr);
  const io = { ...processIo(), ...streams };
  const exit = await runCommandLine(help === undefined ? program : { ...program, written: () => readHelp(help) }, argv, io);
  if (process.env['SEALANE_WHOLE'] !== undefined) (await import('./self/damage-shell.js')).leaveMark(process.env);
  return await exitAfterWriting(exit);
}

/** Every command's help, for bundling to write down. */
export async function describeSealaneSite(): Promise<object> {
  return await describeCommands(program);
}

/** A program that is run from its sources has no such file. What is in it was written by this program. */
function readHelp(help: URL): Readonly<Record<string, CommandHelp>> | undefined {
  try {
    return JSON.parse(readFileSync(help, 'utf8')) as Readonly<Record<string, CommandHelp>>;
  } catch (error) {
    if (isNodeError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** The process as a command's outside: the first SIGINT or SIGTERM aborts, a second one ends at once. */
function processIo(): Omit<CommandIo, 'out' | 'talk'> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  return {
    env: process.env,
    cwd: process.cwd(),
    isTerminal: process.stderr.isTTY,
    signal: stop.signal,
  };
}
