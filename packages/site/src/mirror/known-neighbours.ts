/**
 * Who is at the other end of a connection: the name in the certificate that it showed. Each name has some connections and no more, so that one neighbour
 * cannot take those of all others; and one whose certificate has expired meanwhile is let go, however old its connection or TLS session is.
 */
import type { Socket } from 'node:net';
import type { Server } from 'node:tls';
import { TLSSocket } from 'node:tls';

/** A site has two: for trust and for content. */
const MAX_OF_ONE = 16;

/** Counts the connections of a server, and lets go those that are too many. */
export function boundEachNeighbour(server: Server): void {
  const open = new Map<string, number>();
  server.on('secureConnection', (socket) => {
    const name = nameOf(socket);
    const count = (open.get(name) ?? 0) + 1;
    if (count > MAX_OF_ONE) return void socket.destroy();
    open.set(name, count);
    socket.once('close', () => {
      const left = (open.get(name) ?? 1) - 1;
      if (left === 0) open.delete(name);
      else open.set(name, left);
    });
  });
}

/** Whether the certificate of a connection holds at a time (RFC 3339). TLS looked at it when it was shown, and not again when a session is resumed. */
export function holdsAt(socket: Socket, now: string): boolean {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  return certificate !== undefined && Date.parse(now) < Date.parse(certificate.validTo);
}

/** Who it is: by its names and not by its key, which a site has anew with each certificate. */
export function nameOf(socket: Socket): string {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  const { subject, subjectAltName = '' } = certificate ?? { subject: '' };
  return `${subject} ${subjectAltName}`;
}
