/**
 * Standard output and standard error around a command: what cannot be written there stops nothing in the middle.
 *
 * What goes to standard error is talk: where a full disk holds the log of a daemon, the daemon goes on. What goes to standard output is the answer: a
 * command whose answer is lost says so and does not end with 0. A reader that has read enough (`| head`) is no fault.
 */
import type { CommandIo } from './command-spec.js';
import { diskRefusal } from './disk-refusal.js';
import { ERRORS } from './error-table.js';

/** What is used of a stream of the process. */
export interface OutputStream {
  on(event: 'error', listener: (error: Error) => void): unknown;
  write(text: string, done: (error?: Error | null) => void): unknown;
}

/** `out` and `talk` of a command, and the exit code that it ends with when all is written. */
export interface CommandStreams extends Pick<CommandIo, 'out' | 'talk'> {
  /** `exit`, but for 0 when the answer could not be written; then why stands on standard error. */
  exitAfterWriting(exit: number): Promise<number>;
}

/** The streams of the program `name`. Errors of both are taken here, and nobody else has to. */
export function commandStreams(name: string, stdout: OutputStream, stderr: OutputStream): CommandStreams {
  let failure: Error | undefined;
  let written: Promise<void> = Promise.resolve();
  // they are told by the callback of each write
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined);
  const talk = (text: string): void => void stderr.write(text, () => undefined);
  const out = (text: string): void => {
    written = new Promise((resolve) => {
      stdout.write(text, (error) => {
        failure ??= error ?? undefined;
        resolve();
      });
    });
  };
  const exitAfterWriting = async (exit: number): Promise<number> => {
    await written;
    if (failure === undefined || isClosedPipe(failure)) return exit;
    const doing = 'write the answer to standard output';
    const known = diskRefusal(failure, doing);
    const hint = known?.hint ?? 'see where standard output goes, then run the command again';
    talk(`${name}: error: ${known?.message ?? `${doing}: ${failure.message}`} (${known?.code ?? 'INTERNAL'})\n${name}: hint: ${hint}\n`);
    return exit !== 0 ? exit : known === undefined ? 1 : ERRORS[known.code].exit;
  };
  return { out, talk, exitAfterWriting };
}

function isClosedPipe(error: Error): boolean {
  return 'code' in error && error.code === 'EPIPE';
}
