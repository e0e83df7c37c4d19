/** The files of mutual TLS with a place, read when it is connected to: a certificate that was renewed is used from the next time on. */
import { existsSync, readFileSync } from 'node:fs';
import { SiteError } from '@sealane/core';
import { isNodeError } from '../../disk.js';
import type { MutualTls, PlaceTls } from './place.js';

/** As Node's TLS takes them. */
export interface TlsFiles {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** With a certificate to show, or without one. */
export type ShownTls = TlsFiles | Pick<TlsFiles, 'ca'>;

/** What is shown to a place, read. @throws SiteError `CONFIG_INVALID` a file cannot be read */
export function readPlaceTls(tls: PlaceTls): ShownTls {
  return 'certificate' in tls ? readMutualTls(tls) : { ca: readPem(tls.ca) };
}

/** All three files, read. @throws SiteError `CONFIG_INVALID` one cannot be read */
export function readMutualTls({ ca, certificate, key }: MutualTls): TlsFiles {
  return { ca: readPem(ca), cert: readPem(certificate), key: readPem(key) };
}

/** As `readPlaceTls` for who asks for his first certificate: what is not there yet is not shown. */
export function readFirstTls(tls: PlaceTls): ShownTls {
  return 'certificate' in tls && !(existsSync(tls.certificate) && existsSync(tls.key)) ? { ca: readPem(tls.ca) } : readPlaceTls(tls);
}

function readPem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    if (!isNodeError(cause, 'ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR')) throw cause;
    throw new SiteError('CONFIG_INVALID', `read ${file}: expected a PEM file, got ${cause.code ?? ''}`, { path: file }, { cause });
  }
}
