/** The executable's shell: the process, its streams and signals around the command table. */
import { type CommandIo, runCommandLine } from '@sealane/core/command-line';
import { PROGRAM } from './program.js';

/** Runs `sealane` with the arguments after the script's name; resolves with the exit code. SIGINT and SIGTERM abort the command's signal. */
export async function runSealane(argv: readonly string[]): Promise<number> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
  const io: CommandIo = {
    env: process.env,
    cwd: process.cwd(),
    isTerminal: process.stdout.isTTY,
    signal: stop.signal,
    out: (text) => void process.stdout.write(text),
    talk: (text) => void process.stderr.write(text),
  };
  return await runCommandLine(PROGRAM, argv, io);
}
