/** How much of this site's link each neighbour may use in an hour: one that sends without end costs so much and no more. Pure. */

const HOUR_SECONDS = 3600;

/** A day's receipts with their inventories. */
const HOURLY_BYTES = 8 * 1024 * 1024;

/** What a request costs beside its body: a connection over TLS, and the answer. */
const REQUEST_BYTES = 16 * 1024;

/** What was taken since the hour began. */
export interface HourlyShare {
  /** Takes what a body of so many bytes costs; the seconds after which there is as much, 0 where it was taken. */
  take(neighbour: string, bodyBytes: number, nowSeconds: number): number;
}

/** Shares of which nothing is taken yet. */
export function hourlyShare(): HourlyShare {
  let endSeconds = 0;
  const taken = new Map<string, number>();
  return {
    take: (neighbour, bodyBytes, nowSeconds) => {
      if (nowSeconds >= endSeconds) {
        taken.clear();
        endSeconds = nowSeconds + HOUR_SECONDS;
      }
      const bytes = (taken.get(neighbour) ?? 0) + bodyBytes + REQUEST_BYTES;
      if (bytes > HOURLY_BYTES) return Math.ceil(endSeconds - nowSeconds);
      taken.set(neighbour, bytes);
      return 0;
    },
  };
}
