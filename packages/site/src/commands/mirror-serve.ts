/** `sealane-site mirror serve`: engines on this host pull what was admitted, by digest, whatever the WAN does; and, where site.yaml says so, neighbours the lane. */
import { SiteError } from '@sealane/core';
import { type CommandCall, type CommandResult, type CommandSpec, untilAborted } from '@sealane/core/command-line';
import { isLoopback, openLayout } from '@sealane/oci';
import { readState } from '../apply/machine.js';
import { readConfig } from '../config.js';
import { nodeDisk } from '../disk.js';
import type { Place } from '../fetch/routes/place.js';
import { openTolerantRoutes } from '../fetch/routes/tolerant-routes.js';
import { type NeighbourServer, serveNeighbours } from '../mirror/neighbour-shell.js';
import { openRelay } from '../mirror/relay-shell.js';
import { serveMirror } from '../mirror/serve-shell.js';
import { servedContent, servedReleases, type ServedContent } from '../mirror/served-content.js';
import type { Site } from '../site.js';
import { placeOf, textOption, worldOf } from '../site-shell.js';

/** The command. */
export const command: CommandSpec = {
  name: 'mirror serve',
  summary: 'serve images of admitted releases to engines on this host, and the lane to neighbours, read-only',
  options: [{ flags: '--listen <host:port>', description: 'a loopback address (default: 127.0.0.1:0, a free port)' }],
  example: 'sealane-site mirror serve --listen 127.0.0.1:5080 --config site/site.yaml --state site/state',
  run,
};

/** Serves until the signal; the first line of stdout is `{url}`, with `neighbours` where it serves those, written as soon as requests are answered. */
async function run(call: CommandCall): Promise<CommandResult> {
  const { host, port } = listenAddress(textOption(call.options['listen']) ?? '127.0.0.1:0');
  const site = openServed(call);
  const store = await openLayout(site.folder.store, { create: 'if-missing' });
  const { talk } = site.world;
  const mirror = await serveMirror({ host, port, store, content: currentContent(site, store, talk), talk });
  const neighbours = await startNeighbours(site);
  const url = `http://${mirror.address}`;
  call.io.out(`${JSON.stringify({ url, ...(neighbours === undefined ? {} : { neighbours: neighbours.url }) })}\n`);
  await untilAborted(call.io.signal);
  await neighbours?.close();
  await mirror.close();
  return { exit: 0, json: { url }, text: '', isSaid: true };
}

/** What is served and how. Who listens on a network has no part of the site's key. */
type Served = Pick<Site, 'config' | 'folder' | 'world'>;

function openServed(call: CommandCall): Served {
  const place = placeOf(call);
  const config = readConfig(nodeDisk, place.configFile);
  return { config, folder: place.folder, world: worldOf(call, place, config.inventory) };
}

async function startNeighbours({ config, folder, world }: Served): Promise<NeighbourServer | undefined> {
  if (config.neighbours === undefined) return undefined;
  const { listen, tls, carries } = config.neighbours;
  const { clock, talk } = world;
  const places = (): readonly Place[] => {
    const routes = openTolerantRoutes(folder.mirror, { ...world, random: () => 0 }, 0, ({ message }) => talk(`neighbours: ${message}`));
    return routes.order(config.receiptsTo);
  };
  const relay = openRelay({ carries, places, uptimeSeconds: () => clock.uptimeSeconds(), talk });
  const at = hostPort('neighbours.listen', listen);
  return await serveNeighbours({ ...at, tls, mirror: folder.mirror, now: () => clock.wallTime(), relay, talk });
}

/** What is served follows what is installed: the journal is read at each request, the manifests only when other releases are served. */
function currentContent(site: Served, store: Parameters<typeof servedContent>[0], talk: (line: string) => void): () => ServedContent {
  let known: { readonly releases: string; readonly content: ServedContent } | undefined;
  return () => {
    const digests = servedReleases(readState(site.world.disk, site.folder.journal));
    const releases = digests.join();
    if (known?.releases !== releases) known = { releases, content: servedContent(store, digests, talk) };
    return known.content;
  };
}

function listenAddress(text: string): HostPort {
  const at = hostPort('--listen', text);
  if (isLoopback(text)) return at;
  throw new SiteError(
    'USAGE',
    `read --listen: expected a loopback address, got ${at.host}`,
    {},
    { hint: 'listen on 127.0.0.1: who pulls over a network is not known here' },
  );
}

interface HostPort {
  readonly host: string;
  readonly port: number;
}

function hostPort(name: string, text: string): HostPort {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535)
    throw new SiteError('USAGE', `read ${name}: expected HOST:PORT, got ${JSON.stringify(text)}`);
  return { host, port: Number(port) };
}
