/** `Secret=NAME,target=…,mode=…` of a release, as a file of this host that is mounted read-only: the engine's own store has values in clear. Pure. */
import type { Credentials } from '../credentials.js';
import { refused } from '../podman/kube-manifest.js';
import type { SecretVolume } from '../podman/secret-volumes.js';

/** Where podman lays secrets down, and how (podman-run(1), `--secret`). */
const FOLDER = '/run/secrets';
const DEFAULT_MODE = '0444';

const TARGET = /^[A-Za-z0-9_/][A-Za-z0-9._/-]{0,1023}$/;

/**
 * The file to be laid down in `folder`, and the value of `Volume=` that mounts it.
 *
 * @throws SiteError `DRIVER_REFUSED` it is not declared, it is wanted in an environment, or there is more to it than target and mode
 */
export function secretMount(
  at: string,
  text: string,
  credentials: Credentials | undefined,
  folder: string,
): { readonly volume: SecretVolume; readonly mount: string } {
  const [name = '', ...options] = text.split(',').map((word) => word.trim());
  if (credentials?.secrets.some((secret) => secret.name === name) !== true) throw refused(at, 'secrets that the release declares', name);
  const given = new Map(options.map((option) => [option.split('=', 1)[0] ?? '', option.slice(option.indexOf('=') + 1)]));
  const [strange] = [...given.keys()].filter((key) => !['type', 'target', 'mode'].includes(key));
  if (strange !== undefined || (given.get('type') ?? 'mount') !== 'mount')
    throw refused(at, `Secret=${name} with type=mount, target and mode`, text);
  const [target = name, mode = DEFAULT_MODE] = [given.get('target'), given.get('mode')];
  if (!TARGET.test(target) || target.split('/').includes('..') || !/^0?[0-7]{3}$/.test(mode))
    throw refused(at, `a plain target and mode for secret ${name}`, text);
  const inside = target.startsWith('/') ? target : `${FOLDER}/${target}`;
  return {
    volume: { folder, files: [{ secret: name, name, mode: Number.parseInt(mode, 8) }] },
    mount: `${folder}/${name}:${inside}:ro`,
  };
}
