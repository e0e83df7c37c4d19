/** The executable's shell: the process, its streams and signals around the command table. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  type CommandHelp,
  type CommandIo,
  commandStreams,
  describeCommands,
  type Program,
  runCommandLine,
} from '@sealane/core/command-line';
import { isNotFound, writeOutput } from './disk-shell.js';
import { PROGRAM } from './program.js';
import { withoutRunnerCommands } from './runner-commands.js';

/**
 * Runs `sealane` with the arguments after the script's name; resolves with the exit code. SIGINT and SIGTERM abort the command's signal.
 * `help` is the file that bundling wrote (`describeSealane`).
 */
export async function runSealane(argv: readonly string[], help?: URL): Promise<number> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
  const { out, talk, exitAfterWriting } = commandStreams('sealane', process.stdout, process.stderr);
  const io: CommandIo = {
    env: process.env,
    cwd: process.cwd(),
    isTerminal: process.stdout.isTTY,
    signal: stop.signal,
    out: (text) => out(withoutRunnerCommands(text)),
    talk: (text) => talk(withoutRunnerCommands(text)),
    save: (file, text) => writeOutput(path.resolve(file), text),
  };
  return await exitAfterWriting(await runCommandLine(withHelp(PROGRAM, help), argv, io));
}

/** Every command's help, for bundling to write down. */
export async function describeSealane(): Promise<object> {
  return await describeCommands(PROGRAM);
}

function withHelp(program: Program, help: URL | undefined): Program {
  return help === undefined ? program : { ...program, written: () => readHelp(help) };
}

/** A program that is run from its sources has no such file. What is in it was written by this program. */
function readHelp(help: URL): Readonly<Record<string, CommandHelp>> | undefined {
  try {
    return JSON.parse(readFileSync(help, 'utf8')) as Readonly<Record<string, CommandHelp>>;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
