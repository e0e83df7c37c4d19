/** Client certificates: what a verified one says about its holder. */
import { type KeyObject, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { keyIdOf } from '@sealane/core';
import type { CertificateFacts } from './callers.js';

/** The facts of a connection's certificate; undefined for none, and for one that the authority of callers did not issue or that has expired `now` (RFC 3339). */
export function certificateFacts(socket: Socket, now: string): CertificateFacts | undefined {
  // a certificate may be asked for and not given: TLS has verified the chain and the dates, and says so here
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const certificate = socket.getPeerX509Certificate();
  // the dates once more: a connection may be kept and a session resumed for longer than the certificate holds
  if (certificate === undefined || Date.parse(certificate.validTo) <= Date.parse(now)) return undefined;
  return { keyId: keyIdOf(spkiOf(certificate.publicKey)), names: namesOf(certificate) };
}

/** Alternative names as `TYPE:value`. Node quotes a value that could be taken for two; such a certificate has no names here. */
function namesOf({ subjectAltName }: X509Certificate): readonly string[] {
  if (subjectAltName === undefined || subjectAltName.includes('"')) return [];
  return subjectAltName.split(', ');
}

function spkiOf(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }));
}
