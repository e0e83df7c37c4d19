/** Runs a real command and kills it at a named point. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'vitest';
import { type Executable, ROOT, runJson } from './run.js';

/** What makes node kill itself at the point that SEALANE_KILL_AT names. */
export const PRELOAD = pathToFileURL(path.join(ROOT, 'test', 'support', 'kill-at.mjs')).href;

/** What makes node write the file that SEALANE_TOUCH_FILE names at the point that SEALANE_TOUCH_AT names. */
export const TOUCH = pathToFileURL(path.join(ROOT, 'test', 'support', 'touch-at.mjs')).href;

/** Runs until the point is reached, which it must be: a command that ends by itself was never there. */
export async function killAt(point: string, program: Executable, words: readonly string[]): Promise<void> {
  const ended = await runJson(program, words, { node: ['--import', PRELOAD], env: { SEALANE_KILL_AT: point } });
  expect({ signal: ended.signal, exit: ended.exit }, `${point}: ${ended.stdout}${ended.stderr}`).toEqual({ signal: 'SIGKILL', exit: null });
}
