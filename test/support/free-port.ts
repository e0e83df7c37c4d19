/** Ports for servers that have to be told one. */
import { createServer } from 'node:net';

/** Below those that a kernel gives to connections and to whoever asks for any port: while a server is on its way to one of these, nobody comes by it by chance. */
const FIRST = 20_000;
const COUNT = 12_000;

/** Files of tests run beside each other, each in a process that begins elsewhere. */
let next = (process.pid * 64) % COUNT;

/** A port of this host that nobody listens at, another one each time. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < COUNT; tries += 1) {
    const port = FIRST + next;
    next = (next + 1) % COUNT;
    if (await isFree(port)) return port;
  }
  throw new Error(`find a port: expected a free one from ${FIRST} on, got none of ${COUNT}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
