/** The kubeconfig of a site: where its cluster is, by which authority, and as whom. Parts that run programs or trust anybody are refused. */
import path from 'node:path';
import { SiteError } from '@sealane/core';
import { parse } from 'yaml';
import { fieldOf, textOf } from '../../tool-json.js';

/** How a cluster is reached. Names of files are as the kubeconfig has them. */
export interface ClusterAccess {
  readonly server: string;
  /** The name that its certificate is for; empty: that in its address. */
  readonly serverName: string;
  readonly ca: Material | undefined;
  readonly cert: Material | undefined;
  readonly key: Material | undefined;
  readonly token: Material | undefined;
}

/** Where a kubeconfig is: a file, or one among the credentials that systemd gives to the units of the driver, alone. */
export type KubeconfigPlace = string | { readonly loadCredential: string } | { readonly loadCredentialEncrypted: string };

/** The name of that credential: no secret of a release may have it. */
export const KUBECONFIG_CREDENTIAL = 'kubeconfig';

/** How systemd is told to give it to a unit (systemd.exec(5)); nothing for a file. */
export function kubeconfigProperties(place: KubeconfigPlace): readonly string[] {
  if (typeof place === 'string') return [];
  return 'loadCredential' in place
    ? [`LoadCredential=${KUBECONFIG_CREDENTIAL}:${place.loadCredential}`]
    : [`LoadCredentialEncrypted=${KUBECONFIG_CREDENTIAL}:${place.loadCredentialEncrypted}`];
}

/** The file, as the program finds it in its environment. */
export function kubeconfigFile(place: KubeconfigPlace, env: Readonly<Record<string, string | undefined>>): string {
  return typeof place === 'string' ? place : path.join(env['CREDENTIALS_DIRECTORY'] ?? '/', KUBECONFIG_CREDENTIAL);
}

/** Bytes that are in the kubeconfig, or in a file of that name. */
export type Material = { readonly data: Uint8Array } | { readonly file: string };

const MAX_ALIASES = 32;

/**
 * Reads a kubeconfig (`v1`, kind `Config`) and follows its current context.
 *
 * @throws SiteError `CONFIG_INVALID` not one, a context that leads nowhere, or what is not taken: `insecure-skip-tls-verify`, `exec`, passwords
 */
export function clusterAccess(file: string, source: string): ClusterAccess {
  const invalid = (expected: string): SiteError => new SiteError('CONFIG_INVALID', `read ${file}: expected ${expected}`, { path: file });
  const config = yamlIn(source, invalid);
  const named = (list: string, name: string, part: string): unknown => {
    const items = fieldOf(config, list);
    const item: unknown = Array.isArray(items) ? items.find((each) => textOf(each, 'name') === name) : undefined;
    if (item === undefined) throw invalid(`${name} among its ${list}`);
    return fieldOf(item, part);
  };
  const context = named('contexts', textOf(config, 'current-context'), 'context');
  const cluster = named('clusters', textOf(context, 'cluster'), 'cluster');
  const user = named('users', textOf(context, 'user'), 'user');
  const server = textOf(cluster, 'server');
  if (!server.startsWith('https://')) throw invalid('a server with https');
  if (fieldOf(cluster, 'insecure-skip-tls-verify') === true) throw invalid('a cluster whose certificate is verified');
  if (fieldOf(cluster, 'proxy-url') !== undefined) throw invalid('a server that is reached without a proxy');
  for (const name of ['exec', 'auth-provider', 'username', 'password', 'as'])
    if (fieldOf(user, name) !== undefined) throw invalid(`a user with a certificate or a token, not ${name}`);
  return {
    server: server.replace(/\/+$/, ''),
    serverName: textOf(cluster, 'tls-server-name'),
    ca: material(cluster, 'certificate-authority'),
    cert: material(user, 'client-certificate'),
    key: material(user, 'client-key'),
    token: token(user),
  };
}

/** The library quotes the line that it cannot read, which may be the token: what it says is told to nobody. */
function yamlIn(source: string, invalid: (expected: string) => SiteError): unknown {
  try {
    return parse(source, { maxAliasCount: MAX_ALIASES, logLevel: 'silent' });
  } catch (error) {
    if (error instanceof Error) throw invalid('YAML');
    throw error;
  }
}

function material(value: unknown, name: string): Material | undefined {
  const [data, file] = [textOf(value, `${name}-data`), textOf(value, name)];
  if (data !== '') return { data: Buffer.from(data, 'base64') };
  return file === '' ? undefined : { file };
}

function token(user: unknown): Material | undefined {
  const [data, file] = [textOf(user, 'token'), textOf(user, 'tokenFile')];
  if (data !== '') return { data: Buffer.from(data) };
  return file === '' ? undefined : { file };
}
