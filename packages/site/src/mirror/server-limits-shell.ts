/** What every server of a site bounds: connections, headers, and time in which nothing moves. */
import type { RequestListener } from 'node:http';
import type { Server, Socket } from 'node:net';
import { listenHint, SiteError } from '@sealane/core';

/** An engine opens a handful of connections for each pull. */
const MAX_CONNECTIONS = 256;
const IDLE_TIMEOUT_MS = 60_000;

/** Who sends headers a byte at a time is let go, and how often connections are looked at for that. In milliseconds. */
export const CONNECTION_LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 2000,
};

/** Bounds the number of connections, and lets go who takes no byte of an answer. */
export function limitConnections(server: Server & { setTimeout(ms: number): unknown }): void {
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(IDLE_TIMEOUT_MS);
}

/**
 * Answers the requests of a connection one after the other, and lets go who asks again before he has his answer: each holds a file and two buffers until it is
 * taken, and where requests follow one another without a pause (RFC 9112 § 9.3.2) one connection could ask for thousands. No engine and no site does.
 */
export function oneAtATime(answer: RequestListener): RequestListener {
  const busy = new WeakSet<Socket>();
  return (request, response) => {
    const { socket } = request;
    if (busy.has(socket)) return void socket.destroy();
    busy.add(socket);
    response.once('close', () => busy.delete(socket));
    answer(request, response);
  };
}

/** Listens; port 0 takes a free one. @throws SiteError `USAGE` the address cannot be listened on */
export function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error): void => {
      const hint = listenHint(cause, '--listen, or neighbours.listen of site.yaml');
      reject(new SiteError('USAGE', `listen on ${host}:${port}: ${cause.message}`, { host, port }, { cause, hint }));
    };
    server.once('error', refuse);
    server.listen({ host, port }, () => {
      server.off('error', refuse);
      resolve();
    });
  });
}

/** `HOST:PORT` of a server that listens. */
export function addressOf(server: Server, host: string): string {
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
