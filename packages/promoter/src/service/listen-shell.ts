/** Listening on an address, and ceasing to. */
import type { Server } from 'node:http';
import { listenHint, PromoterError } from '@sealane/core';

/** HOST:PORT in its parts. */
export function hostPort(text: string): { readonly host: string; readonly port: number } | undefined {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  return host === undefined || Number(port) > 65_535 ? undefined : { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

/** Listens, and says where. @throws PromoterError `USAGE` it cannot be listened on */
export async function listen(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const hint = listenHint(cause, '--listen, or tls.listen of service.yaml');
      reject(new PromoterError('USAGE', `listen on ${host}:${port}: ${cause.message}`, { host, port }, { cause, hint }));
    });
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return `${host.includes(':') ? `[${host}]` : host}:${typeof address === 'object' && address !== null ? address.port : port}`;
}

/** Resolves when it takes nothing more and nothing is open. */
export function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

/** How many connections it has open. */
export function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}
