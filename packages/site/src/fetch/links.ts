/** The upstreams that one run has open: each class of traffic has its own connection to a place, so that neither waits for the other. */
import type { Disk } from '../disk.js';
import { folderUpstream } from './folder-upstream.js';
import { httpUpstream } from './http-upstream.js';
import type { LinkMeters } from './link-meter.js';
import type { Place, TrafficClass } from './routes/place.js';
import type { Upstream } from './upstream.js';

/** Requests, and bytes on the wire. */
export interface Cost {
  readonly requests: number;
  readonly bytes: number;
}

/** Open upstreams; `close` them when the run ends. */
export interface Links {
  /** @throws SiteError `FETCH_FAILED` a folder that is not there; `CONFIG_INVALID` */
  to(place: Place, use: TrafficClass): Upstream;
  /** What all of them cost, or those to one place. */
  cost(at?: string): Cost;
  close(): Promise<void>;
}

/** No upstream is open yet. */
export function openLinks(disk: Disk, signal: AbortSignal, meters: LinkMeters): Links {
  const links = new Map<string, { readonly at: string; readonly upstream: Upstream }>();
  return {
    to: (place, use) => {
      const name = `${use} ${place.at}`;
      const known = links.get(name);
      if (known !== undefined) return known.upstream;
      const upstream = openUpstream(place, disk, signal, meters);
      links.set(name, { at: place.at, upstream });
      return upstream;
    },
    cost: (at) => {
      const costs = [...links.values()].filter((link) => at === undefined || link.at === at).map(({ upstream }) => upstream.cost());
      return {
        requests: costs.reduce((sum, { requests }) => sum + requests, 0),
        bytes: costs.reduce((sum, { bytes }) => sum + bytes, 0),
      };
    },
    close: async () => {
      for (const { upstream } of links.values()) await upstream.close();
      links.clear();
    },
  };
}

/** A web address or a folder. */
function openUpstream(place: Place, disk: Disk, signal: AbortSignal, meters: LinkMeters): Upstream {
  const meter = meters.of(place.at);
  return /^https?:\/\//.test(place.at) ? httpUpstream(place, meter, signal) : folderUpstream(place.at, meter, disk);
}
