/**
 * Requests that a page of another web site sends with what its reader's browser has: a client certificate goes with each of them, or the
 * cookie of a proxy that signs people in, and neither JSON nor POST keeps such a page from sending one. Pure.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** Methods by which nothing is changed; that no other site reads the answer, the browser sees to. */
const SAFE_METHODS: readonly string[] = ['GET', 'HEAD'];

/**
 * Whether a request that may change something comes from a page of another origin, by what no page can change in it: `Sec-Fetch-Site` (W3C Fetch Metadata),
 * where the browser has that, else `Origin`. Programs send neither.
 */
export function isFromAnotherSite(method: string | undefined, headers: IncomingHttpHeaders): boolean {
  if (method !== undefined && SAFE_METHODS.includes(method)) return false;
  const { 'sec-fetch-site': site, origin, host } = headers;
  // `none`: the reader's own doing, and no page's
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  if (origin === undefined) return false;
  return !URL.canParse(origin) || host === undefined || new URL(origin).host !== host;
}
