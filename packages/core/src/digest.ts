/** SHA-256 digests, named as OCI names them: `sha256:` and 64 lower-case hex digits. */
import { createHash } from 'node:crypto';
import { CoreError } from './errors.js';

declare const brand: unique symbol;

/** `sha256:` and 64 lower-case hex digits. */
export type Digest = string & { readonly [brand]: 'Digest' };

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Whether `value` is a digest in its one form. */
export function isDigest(value: unknown): value is Digest {
  return typeof value === 'string' && DIGEST.test(value);
}

/**
 * A digest out of unknown text.
 *
 * @throws CoreError `DIGEST_MALFORMED`
 */
export function parseDigest(value: unknown): Digest {
  if (isDigest(value)) return value;
  const got = typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : typeof value;
  throw new CoreError('DIGEST_MALFORMED', `read a digest: expected sha256: and 64 lower-case hex digits, got ${got}`);
}

/** The 64 hex digits of a digest. */
export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/**
 * A digest from its 64 hex digits.
 *
 * @throws CoreError `DIGEST_MALFORMED`
 */
export function digestFromHex(digits: string): Digest {
  return parseDigest(`sha256:${digits}`);
}

/** SHA-256 of `bytes` as a digest. */
export function sha256(bytes: Uint8Array): Digest {
  return digestFromHex(createHash('sha256').update(bytes).digest('hex'));
}

/** The 32 bytes of SHA-256 over the parts one after another. */
export function sha256Raw(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** A running SHA-256: feed chunks, then ask once. */
export interface Digester {
  update(chunk: Uint8Array): void;
  finish(): Digest;
}

/** Starts a running SHA-256. */
export function createDigester(): Digester {
  const hash = createHash('sha256');
  return {
    update: (chunk) => {
      hash.update(chunk);
    },
    finish: () => digestFromHex(hash.digest('hex')),
  };
}
