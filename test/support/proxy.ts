/** A real CONNECT proxy, and TLS behind it under names that it alone can resolve. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer as createPlain, request, type Server } from 'node:http';
import { createServer as createTls } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import path from 'node:path';

/** A running proxy. */
export interface TestProxy {
  /** HOST:PORT. */
  readonly at: string;
  /** PEM of the authority of all names behind it, for `NODE_EXTRA_CA_CERTS`. */
  readonly ca: string;
  /** What it was asked to connect to, and with which login. */
  readonly asked: string[];
  readonly logins: (string | undefined)[];
  /** Connects no more: it answers with this status. */
  refuse(status: number): void;
  stop(): void;
}

/** Starts one; `behind` gives the http address that a name of `names` leads to. Needs openssl; `dir` is for its files. */
export async function startProxy(dir: string, names: readonly string[], behind: (name: string) => string): Promise<TestProxy> {
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=behind -keyout behind.key -out behind.crt -addext`;
  execFileSync('openssl', [...words.split(' '), `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`], {
    cwd: dir,
    stdio: 'ignore',
  });
  const [key, cert] = ['behind.key', 'behind.crt'].map((file) => readFileSync(path.join(dir, file)));
  const secure = createTls({ key, cert }, (from, to) => {
    const { method, url, headers } = from;
    const { hostname, port } = new URL(behind(headers.host ?? ''));
    from.pipe(
      request({ hostname, port, method, path: url, headers }, (real) => {
        to.writeHead(real.statusCode ?? 500, real.headers);
        real.pipe(to);
      }),
    );
  });
  const securePort = await listening(secure);
  const asked: string[] = [];
  const logins: (string | undefined)[] = [];
  let refusal: number | undefined;
  const proxy = createPlain();
  proxy.on('connect', ({ url, headers }, socket, head) => {
    asked.push(url ?? '');
    logins.push(headers['proxy-authorization']);
    if (refusal !== undefined) return void socket.end(`HTTP/1.1 ${refusal} No\r\n\r\n`);
    const onward = connect(securePort, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    for (const end of [socket, onward]) end.on('error', () => undefined);
  });
  const port = await listening(proxy);
  return {
    at: `127.0.0.1:${port}`,
    ca: path.join(dir, 'behind.crt'),
    asked,
    logins,
    refuse: (status) => void (refusal = status),
    stop: () => {
      for (const server of [secure, proxy]) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))); // a TCP server has no other address
}
