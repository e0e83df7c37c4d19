/** A root that somebody was handed by another way than the lane. */
import { readFileSync } from 'node:fs';
import { LIMITS, PromoterError, restate } from '@sealane/core';
import type { OptionSpec } from '@sealane/core/command-line';
import { parseSignedDocument } from '@sealane/trust';
import { isNotFound } from '../disk-shell.js';
import { readAs } from '../read-as.js';

/** Pins the lane of a service. */
export const SERVER_ROOT: OptionSpec = {
  flags: '--root <file>',
  description: "with --server: the root from which the service's lane must verify (default: the first it shows is taken at its word)",
};

/** A root that was handed over. @throws PromoterError `CONFIG_INVALID` there is no such file; CoreError `TRUST_MALFORMED` it is no TUF file */
export function rootFile(file: string): Uint8Array {
  const bytes = readRoot(file);
  const hint = 'check the file: a root of the lane is trust/metadata/1.root.json in it';
  readAs(file, hint, () => restate('TRUST_MALFORMED', () => parseSignedDocument('root.json', bytes, LIMITS.rootBytes)));
  return bytes;
}

function readRoot(file: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (cause) {
    if (!isNotFound(cause)) throw cause;
    throw new PromoterError('CONFIG_INVALID', `read root ${file}: expected a file, got none`, { file }, { cause });
  }
}
