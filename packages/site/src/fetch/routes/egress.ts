/** The whole list of hosts that the updater of a site ever talks to, out of its configuration: what a firewall has to let out. Nothing has to be let in. */
import type { SiteConfig } from '../../config.js';
import type { Place } from './place.js';

/** One host and port, and what goes there. */
export interface Egress {
  readonly host: string;
  readonly port: number;
  readonly carries: readonly ('trust' | 'content' | 'receipts')[];
}

/** Hosts of upstreams and of places for receipts, in the order of the configuration; folders are none. */
export function egressOf({ upstreams, receiptsTo }: Pick<SiteConfig, 'upstreams' | 'receiptsTo'>): readonly Egress[] {
  const all = [
    ...upstreams.flatMap((place) => toEgress(place, place.carries)),
    ...receiptsTo.flatMap((place) => toEgress(place, ['receipts'])),
  ];
  const found = new Map<string, Egress>();
  for (const each of all) {
    const name = `${each.host}:${each.port}`;
    found.set(name, { ...each, carries: [...new Set([...(found.get(name)?.carries ?? []), ...each.carries])] });
  }
  return [...found.values()];
}

/** Behind a proxy the proxy is all that is talked to. */
function toEgress({ at, proxy }: Place, carries: Egress['carries']): readonly Egress[] {
  if (!/^https?:\/\//.test(at)) return [];
  const { hostname, port, protocol } = new URL(proxy ?? at);
  return [{ host: hostname, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port), carries }];
}
