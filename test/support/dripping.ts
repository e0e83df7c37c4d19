/** A web server that drips: it sends a document a byte now and then, before each wait for it ends. */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

interface Dripping {
  readonly url: string;
  drips: boolean;
  stop(): void;
}

/** Serves a lane, but for its metadata (or `what`), of which there is one more byte each 200 ms: a root may be half a mebibyte, so that it would be waited for for long. */
export async function startDripping(dir: string, what = '/metadata/'): Promise<Dripping> {
  const server = createServer((request, response) => {
    const file = path.join(dir, decodeURIComponent(request.url ?? ''));
    if (dripping.drips && file.includes(what)) {
      response.writeHead(200);
      const timer = setInterval(() => response.write('{'), 200);
      response.on('close', () => clearInterval(timer));
    } else if (existsSync(file)) response.end(readFileSync(file));
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const dripping: Dripping = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    drips: true,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return dripping;
}
