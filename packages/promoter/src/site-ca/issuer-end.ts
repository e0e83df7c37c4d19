/** Until when certificates of sites can be issued here. Read with nothing but Node: what makes certificates takes tens of milliseconds to load. */
import { X509Certificate } from 'node:crypto';
import { readOptional } from '../disk-shell.js';
import type { Home } from '../home.js';
import { chainFile } from './names.js';

/** When the issuer of this home expires; undefined where there is none, or none that can be read: `sealane ca show` says what is wrong with it. */
export function issuerExpiresAt(home: Pick<Home, 'folder'>): string | undefined {
  const pem = readOptional(chainFile(home));
  if (pem === undefined) return undefined;
  try {
    const endMs = Date.parse(new X509Certificate(pem).validTo);
    return Number.isNaN(endMs) ? undefined : `${new Date(endMs).toISOString().slice(0, 19)}Z`;
  } catch {
    // OpenSSL's errors are of many kinds, and a chain that rotted is no reason to let the lane run out
    return undefined;
  }
}
