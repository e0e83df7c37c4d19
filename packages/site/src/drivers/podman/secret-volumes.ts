/**
 * Secrets of a release in a manifest for `podman kube play`: a volume of the Secret `sealane` becomes a folder of this host, in memory where the site's
 * own runtime folder is. The engine is never given a value: it would keep it in clear. Pure.
 */
import type { Credentials } from '../credentials.js';
import { LISTS, refused } from './kube-manifest.js';

/** What manifests call the secrets of their release, as they call its variables. */
export const RELEASE_SECRET = 'sealane';

/** A folder that stands for a volume: the values in it, each under the name that the manifest gives it. */
export interface SecretVolume {
  readonly folder: string;
  readonly files: readonly { readonly secret: string; readonly name: string; readonly mode: number }[];
}

/** A manifest whose volumes of secrets are folders, and these. */
export interface WithSecretVolumes {
  readonly documents: readonly unknown[];
  readonly volumes: readonly SecretVolume[];
}

/** As Kubernetes has it: inside a container they are read by whom it runs as. */
const DEFAULT_MODE = 0o644;

/** A file in the folder, and none elsewhere. */
const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

type Fields = Readonly<Record<string, unknown>>;

/** What is read on the way down: the manifest, what it may name, and what was found. */
interface Walk {
  readonly file: string;
  readonly credentials: Credentials | undefined;
  readonly folder: (at: number) => string;
  readonly volumes: SecretVolume[];
}

/**
 * Rewrites the documents of a manifest; `folder` names the folder of its n-th volume of secrets.
 *
 * @throws SiteError `DRIVER_REFUSED` a secret that the release does not declare, one in an environment, or a volume with more to it than files of one folder
 */
export function withSecretVolumes(
  file: string,
  documents: readonly unknown[],
  credentials: Credentials | undefined,
  folder: (at: number) => string,
): WithSecretVolumes {
  const walk: Walk = { file, credentials, folder, volumes: [] };
  return { documents: documents.map((document) => rewritten(walk, document)), volumes: walk.volumes };
}

/** Documents as a file: JSON is YAML, and says the same to every reader. */
export function yamlDocuments(documents: readonly unknown[]): string {
  return documents.map((document) => `---\n${JSON.stringify(document)}\n`).join('');
}

function rewritten(walk: Walk, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => rewritten(walk, item));
  if (!isFields(value)) return value;
  refuseEnvironment(walk, value);
  const below = Object.fromEntries(Object.entries(value).map(([key, child]) => [key, rewritten(walk, child)]));
  return Array.isArray(below['containers']) && Array.isArray(below['volumes']) ? podSpec(walk, below) : below;
}

/** `envFrom[].secretRef`, `env[].valueFrom.secretKeyRef`, and a source of a projected volume name it by `name`. */
function refuseEnvironment({ file }: Walk, value: Fields): void {
  for (const key of ['secretRef', 'secretKeyRef', 'secret']) {
    const named = value[key];
    if (isFields(named) && named['name'] === RELEASE_SECRET)
      throw refused(
        file,
        `secrets of the release as a volume \`secret: {secretName: ${RELEASE_SECRET}}\``,
        `${key}, which it would keep in clear`,
      );
  }
}

function podSpec(walk: Walk, spec: Record<string, unknown>): Fields {
  const names: unknown[] = [];
  const volumes = (spec['volumes'] as readonly unknown[]).map((volume): unknown => {
    const secret = isFields(volume) ? volume['secret'] : undefined;
    if (!isFields(volume) || !isFields(secret) || secret['secretName'] !== RELEASE_SECRET) return volume;
    names.push(volume['name']);
    return { name: volume['name'], hostPath: { path: secretVolume(walk, secret), type: 'Directory' } };
  });
  const containers = LISTS.filter((list) => Array.isArray(spec[list])).map((list): [string, unknown] => [
    list,
    (spec[list] as readonly unknown[]).map((container) => readOnly(container, names)),
  ]);
  return { ...spec, volumes, ...Object.fromEntries(containers) };
}

/** Notes the volume; returns its folder. */
function secretVolume(
  { file, credentials, folder, volumes }: Walk,
  { secretName: _, optional: _optional, defaultMode, items, ...more }: Fields,
): string {
  const [strange] = Object.keys(more);
  if (strange !== undefined) throw refused(file, `a volume of secrets with items and defaultMode`, strange);
  if (credentials === undefined) throw refused(file, `a release that declares the secrets it mounts`, 'one that declares none');
  const wanted = items === undefined ? credentials.secrets.map(({ name }) => ({ key: name, path: name })) : items;
  if (!Array.isArray(wanted)) throw refused(file, 'items of a volume of secrets as a list', JSON.stringify(wanted));
  const place = folder(volumes.length);
  volumes.push({ folder: place, files: wanted.map((item: unknown) => fileOf(file, credentials, item, defaultMode ?? DEFAULT_MODE)) });
  return place;
}

function fileOf(file: string, { secrets }: Credentials, item: unknown, otherwise: unknown): SecretVolume['files'][number] {
  const { key, path: name, mode = otherwise } = isFields(item) ? item : {};
  if (typeof key !== 'string' || !secrets.some((secret) => secret.name === key))
    throw refused(file, 'secrets that the release declares', String(key));
  if (typeof name !== 'string' || !FILE_NAME.test(name)) throw refused(file, `a plain file name for secret ${key}`, JSON.stringify(name));
  if (typeof mode !== 'number' || !Number.isInteger(mode) || mode < 0 || mode > 0o777)
    throw refused(file, `a mode for secret ${key}`, JSON.stringify(mode));
  return { secret: key, name, mode };
}

function readOnly(container: unknown, names: readonly unknown[]): unknown {
  if (!isFields(container) || !Array.isArray(container['volumeMounts'])) return container;
  const volumeMounts = container['volumeMounts'].map((mount: unknown) =>
    isFields(mount) && names.includes(mount['name']) ? { ...mount, readOnly: true } : mount,
  );
  return { ...container, volumeMounts };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
