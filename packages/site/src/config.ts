/** Reads site.yaml: strict YAML, the shape, and errors that name line and column. */
import path from 'node:path';
import { fromUtf8, SealaneError, SiteError } from '@sealane/core';
import { type Document, isMap, isNode, isPair, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { type SiteDocument, siteShape } from './config-shape.js';
import type { Disk } from './disk.js';
import { type Place, type PlaceTls, plainPlace } from './fetch/routes/place.js';
import type { HealthProbe } from './health/probe.js';

/** A hand-written file of a page or two. */
const MAX_CONFIG_BYTES = 256 * 1024;

/** Uses of anchors that are followed: more is no configuration. */
const MAX_ALIASES = 32;

/** What a site is told locally: site.yaml with its defaults, paths made absolute, probes in one form. */
export type SiteConfig = Omit<SiteDocument, 'driver' | 'apiVersion' | 'kind' | 'upstreams' | 'receiptsTo'> & {
  readonly upstreams: readonly Place[];
  readonly receiptsTo: readonly Place[];
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
  const bytes = disk.read(file, MAX_CONFIG_BYTES);
  if (bytes === undefined)
    throw new SiteError('CONFIG_INVALID', `read ${file}: expected the configuration of this site, got no such file`, { path: file });
  return parseConfig(text(bytes, file), file);
}

/**
 * Parses the text of site.yaml; `file` is for messages, and what relative folders are relative to.
 *
 * @throws SiteError `CONFIG_INVALID`
 */
export function parseConfig(source: string, file: string): SiteConfig {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, uniqueKeys: true, strict: true });
  const [fault] = document.errors;
  if (fault !== undefined) throw invalid(file, lines, fault.pos[0], fault.message.split('\n')[0] ?? fault.code);
  const parsed = siteShape.safeParse(toPlain(document, file, lines));
  if (parsed.success) return complete(parsed.data, path.dirname(file));
  const issue = deepest(parsed.error.issues[0]);
  throw invalid(file, lines, offsetOf(document, issue), `${issue.path.map(String).join('.') || 'the whole'}: ${describe(issue)}`);
}

/** An alias bomb is refused while it is unfolded. */
function toPlain(document: Document, file: string, lines: LineCounter): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    throw invalid(file, lines, 0, error instanceof Error ? error.message.toLowerCase() : String(error));
  }
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
      return { ...plainPlace(at), tls: upstreams.find((upstream) => upstream.at === at)?.tls ?? null };
    }),
    ...(neighbours === undefined ? {} : { neighbours: { ...neighbours, tls: tlsFiles(neighbours.tls, folder) } }),
    inventory: {
      root: path.resolve(folder, rest.inventory.root),
      devices: rest.inventory.devices.map((file) => path.resolve(folder, file)),
    },
    driver: { ...driver, health: driver.health.map(toProbe) },
  };
}

function toPlace(upstream: SiteDocument['upstreams'][number], folder: string): Place {
  if (typeof upstream === 'string') return plainPlace(place(upstream, folder));
  const { at, dailyBytes = null, rates = null, tls, ...rest } = upstream;
  return { ...rest, at: place(at, folder), dailyBytes, rates, tls: tls === undefined ? null : tlsFiles(tls, folder) };
}

function tlsFiles({ ca, certificate, key }: PlaceTls, folder: string): PlaceTls {
  const file = (name: string): string => path.resolve(folder, name);
  return { ca: file(ca), certificate: file(certificate), key: file(key) };
}

/** An address stays; a folder becomes absolute, relative to the folder of site.yaml. */
function place(text: string, folder: string): string {
  if (/^https?:\/\//.test(text)) return text.replace(/\/+$/, '');
  return path.resolve(folder, text.replace(/^file:\/\//, ''));
}

function toProbe(probe: SiteDocument['driver']['health'][number]): HealthProbe {
  const { timeoutMs } = probe;
  if ('http' in probe) return { kind: 'http', url: probe.http, status: probe.status, timeoutMs };
  if ('command' in probe) return { kind: 'command', command: probe.command, timeoutMs };
  const colon = probe.tcp.lastIndexOf(':');
  return { kind: 'tcp', host: probe.tcp.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(probe.tcp.slice(colon + 1)), timeoutMs };
}

type Issue = z.core.$ZodIssue;

/** Of a union's failures the one that got furthest, which is the form that was meant. */
function deepest(issue: Issue | undefined): Issue {
  if (issue === undefined) return { code: 'custom', path: [], message: 'another shape', input: undefined };
  if (issue.code !== 'invalid_union') return issue;
  const branches = issue.errors
    .flatMap((errors) => errors.slice(0, 1))
    .filter((inner) => inner.path.length > 0 && inner.code !== 'unrecognized_keys');
  const [inner] = branches.sort((left, right) => right.path.length - left.path.length);
  return inner === undefined || !('input' in inner || inner.code !== 'invalid_type')
    ? issue
    : deepest({ ...inner, path: [...issue.path, ...inner.path] });
}

function describe(issue: Issue): string {
  if (issue.code === 'unrecognized_keys') return `unknown ${issue.keys.join(', ')}`;
  if (issue.code === 'invalid_union') return 'expected one of the forms of docs/formats/site.md';
  return issue.message.toLowerCase();
}

/** Where the value lies that the issue is about; for one that is missing, what it is missing in. */
function offsetOf(document: Document, issue: Issue): number {
  for (let length = issue.path.length; length >= 0; length -= 1) {
    const node = document.getIn(issue.path.slice(0, length), true);
    if (!isNode(node)) continue;
    return (issue.code === 'unrecognized_keys' ? keyOffset(node, issue.keys[0]) : undefined) ?? node.range?.[0] ?? 0;
  }
  return 0;
}

function keyOffset(node: unknown, key: string | undefined): number | undefined {
  if (!isMap(node)) return undefined;
  const pair = node.items.find((item) => isPair(item) && String(item.key) === key);
  return isNode(pair?.key) ? pair.key.range?.[0] : undefined;
}

function invalid(file: string, lines: LineCounter, offset: number, problem: string): SiteError {
  const { line, col } = lines.linePos(offset);
  return new SiteError('CONFIG_INVALID', `read ${file}, line ${line}, column ${col}: ${problem}`, { path: file, line, column: col });
}

function text(bytes: Uint8Array, file: string): string {
  try {
    return fromUtf8(bytes);
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    throw new SiteError('CONFIG_INVALID', `read ${file}: expected UTF-8 text`, { path: file }, { cause });
  }
}
