/** A server over TLS that shows the certificate which lies in its files now: one of a site holds for a week, and is renewed beside the server that shows it. */
import { statSync } from 'node:fs';
import type { Server } from 'node:tls';
import { SiteError } from '@sealane/core';
import { readMutualTls } from '../fetch/routes/place-tls.js';
import type { MutualTls } from '../fetch/routes/place.js';

/** Looks at each connection whether the files are others than were read last. One that cannot be read, or is half written, leaves what was read before. */
export function renewedContext(server: Server, tls: MutualTls, talk: (line: string) => void): void {
  let read = stampOf(tls);
  // before the handshake, which takes what is there when it begins
  server.prependListener('connection', () => {
    const now = stampOf(tls);
    if (now === read) return;
    read = now;
    try {
      server.setSecureContext(readMutualTls(tls));
    } catch (error) {
      if (!(error instanceof SiteError) && !isOpenSslError(error)) throw error;
      talk(`neighbours: the certificate of before is shown still: ${error.message}`);
    }
  });
}

/** Which files they are, and of when. */
function stampOf({ ca, certificate, key }: MutualTls): string {
  return [ca, certificate, key]
    .map((file) => statSync(file, { throwIfNoEntry: false }))
    .map((status) => (status === undefined ? 'none' : `${status.ino} ${status.size} ${status.mtimeMs} ${status.ctimeMs}`))
    .join();
}

/** Key and certificate that do not belong together, or are none: a moment later they may be. */
function isOpenSslError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('ERR_OSSL');
}
