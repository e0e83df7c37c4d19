/** A clock that a test moves: sleeping is what makes time pass. */
import type { Clock } from '../clock.js';

/** Starts at `wall` (RFC 3339) and `uptime` seconds. `onSleep` is called after each sleep, for what happens meanwhile. */
export class FakeClock implements Clock {
  boot = 'boot-1';
  onSleep: () => void = () => undefined;

  constructor(
    public wall = '2026-11-24T10:00:00Z',
    public uptime = 1000,
  ) {}

  wallTime(): string {
    return this.wall;
  }

  uptimeSeconds(): number {
    return this.uptime;
  }

  bootId(): string {
    return this.boot;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(new DOMException('aborted', 'AbortError'));
    this.uptime += ms / 1000;
    this.onSleep();
    return Promise.resolve();
  }
}
