/** The wall clock and chance of a promoter's host: read at the edge, passed in everywhere else. */
import { randomBytes } from 'node:crypto';

/** The time now, RFC 3339 in UTC, whole seconds. */
export function nowText(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}

/** 32 hex digits of random, for nonces and salts. */
export function randomHex(): string {
  return randomBytes(16).toString('hex');
}
