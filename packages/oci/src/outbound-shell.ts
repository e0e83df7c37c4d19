/**
 * The way out of this machine for HTTPS: through the proxy that `HTTPS_PROXY` names, unless `NO_PROXY` excepts the host, as other programs of CI have it.
 * Plain HTTP goes to this machine alone, and through no proxy.
 */
import { OciError } from '@sealane/core';
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';

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
  return new EnvHttpProxyAgent({ ...options, httpProxy: '', httpsProxy, noProxy });
}

/** As `openDispatcher`, for as long as the process lasts. @throws OciError `USAGE` */
export function outbound(): Dispatcher {
  const key = proxyInUse() ?? '';
  const known = dispatchers.get(key) ?? openDispatcher({});
  dispatchers.set(key, known);
  return known;
}
