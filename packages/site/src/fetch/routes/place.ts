/** Places as site.yaml names them: addresses or folders, each with the classes of traffic that it carries and what it may cost. */
import type { MaintenanceWindow } from '../../apply/windows.js';

/** Trust metadata, log and waybills; or content, which is all bulk. Receipts have a list of their own. */
export type TrafficClass = 'trust' | 'content';

/** Local times of a zone in which bulk goes no faster. */
export interface RateLimits {
  /** IANA name. */
  readonly timeZone: string;
  readonly limits: readonly (MaintenanceWindow & { readonly bytesPerSecond: number })[];
}

/** Files (PEM) of mutual TLS: whose certificates are taken, and what is shown. */
export interface MutualTls {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** Of TLS with a place of an authority of one's own; without a certificate nothing is shown. */
export type PlaceTls = MutualTls | Pick<MutualTls, 'ca'>;

/** A lane or mirror; the same `at` twice is one place with two turns. */
export interface Place {
  /** `http(s)://…` without `/` at its end, or an absolute folder. */
  readonly at: string;
  readonly carries: readonly TrafficClass[];
  /** Bytes of content in one day (UTC); null = any. */
  readonly dailyBytes: number | null;
  /** Below it over some seconds it is too slow, and left. */
  readonly minBytesPerSecond: number;
  readonly rates: RateLimits | null;
  readonly tls: PlaceTls | null;
  /** `http://HOST:PORT` on the way to an https address; null = straight. */
  readonly proxy: string | null;
}

/** Which of several places is asked first: one that works, as far as was seen; or whoever is named first, because those that seem to work did not do what they said. */
export type PlaceOrder = 'as-they-work' | 'as-named';

/** The places with the first ones moved to the end: who had his turn is asked last. */
export function afterTurns(places: readonly Place[], turns: number): readonly Place[] {
  const first = places.length === 0 ? 0 : turns % places.length;
  return [...places.slice(first), ...places.slice(0, first)];
}

/** Least rate where site.yaml says none: a modem of 9,600 bit/s makes it. */
export const MIN_BYTES_PER_SECOND = 1024;

/** A place of which nothing is known but where it is. */
export function plainPlace(at: string): Place {
  return {
    at,
    carries: ['trust', 'content'],
    dailyBytes: null,
    minBytesPerSecond: MIN_BYTES_PER_SECOND,
    rates: null,
    tls: null,
    proxy: null,
  };
}
