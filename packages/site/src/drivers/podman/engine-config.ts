/** What an engine is told: where images come from, and that no others are taken. Formats of containers-registries.conf(5) and containers-policy.json(5). */
import type { ManifestImage } from './kube-manifest.js';

/** registries.conf: the registries that manifests name are the mirror of this site, or closed where it has none; no registry is searched. */
export function registriesConf(images: readonly ManifestImage[], mirror?: string): string {
  const hosts = [...new Set(images.map(({ name }) => registryOf(name)))].sort();
  const place = (host: string): string =>
    mirror === undefined ? `location = "${host}"\nblocked = true` : `location = "${mirror}"\ninsecure = true`;
  const entries = hosts.map((host) => `[[registry]]\nprefix = "${host}"\n${place(host)}\n`);
  return ['unqualified-search-registries = []\n', ...entries].join('\n');
}

/** policy.json: these digests and nothing else. Their signatures were verified before by the waybill, which this engine cannot read. */
export function signaturePolicy(images: readonly ManifestImage[], mirror?: string): string {
  const scopes = images.flatMap(({ name, digest }) => [
    `${name}@${digest}`,
    ...(mirror === undefined ? [] : [`${mirror}${name.slice(registryOf(name).length)}@${digest}`]),
  ]);
  const accept = [{ type: 'insecureAcceptAnything' }];
  return JSON.stringify({
    default: [{ type: 'reject' }],
    transports: { docker: Object.fromEntries(scopes.sort().map((scope) => [scope, accept])) },
  });
}

function registryOf(name: string): string {
  return name.split('/', 1)[0] ?? name;
}

/** Of an environment what the workload is told: which release it is, and its variables. */
export function toldOf(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  const isTold = (entry: [string, string | undefined]): entry is [string, string] =>
    /^SEALANE_(?:RELEASE|NAME|VERSION|VAR_\w+)$/.test(entry[0]) && entry[1] !== undefined;
  return Object.fromEntries(Object.entries(env).filter(isTold));
}

/** A ConfigMap `sealane` that the manifests of a release may take their environment from: which release it is, and its variables. */
export function configMap(data: Readonly<Record<string, string>>): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'sealane' }, data });
}
