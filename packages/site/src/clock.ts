/** Clocks and timers, read here and nowhere else. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';

/** The clocks of a host: what the wall says, and what nobody can set. */
export interface Clock {
  /** Wall clock, RFC 3339 in UTC, whole seconds. May be wrong by decades. */
  wallTime(): string;
  /** Seconds since boot; never goes back while `bootId` stays. */
  uptimeSeconds(): number;
  /** Another text after each boot. */
  bootId(): string;
  /** Resolves after `ms` milliseconds. Rejects with an AbortError as soon as `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Between two looks at the kernel's count, which is a file of hundredths of seconds to read: who asks again at once is told the same. */
const LOOK_MS = 10;

/** The host's own clocks. */
export const systemClock: Clock = {
  wallTime: () => `${new Date().toISOString().slice(0, 19)}Z`,
  uptimeSeconds: sometimes(uptime),
  bootId: memo(readBootId),
  sleep: async (ms, signal) => {
    await wait(ms, undefined, { signal });
  },
};

/**
 * The kernel's id of this boot, and when the first process began: in a container that is restarted the kernel's id stays (or is hidden by a sandbox), and all
 * that ran is gone all the same. proc(5): after the last `)` the start time is field 22 of the whole.
 */
function readBootId(): string {
  if (process.platform === 'linux') {
    const fields = readFileSync('/proc/1/stat', 'latin1').replace(/^.*\)/s, '').trim().split(' ');
    return `${bootOfUnit() ?? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}.${fields[19] ?? ''}`;
  }
  return execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim();
}

/** The id as systemd gives it to our units (%b): where this is a container, a sandbox shows the id of the host's kernel, and a shell beside it the container's. */
function bootOfUnit(): string | undefined {
  const [, ...parts] = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/.exec(process.env['SEALANE_BOOT'] ?? '') ?? [];
  return parts.length === 0 ? undefined : parts.join('-');
}

function sometimes(look: () => number): () => number {
  let [seconds, lookedMs] = [0, -Infinity];
  return () => {
    const nowMs = performance.now();
    if (nowMs - lookedMs >= LOOK_MS) [seconds, lookedMs] = [look(), nowMs];
    return seconds;
  };
}

function memo(read: () => string): () => string {
  let value: string | undefined;
  return () => (value ??= read());
}
