/** A network namespace without any link but its own loopback: what runs in it reaches nothing and nobody. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** As root a namespace of its own is enough; others need one of users around it. */
const AS =
  process.getuid?.() === 0
    ? { unshare: ['-n'], nsenter: ['-n'] }
    : { unshare: ['-r', '-n'], nsenter: ['-U', '-n', '--preserve-credentials'] };

/** Whether this machine lets us make one. With `SEALANE_REQUIRE=all` a machine that does not is an error. */
export function canIsolate(): boolean {
  const { status, stderr, error } = spawnSync('unshare', [...AS.unshare, 'ip', 'link', 'set', 'lo', 'up'], { encoding: 'utf8' });
  if (status === 0) return true;
  if (process.env['SEALANE_REQUIRE'] === 'all')
    throw new Error(`make a network namespace: expected unshare and ip to work, got ${error?.message ?? stderr}`);
  return false;
}

/** A namespace: the words before a command that is to run in it, and its end. */
export interface Isolated {
  readonly enter: readonly [program: string, ...words: string[]];
  stop(): void;
}

/** Makes a namespace, held open by a process that sleeps. */
export async function isolate(): Promise<Isolated> {
  const holder: ChildProcess = spawn('unshare', [...AS.unshare, 'sh', '-c', 'ip link set lo up && echo up && exec sleep 3600'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (holder.stdout === null) throw new Error('make a network namespace: expected its output');
  await once(holder.stdout, 'data');
  return { enter: ['nsenter', '-t', String(holder.pid), ...AS.nsenter, '--'], stop: () => void holder.kill('SIGKILL') };
}
