/** The kubeconfig of a site: where its cluster is, by which authority, and as whom. Parts that run programs or trust anybody are refused. */
import { SiteError } from '@sealane/core';
import { parse } from 'yaml';

/** How a cluster is reached. Names of files are as the kubeconfig has them. */
export interface ClusterAccess {
  readonly server: string;
  readonly ca: Material | undefined;
  readonly cert: Material | undefined;
  readonly key: Material | undefined;
  readonly token: Material | undefined;
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
  const config: unknown = parse(source, { maxAliasCount: MAX_ALIASES });
  const invalid = (expected: string): SiteError => new SiteError('CONFIG_INVALID', `read ${file}: expected ${expected}`, { path: file });
  const named = (list: string, name: string, part: string): unknown => {
    const items = field(config, list);
    const item: unknown = Array.isArray(items) ? items.find((each) => text(each, 'name') === name) : undefined;
    if (item === undefined) throw invalid(`${name} among its ${list}`);
    return field(item, part);
  };
  const context = named('contexts', text(config, 'current-context'), 'context');
  const cluster = named('clusters', text(context, 'cluster'), 'cluster');
  const user = named('users', text(context, 'user'), 'user');
  const server = text(cluster, 'server');
  if (!server.startsWith('https://')) throw invalid('a server with https');
  if (field(cluster, 'insecure-skip-tls-verify') === true) throw invalid('a cluster whose certificate is verified');
  for (const name of ['exec', 'auth-provider', 'username', 'password', 'as'])
    if (field(user, name) !== undefined) throw invalid(`a user with a certificate or a token, not ${name}`);
  return {
    server: server.replace(/\/+$/, ''),
    ca: material(cluster, 'certificate-authority'),
    cert: material(user, 'client-certificate'),
    key: material(user, 'client-key'),
    token: token(user),
  };
}

function material(value: unknown, name: string): Material | undefined {
  const [data, file] = [text(value, `${name}-data`), text(value, name)];
  if (data !== '') return { data: Buffer.from(data, 'base64') };
  return file === '' ? undefined : { file };
}

function token(user: unknown): Material | undefined {
  const [data, file] = [text(user, 'token'), text(user, 'tokenFile')];
  if (data !== '') return { data: Buffer.from(data) };
  return file === '' ? undefined : { file };
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function text(value: unknown, name: string): string {
  const found = field(value, name);
  return typeof found === 'string' ? found : '';
}
