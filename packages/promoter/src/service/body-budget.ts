/**
 * Memory that request bodies share. Who takes most of it gives way to who needs little: a few large bodies that never end would else keep everybody
 * out, a revocation too, for as long as each may take. Pure.
 */

/** What each body may take beside the budget, in bytes: the headers around it may take more. Orders, records and requests for certificates fit. */
const SMALL_BYTES = 16 * 1024;

/** Strangers have a budget of their own, so that they cannot use up what callers need. */
export interface BodyBudget {
  /** Begins a body. `giveWay` is called when it has to end for a smaller one; what it took is free again by then. */
  begin(giveWay: () => void): BodyShare;
}

/** What one body takes. */
export interface BodyShare {
  /** Takes bytes; false when there are not as many, though no larger body is still coming. */
  take(bytes: number): boolean;
  /** It has come: it gives way to none any more, since somebody works with it. */
  whole(): void;
  /** Gives everything back. */
  close(): void;
}

interface Open {
  size: number;
  readonly giveWay: () => void;
}

/** A budget of so many bytes. */
export function bodyBudget(totalBytes: number): BodyBudget {
  let left = totalBytes;
  /** Those that are still coming. */
  const coming = new Set<Open>();
  const largest = (): Open | undefined =>
    [...coming].reduce<Open | undefined>((a, b) => (a !== undefined && a.size >= b.size ? a : b), undefined);
  const free = (body: Open): void => {
    coming.delete(body);
    left += charged(body.size);
    body.size = 0;
  };
  return {
    begin: (giveWay) => {
      const body: Open = { size: 0, giveWay };
      coming.add(body);
      return {
        take: (bytes) => {
          if (!coming.has(body)) return false;
          const size = body.size + bytes;
          const more = charged(size) - charged(body.size);
          for (let other = largest(); more > left; other = largest()) {
            if (other === undefined || other.size <= size) return false;
            free(other);
            other.giveWay();
          }
          left -= more;
          body.size = size;
          return true;
        },
        whole: () => coming.delete(body),
        close: () => free(body),
      };
    },
  };
}

function charged(bytes: number): number {
  return Math.max(0, bytes - SMALL_BYTES);
}
