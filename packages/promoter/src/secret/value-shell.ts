/** The value of a secret, as it comes in: from a file or standard input, never from argv, where every process of a host could read it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { LIMITS, PromoterError } from '@sealane/core';

/** Reads it, byte for byte; `-` is standard input. @throws PromoterError `USAGE` it cannot be read; `SECRET_INVALID` too long */
export function readSecretValue(cwd: string, place: string): Uint8Array {
  const value = readOr(place === '-' ? 0 : path.resolve(cwd, place), place);
  if (value.length <= LIMITS.secretBytes) return value;
  throw new PromoterError(
    'SECRET_INVALID',
    `read the value in ${place}: expected at most ${LIMITS.secretBytes} bytes, got ${value.length}`,
  );
}

function readOr(from: number | string, place: string): Uint8Array {
  try {
    return readFileSync(from);
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause)) throw cause;
    const hint = 'check the path; - reads standard input';
    throw new PromoterError(
      'USAGE',
      `read --value ${place}: expected a file that can be read, got ${String(cause.code)}`,
      {},
      { cause, hint },
    );
  }
}
