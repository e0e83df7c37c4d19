/** The public surface of `site`: its command line, and nothing that costs time before a command is known. */
import { type CommandIo, runCommandLine } from '@sealane/core/command-line';
import { program } from './program.js';

/** Runs `sealane-site` with these words (without node and script); returns the exit code of CONTRACT.md. */
export async function runSealaneSite(argv: readonly string[], io: CommandIo = processIo()): Promise<number> {
  return await runCommandLine(program, argv, io);
}

/** The process as a command's outside: the first SIGINT or SIGTERM aborts, a second one ends at once. */
function processIo(): CommandIo {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  return {
    env: process.env,
    cwd: process.cwd(),
    isTerminal: process.stderr.isTTY,
    signal: stop.signal,
    out: (text) => void process.stdout.write(text),
    talk: (text) => void process.stderr.write(text),
  };
}
