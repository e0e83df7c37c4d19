/** The updater as two services without systemd: `fetch` and `apply`, each on a socket of its own, and an operator who asks. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Answer, commandWords, expectJson, runJson } from './run.js';
import type { TestSite } from './site.js';

/** A running pair. */
export interface TwoProcesses {
  readonly fetchSocket: string;
  readonly operators: string;
  /** What both have told people so far. */
  said(): string;
  /** Asks for a verb; the exit code is the caller's to judge. */
  ask(words: readonly string[]): Promise<Answer>;
  /** As `ask`, but it must end with `exit` (default 0). */
  must(words: readonly string[], exit?: number): Promise<Answer['json']>;
  readonly fetch: ChildProcess | undefined;
  readonly apply: ChildProcess;
  stop(): Promise<void>;
}

/** Starts both at a site that was enrolled in one process. With `fetch: 'none'` somebody else listens where fetch would. */
export async function startTwoProcesses(
  site: TestSite,
  { fetch: own = 'ours' }: { readonly fetch?: 'ours' | 'none' } = {},
): Promise<TwoProcesses> {
  const at = (name: string): string => path.join(site.dir, name);
  const [fetchSocket, operators] = [at('fetch.sock'), at('operators.sock')];
  let said = '';
  const start = (words: readonly string[]): ChildProcess => {
    const child = spawn(process.execPath, commandWords('sealane-site', words), { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    return child;
  };
  const fetch = own === 'none' ? undefined : start(['fetch', '--listen', fetchSocket, '--mirror', at('fetched')]);
  if (fetch !== undefined) await listens(fetchSocket, fetch, () => said);
  const apply = start([
    ...['apply', '--listen', operators, '--fetch', fetchSocket, '--mirror', at('fetched')],
    ...['--config', site.config, '--state', site.state],
  ]);
  await listens(operators, apply, () => said);
  const asking = (words: readonly string[]): readonly string[] => [...words, '--service', operators];
  return {
    fetchSocket,
    operators,
    said: () => said,
    ask: (words) => runJson('sealane-site', asking(words)),
    must: (words, exit = 0) => expectJson('sealane-site', asking(words), exit),
    fetch,
    apply,
    stop: async () => {
      await ended(apply);
      if (fetch !== undefined) await ended(fetch);
    },
  };
}

/** Sends bytes as no client of ours would, and returns what comes back before the end. */
export function askRaw(socket: string, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const client = connect({ path: socket }, () => client.write(bytes));
    client.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    client.on('error', (error: NodeJS.ErrnoException) =>
      ['EPIPE', 'ECONNRESET'].includes(error.code ?? '') ? resolve(text) : reject(error),
    );
    client.on('close', () => resolve(text));
  });
}

async function listens(socket: string, child: ChildProcess, said: () => string): Promise<void> {
  while (!existsSync(socket)) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`start a service: expected ${socket}, got\n${said()}`);
    await wait(20);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}
