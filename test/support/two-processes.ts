/** The updater as two services without systemd: `fetch` and `apply`, each on a socket of its own, and an operator who asks. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Answer, commandWords, expectJson, runJson } from './run.js';
import type { TestSite } from './site.js';

/** A running pair. */
export interface TwoProcesses {
  readonly fetchSocket: string;
  readonly operators: string;
  /** Where technicians ask, who may do less. */
  readonly technicians: string;
  /** Asks for a verb; the exit code is the caller's to judge. */
  ask(words: readonly string[]): Promise<Answer>;
  /** As `ask`, but it must end with `exit` (default 0). */
  must(words: readonly string[], exit?: number): Promise<Answer['json']>;
  stop(): Promise<void>;
}

/** One of the two, listening. */
interface OneProcess {
  stop(): Promise<void>;
}

/** Starts `fetch` alone. */
export function startFetch(socket: string, mirror: string): Promise<OneProcess> {
  return startListening(socket, ['fetch', '--listen', socket, '--mirror', mirror]);
}

/** Starts both at a site that was enrolled in one process. With `fetch: 'none'` somebody else listens where fetch would. */
export async function startTwoProcesses(
  site: TestSite,
  { fetch: whose = 'ours' }: { readonly fetch?: 'ours' | 'none' } = {},
): Promise<TwoProcesses> {
  const at = (name: string): string => path.join(site.dir, name);
  const [fetchSocket, operators, mirror] = [at('fetch.sock'), at('operators.sock'), at('fetched')];
  const technicians = at('technicians.sock');
  const fetch = whose === 'none' ? undefined : await startFetch(fetchSocket, mirror);
  const words = ['--fetch', fetchSocket, '--mirror', mirror, '--config', site.config, '--state', site.state];
  const apply = await startListening(operators, ['apply', '--listen', operators, '--technicians', technicians, ...words]);
  const asking = (more: readonly string[]): readonly string[] => [...more, '--service', operators];
  return {
    fetchSocket,
    operators,
    technicians,
    ask: (more) => runJson('sealane-site', asking(more)),
    must: (more, exit = 0) => expectJson('sealane-site', asking(more), exit),
    stop: async () => {
      await apply.stop();
      await fetch?.stop();
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

/** Connections that send bytes and never end by themselves; `ended` = all of them were, by the service; `drop` ends them here too. */
export async function keptOpen(socket: string, count: number, bytes: string): Promise<{ readonly ended: Promise<unknown>; drop(): void }> {
  const clients = Array.from({ length: count }, () => connect({ path: socket, allowHalfOpen: true }));
  const endOf = (client: Socket): Promise<unknown> =>
    new Promise((resolve) =>
      client
        .on('error', () => undefined)
        .once('end', resolve)
        .once('close', resolve)
        .resume(),
    );
  const ended = Promise.all(clients.map(endOf));
  await Promise.all(clients.map((client) => new Promise((resolve) => client.write(bytes, resolve))));
  return { ended, drop: () => clients.forEach((client) => client.destroy()) };
}

async function startListening(socket: string, words: readonly string[]): Promise<OneProcess> {
  const child = spawn(process.execPath, commandWords('sealane-site', words), { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  while (!existsSync(socket)) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`start ${words[0] ?? ''}: expected ${socket}, got\n${said}`);
    await wait(20);
  }
  return { stop: () => ended(child) };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}
