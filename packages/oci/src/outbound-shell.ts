/**
 * The way out of this machine for HTTPS: through the proxy that `HTTPS_PROXY` names, unless `NO_PROXY` excepts the host, as other programs of CI have it.
 * Plain HTTP goes to this machine alone, and through no proxy.
 */
import { OciError } from '@sealane/core';
import { BlockList, isIP } from 'node:net';
import { Agent, type buildConnector, type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';

const LOOPBACK = 'localhost,127.0.0.1,[::1]';

const dispatchers = new Map<string, Dispatcher>();

/** The proxy for HTTPS, as an address; undefined where none is named. @throws OciError `USAGE` it is no address */
function proxyInUse(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = env['https_proxy'] ?? env['HTTPS_PROXY'] ?? '';
  if (named === '') return undefined;
  // `proxy.example:3128` is what many write
  const address = named.includes('://') ? named : `http://${named}`;
  if (URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)) return address;
  // not quoted: it may hold a password
  throw new OciError('USAGE', 'read HTTPS_PROXY: expected http://HOST:PORT, got something else');
}

/** What connects with these options; the caller closes it. @throws OciError `USAGE` */
export function openDispatcher(options: Agent.Options, env: NodeJS.ProcessEnv = process.env): Dispatcher {
  const httpsProxy = proxyInUse(env);
  if (httpsProxy === undefined) return new Agent(options);
  const noProxy = [LOOPBACK, env['no_proxy'] ?? env['NO_PROXY'] ?? ''].join(',');
  return new EnvHttpProxyAgent({
    ...options,
    httpProxy: '',
    httpsProxy,
    noProxy,
    // a way of its own for an address that is excepted, where all others lead through the tunnel
    factory: (origin, ways: Pool.Options) =>
      new Pool(origin, isExcepted(new URL(origin).hostname, noProxy) ? { ...ways, connect: options.connect ?? {} } : ways),
    clientFactory: (proxy, ways: Pool.Options) => new Pool(proxy, { ...ways, connect: namingProxy(proxy, ways.connect) }),
  });
}

/** Whether an address lies in one of the ranges that NO_PROXY names, as curl and Go read it: `10.0.0.0/8`, `fd00::/8`. Names are not looked up. */
export function isExcepted(hostname: string, noProxy: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  if (family === 0) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const excepted = new BlockList();
  for (const [, address = '', bits = ''] of noProxy.matchAll(/(?<=^|[,\s])\[?([\da-fA-F.:]+)\]?\/(\d{1,3})(?=$|[,\s])/g))
    if (isIP(address) === family && Number(bits) <= (family === 4 ? 32 : 128)) excepted.addSubnet(address, Number(bits), type);
  return excepted.check(host, type);
}

/** Says that it was the proxy that could not be reached: its address alone would be taken for that of the host. */
function namingProxy(proxy: URL, connect: Pool.Options['connect']): buildConnector.connector {
  if (typeof connect !== 'function') throw new OciError('INTERNAL', 'reach the proxy: expected a way to connect, got none');
  return (to, callback) =>
    connect(to, (...[error, socket]) => {
      if (error === null) {
        callback(null, socket);
        return;
      }
      const { code } = error as NodeJS.ErrnoException;
      const why = error.message === '' ? code : error.message;
      callback(Object.assign(new Error(`reach the proxy ${proxy.host}: ${why ?? 'no answer'}`, { cause: error }), { code }), null);
    });
}

/** As `openDispatcher`, for as long as the process lasts. @throws OciError `USAGE` */
export function outbound(): Dispatcher {
  const key = proxyInUse() ?? '';
  const known = dispatchers.get(key) ?? openDispatcher({});
  dispatchers.set(key, known);
  return known;
}
