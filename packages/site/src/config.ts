/** Reads site.yaml: strict YAML, the shape, and errors that name line and column. */
import { SiteError } from '@sealane/core';
import path from 'node:path';
import { type SiteDocument, siteShape } from './config-shape.js';
import type { Disk } from './disk.js';
import { type MutualTls, type Place, type PlaceTls, plainPlace } from './fetch/routes/place.js';
import type { InventoryPlace } from './hardware-shell.js';
import type { HealthProbe } from './health/probe.js';
import { openYaml, readShape, readYamlFile } from './strict-yaml.js';

/** What a site is told locally: site.yaml with its defaults, paths made absolute, probes in one form. */
export type SiteConfig = Omit<SiteDocument, 'driver' | 'apiVersion' | 'kind' | 'upstreams' | 'receiptsTo' | 'inventory'> & {
  readonly upstreams: readonly Place[];
  readonly receiptsTo: readonly Place[];
  readonly inventory: InventoryPlace;
  readonly driver: WithProbes<SiteDocument['driver']>;
};

/** Each kind of driver, its health checks in one form. */
type WithProbes<D> = D extends SiteDocument['driver'] ? Omit<D, 'health'> & { readonly health: readonly HealthProbe[] } : never;

/**
 * Reads site.yaml.
 *
 * @throws SiteError `CONFIG_INVALID` missing, not YAML, or not of the shape; the message begins with file, line and column
 */
export function readConfig(disk: Disk, file: string): SiteConfig {
  return parseConfig(readYamlFile(disk, file, 'the configuration of this site'), file);
}

/**
 * Parses the text of site.yaml; `file` is for messages, and what relative folders are relative to.
 *
 * @throws SiteError `CONFIG_INVALID`
 */
export function parseConfig(source: string, file: string): SiteConfig {
  return complete(readShape(openYaml(source, file), siteShape, 'docs/formats/site.md'), path.dirname(file));
}

function complete(
  { apiVersion: _apiVersion, kind: _kind, driver, receiptsTo = [], neighbours, ...rest }: SiteDocument,
  folder: string,
): SiteConfig {
  const upstreams = rest.upstreams.map((upstream) => toPlace(upstream, folder));
  return {
    ...rest,
    upstreams,
    receiptsTo: [receiptsTo].flat().map((text) => {
      const at = place(text, folder);
      // who is reached in a way of its own is reached so with receipts too, whichever of its turns says how
      const same = upstreams.filter((upstream) => upstream.at === at);
      const [tls = null, proxy = null] = [same.find((each) => each.tls !== null)?.tls, same.find((each) => each.proxy !== null)?.proxy];
      return { ...plainPlace(at), tls, proxy };
    }),
    ...(neighbours === undefined ? {} : { neighbours: { ...neighbours, tls: tlsFiles(neighbours.tls, folder) } }),
    inventory: {
      root: path.resolve(folder, rest.inventory.root),
      from: driver.unit === undefined ? 'here' : 'outside',
      devices: rest.inventory.devices.map((file) => path.resolve(folder, file)),
    },
    driver: { ...driver, health: driver.health.map(toProbe) },
  };
}

/** An upstream of which there is more to say than where it is. */
type UpstreamObject = Exclude<SiteDocument['upstreams'][number], string>;

function toPlace(upstream: SiteDocument['upstreams'][number], folder: string): Place {
  if (typeof upstream === 'string') return plainPlace(place(upstream, folder));
  const { dailyBytes = null, rates = null, tls, proxy = null, ...rest } = upstream;
  const at = place(upstream.at, folder);
  if ((proxy !== null || tls !== undefined) && !at.startsWith('https://'))
    throw new SiteError(
      'CONFIG_INVALID',
      `read upstream ${at}: expected an https address ${proxy === null ? 'with tls' : 'behind a proxy'}, got another place`,
    );
  return { ...rest, at, dailyBytes, rates, tls: tls === undefined ? null : placeTls(tls, at, folder), proxy };
}

function placeTls({ ca, certificate, key }: NonNullable<UpstreamObject['tls']>, at: string, folder: string): PlaceTls {
  if (certificate !== undefined && key !== undefined) return tlsFiles({ ca, certificate, key }, folder);
  if (certificate === undefined && key === undefined) return { ca: path.resolve(folder, ca) };
  throw new SiteError('CONFIG_INVALID', `read tls of upstream ${at}: expected certificate and key, got one of the two`);
}

function tlsFiles({ ca, certificate, key }: MutualTls, folder: string): MutualTls {
  const file = (name: string): string => path.resolve(folder, name);
  return { ca: file(ca), certificate: file(certificate), key: file(key) };
}

/**
 * An address stays; a folder becomes absolute, relative to the folder of site.yaml.
 *
 * @throws SiteError `CONFIG_INVALID` no address, or one with a login: addresses stand in logs, in answers, and in files that others read
 */
function place(text: string, folder: string): string {
  if (!/^https?:\/\//.test(text)) return path.resolve(folder, text.replace(/^file:\/\//, ''));
  const { username, password } = URL.canParse(text) ? new URL(text) : { username: text, password: '' };
  if (`${username}${password}` === '') return text.replace(/\/+$/, '');
  const shown = text.replace(/\/\/.*@/, '//…@');
  throw new SiteError('CONFIG_INVALID', `read ${shown}: expected an address with a host, and no login in it, got another one`);
}

function toProbe(probe: SiteDocument['driver']['health'][number]): HealthProbe {
  const { timeoutMs } = probe;
  if ('http' in probe) return { kind: 'http', url: probe.http, status: probe.status, timeoutMs };
  if ('command' in probe) return { kind: 'command', command: probe.command, timeoutMs };
  const colon = probe.tcp.lastIndexOf(':');
  return { kind: 'tcp', host: probe.tcp.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(probe.tcp.slice(colon + 1)), timeoutMs };
}
