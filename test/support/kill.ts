/** Runs a real command and kills it, or stops it for a while, at a named point. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { expect } from 'vitest';
import { type Answer, commandWords, endOf, type Executable, ROOT, runJson } from './run.js';

/** What makes node kill itself at the point that SEALANE_KILL_AT names. */
export const PRELOAD = pathToFileURL(path.join(ROOT, 'test', 'support', 'kill-at.mjs')).href;

/** What makes node write the file that SEALANE_TOUCH_FILE names at the point that SEALANE_TOUCH_AT names. */
export const TOUCH = pathToFileURL(path.join(ROOT, 'test', 'support', 'touch-at.mjs')).href;

/** Runs until the point is reached, which it must be: a command that ends by itself was never there. */
export async function killAt(point: string, program: Executable, words: readonly string[]): Promise<void> {
  const ended = await runJson(program, words, { node: ['--import', PRELOAD], env: { SEALANE_KILL_AT: point } });
  expect({ signal: ended.signal, exit: ended.exit }, `${point}: ${ended.stdout}${ended.stderr}`).toEqual({ signal: 'SIGKILL', exit: null });
}

/** Starts a command and waits until it stands still at the point, where it writes `file`; `goOn` wakes it and resolves with its answer. */
export async function standAt(
  point: string,
  program: Executable,
  words: readonly string[],
  file: string,
): Promise<{ goOn(): Promise<Answer> }> {
  const env = { ...process.env, SEALANE_TOUCH_AT: point, SEALANE_TOUCH_FILE: file, SEALANE_TOUCH_STOP: 'yes' };
  const command = commandWords(program, [...words, '--json'], ['--import', TOUCH]);
  const child = spawn(process.execPath, command, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (text: string) => (said[name] += text));
  const over = new AbortController();
  const ended = endOf(child).then((how) => {
    over.abort();
    return { ...how, ...said, json: said.stdout === '' ? undefined : (JSON.parse(said.stdout) as unknown) };
  });
  while (!existsSync(file)) {
    if (over.signal.aborted)
      throw new Error(`stand at ${point}: expected ${words.join(' ')} to come there, it ended\n${said.stdout}${said.stderr}`);
    await wait(5);
  }
  return {
    goOn: async () => {
      // again and again: it stops just after it has written the file
      const waking = setInterval(() => child.kill('SIGCONT'), 50);
      try {
        return await ended;
      } finally {
        clearInterval(waking);
      }
    },
  };
}
