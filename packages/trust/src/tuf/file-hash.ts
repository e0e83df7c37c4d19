/** Lengths and hashes that one TUF document lists of another file, or of a target (TUF 4.4 to 4.6). */
import { createHash } from 'node:crypto';
import { TrustError } from '@sealane/core';

/** Algorithm → lower-case hex. At least one entry, each of a known algorithm. */
export type Hashes = ReadonlyMap<string, string>;

/** Known algorithms and the hex digits of each, strongest habit first: the first one listed names the file under consistent snapshots. */
const HASH_HEX_DIGITS: ReadonlyMap<string, number> = new Map([
  ['sha256', 64],
  ['sha512', 128],
]);

/**
 * The hashes of a file.
 *
 * @throws TrustError `TRUST_MALFORMED` none at all, an unknown algorithm (it could not be checked), not lower-case hex of the right length
 */
export function parseHashes(fileName: string, hashes: Readonly<Record<string, string>>): Hashes {
  const known = new Map<string, string>();
  for (const [algorithm, value] of Object.entries(hashes)) {
    const digits = HASH_HEX_DIGITS.get(algorithm);
    if (digits === undefined || value.length !== digits || !/^[0-9a-f]+$/.test(value)) {
      throw new TrustError(
        'TRUST_MALFORMED',
        `read ${fileName}: expected sha256 or sha512 in hex, got ${JSON.stringify(algorithm.slice(0, 32))}`,
        { fileName },
      );
    }
    known.set(algorithm, value);
  }
  if (known.size === 0) throw new TrustError('TRUST_MALFORMED', `read ${fileName}: expected at least one hash, got none`, { fileName });
  return known;
}

/** The hash by which a target's file is named under consistent snapshots (TUF 6.2.1): sha256 where it is listed. */
export function namingHash(hashes: Hashes): string {
  for (const algorithm of HASH_HEX_DIGITS.keys()) {
    const value = hashes.get(algorithm);
    if (value !== undefined) return value;
  }
  return '';
}

/**
 * Checks bytes against what was listed of them (TUF 5.5.2, 5.6.2, 5.7.3): against mix-and-match and endless data.
 *
 * @throws TrustError `TRUST_MISMATCH`
 */
export function requireListedBytes(
  fileName: string,
  bytes: Uint8Array,
  listed: { readonly lengthBytes: number | undefined; readonly hashes: Hashes | undefined },
): void {
  if (listed.lengthBytes !== undefined && bytes.length !== listed.lengthBytes) {
    throw mismatch(fileName, `${listed.lengthBytes} bytes`, `${bytes.length}`);
  }
  for (const [algorithm, expected] of listed.hashes ?? []) {
    const got = createHash(algorithm).update(bytes).digest('hex');
    if (got !== expected) throw mismatch(fileName, `${algorithm} ${expected}`, got);
  }
}

function mismatch(fileName: string, expected: string, got: string): TrustError {
  return new TrustError('TRUST_MISMATCH', `check ${fileName}: expected ${expected}, got ${got}`, { fileName, expected, got });
}
