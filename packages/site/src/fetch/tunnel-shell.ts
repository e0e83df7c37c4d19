/** TLS through a proxy (CONNECT: RFC 9110, section 9.3.6). The proxy sees a host and a port; whose certificate it is is checked as without it. */
import { request } from 'node:http';
import { Agent, type AgentOptions } from 'node:https';
import { isIPv6, type Socket } from 'node:net';
import { connect, type ConnectionOptions } from 'node:tls';

/** An agent whose connections all go through `proxy` (`http://HOST:PORT`), which has `timeoutMs` for each. */
export function tunnelAgent(proxy: string, timeoutMs: number, options: AgentOptions): Agent {
  return Object.assign(new Agent(options), {
    createConnection: (wanted: ConnectionOptions, made: (error: Error | null, socket?: Socket) => void): void => {
      openTunnel(proxy, `${isIPv6(wanted.host ?? '') ? `[${wanted.host}]` : wanted.host}:${wanted.port}`, timeoutMs)
        .then((socket) => made(null, connect({ ...wanted, socket })))
        .catch(made);
    },
  });
}

function openTunnel(proxy: string, to: string, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const failed = (why: string): Error => new Error(`through the proxy ${proxy}: ${why}`);
    const asked = request(proxy, { method: 'CONNECT', path: to, headers: { host: to }, agent: false });
    const late = setTimeout(() => asked.destroy(failed(`no connection in ${timeoutMs} ms`)), timeoutMs);
    asked.once('close', () => clearTimeout(late));
    asked.once('connect', ({ statusCode }, socket, head) => {
      clearTimeout(late);
      // nobody may speak before the server is asked
      if (statusCode === 200 && head.length === 0) return resolve(socket);
      socket.destroy();
      reject(failed(`expected a connection to ${to}, got ${statusCode}`));
    });
    // a proxy that answers as a web server does
    asked.once('response', (answer) => {
      answer.destroy();
      reject(failed(`expected a connection to ${to}, got ${answer.statusCode}`));
    });
    asked.once('error', (error) => reject(failed(error.message)));
    asked.end();
  });
}
