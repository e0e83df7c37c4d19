/** Ends a service that nobody needs for the moment: systemd keeps its socket and starts it again. */

/** Aborts `signal` once nothing has been done for long enough. */
export interface IdleTimer {
  readonly signal: AbortSignal;
  /** As long as `use` runs, the service is not idle. */
  keep<T>(use: () => Promise<T>): Promise<T>;
}

/** A timer of `seconds`; Infinity never ends anything. */
export function idleTimer(seconds: number): IdleTimer {
  const idle = new AbortController();
  let under = 0;
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    if (Number.isFinite(seconds)) timer = setTimeout(() => idle.abort(), seconds * 1000).unref();
  };
  begin();
  return {
    signal: idle.signal,
    keep: async (use) => {
      clearTimeout(timer);
      under += 1;
      try {
        return await use();
      } finally {
        under -= 1;
        if (under === 0) begin();
      }
    },
  };
}
