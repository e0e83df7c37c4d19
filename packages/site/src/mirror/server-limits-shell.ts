/** What every server of a site bounds: connections, headers, and time in which nothing moves. */
import type { Server } from 'node:net';
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
