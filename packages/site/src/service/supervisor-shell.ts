/** What systemd gives a service and hears from it (sd_listen_fds(3), sd_notify(3)). Without systemd none of it does anything. */
import { execFile } from 'node:child_process';
import { SiteError } from '@sealane/core';
import type { Listening } from './line-socket-shell.js';

/** What the socket of technicians is called. */
const TECHNICIANS = 'technicians';

/** The first descriptor that systemd passes. */
const FIRST_FD = 3;

/** One who supervises this process. */
export interface Supervisor {
  /** The service does its work now. From here on the watchdog is fed, as long as the event loop turns. */
  ready(): void;
  stopping(): void;
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The socket to listen on: the one that systemd opened, else `given`.
 *
 * @throws SiteError `USAGE` neither is there, or systemd passed more than one
 */
export function listeningAt(env: Env, pid: number, given: string | undefined): Listening {
  const passed = passedSockets(env, pid);
  if (passed !== undefined) {
    const [own, ...more] = passed.filter(({ name }) => name !== TECHNICIANS);
    if (own !== undefined && more.length === 0) return { fd: own.fd };
    throw new SiteError('USAGE', `listen: expected one socket from systemd, got ${env['LISTEN_FDS'] ?? 'none'}`);
  }
  if (given !== undefined) return { path: given };
  throw new SiteError('USAGE', 'listen: expected a socket from systemd, or --listen');
}

/** The socket of technicians: the one of that name that systemd opened, else `given`; undefined where there is none. */
export function techniciansAt(env: Env, pid: number, given: string | undefined): Listening | undefined {
  const passed = passedSockets(env, pid)?.find(({ name }) => name === TECHNICIANS);
  if (passed !== undefined) return { fd: passed.fd };
  return given === undefined ? undefined : { path: given };
}

/** What systemd passed to this process, each with its name (`FileDescriptorName=`); undefined when it passed nothing. */
function passedSockets(env: Env, pid: number): readonly { readonly fd: number; readonly name: string | undefined }[] | undefined {
  if (env['LISTEN_PID'] !== String(pid)) return undefined;
  const names = (env['LISTEN_FDNAMES'] ?? '').split(':');
  return Array.from({ length: Number(env['LISTEN_FDS'] ?? 0) }, (_, at) => ({ fd: FIRST_FD + at, name: names[at] }));
}

/** Where a service listens, for people. */
export function describeListening(at: Listening): string {
  return 'path' in at ? `listening on ${at.path}` : 'listening on the socket that systemd opened';
}

/** Talks to systemd if it listens. Node speaks no datagrams on unix sockets, so `systemd-notify` does; the unit has `NotifyAccess=all`. */
export function supervisor(env: Env): Supervisor {
  if (env['NOTIFY_SOCKET'] === undefined) return { ready: () => undefined, stopping: () => undefined };
  return {
    ready: () => {
      notify('READY=1');
      const everyMs = Number(env['WATCHDOG_USEC'] ?? 0) / 1000 / 3;
      if (everyMs < 1) return;
      setInterval(() => notify('WATCHDOG=1'), everyMs).unref();
    },
    stopping: () => notify('STOPPING=1'),
  };
}

/** A word that does not arrive is missed by the watchdog, which is the right one to act on it. */
function notify(word: string): void {
  execFile('systemd-notify', [word], (error) => {
    if (error !== null) process.stderr.write(`tell systemd ${word}: ${error.message}\n`);
  });
}
