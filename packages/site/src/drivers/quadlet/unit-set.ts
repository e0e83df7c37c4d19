/** The quadlet units of a release as they are laid down: held to the rules, with images of the release alone, and with its secrets as files. Pure. */
import path from 'node:path';
import { type Digest, fromUtf8, utf8 } from '@sealane/core';
import { isQuadletName, parseQuadlet, type QuadletEntry, type QuadletUnit } from '@sealane/trust';
import type { Credentials } from '../credentials.js';
import { imagesOf, manifestDocuments, type ManifestImage, refused } from '../podman/kube-manifest.js';
import { type SecretVolume, withSecretVolumes, yamlDocuments } from '../podman/secret-volumes.js';
import { secretMount } from './secret-mount.js';
import { foreignUnit, isAllowed, namesImage, plainValue, TYPES } from './unit-rules.js';

/** A file of a release. */
export interface ReleaseFile {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** What is laid down and started. */
export interface UnitSet {
  /** By name, in the order of their names. */
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  /** Services that are started; those of volumes and networks come with them. */
  readonly services: readonly string[];
  /** All services, also those of volumes and networks. */
  readonly all: readonly string[];
  readonly images: readonly ManifestImage[];
  readonly secrets: readonly SecretVolume[];
}

/** Around the units: what the release is made of, its secrets, and where these lie. */
export interface SetPlace {
  readonly digests: ReadonlySet<Digest>;
  readonly credentials: Credentials | undefined;
  readonly secrets: (at: number) => string;
  /** Where the units are laid down. */
  readonly folder: string;
}

/** Names of units become names of services of the host. */
const UNIT_NAME = /^[a-z0-9][a-z0-9_-]{0,63}\.[a-z]+$/;
const YAML_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}\.ya?ml$/;

/** What each container finds in its environment, and each manifest in a ConfigMap. */
export const ENV_FILE = 'sealane.env';
export const CONFIG_MAP = 'sealane.yaml';

/**
 * The set of a release.
 *
 * @throws SiteError `DRIVER_REFUSED` no unit among its files, a unit that says what it may not, an image that is no part of the release, a file that nothing names
 */
export function unitSet(files: readonly ReleaseFile[], place: SetPlace): UnitSet {
  const units = files.filter(({ file }) => isQuadletName(file)).map(({ file, bytes }) => ({ file, unit: readUnit(file, bytes) }));
  const manifests = files.filter(({ file }) => !isQuadletName(file));
  const all = units.map(({ file, unit }) => serviceOf(file, unit));
  const own = [...all, ...units.map(({ unit }) => unit.name)];
  const twice = all.find((service, at) => all.indexOf(service) !== at);
  if (twice !== undefined) throw refused(twice, 'one unit of that name', 'two');
  const services = units.filter(({ unit }) => isStarted(unit)).map(({ file, unit }) => serviceOf(file, unit));
  if (services.length === 0) throw refused('the release', 'a .container or .kube unit among its parts', 'none');
  const secrets: SecretVolume[] = [];
  const laid = units.map(({ file, unit }) => ({ name: unit.name, bytes: rendered(file, unit, { place, own, secrets, manifests }) }));
  const kube = manifests.map((each) =>
    manifestFile(
      each,
      units.map(({ unit }) => unit),
      place,
      secrets,
    ),
  );
  return {
    files: [...laid, ...kube].toSorted((left, right) => (left.name < right.name ? -1 : 1)),
    services,
    all,
    images: setImages(files, place.digests),
    secrets,
  };
}

/** The images of units and manifests, each once. @throws SiteError `DRIVER_REFUSED` one that is no part of the release, or is not named by digest */
export function setImages(files: readonly ReleaseFile[], digests: ReadonlySet<Digest>): readonly ManifestImage[] {
  return files.flatMap(({ file, bytes }) => {
    if (!isQuadletName(file)) return imagesOf(file, manifestDocuments(file, bytes), digests);
    const { type, entries } = readUnit(file, bytes);
    const images = entries.filter(({ section, key }) => section === 'Container' && key === 'Image').map(({ value }) => value);
    if (type === 'container' && images.length !== 1) throw refused(file, 'one Image=', String(images.length));
    return imagesOf(file, [{ containers: images.map((image) => ({ image })) }], digests);
  });
}

function readUnit(file: string, bytes: Uint8Array): QuadletUnit {
  const unit = parseQuadlet(path.basename(file), fromUtf8(bytes));
  if (!UNIT_NAME.test(unit.name)) throw refused(file, 'a name of lower-case letters, digits, - and _', unit.name);
  if (TYPES[unit.type] === undefined) throw refused(file, `a unit of type ${Object.keys(TYPES).join(', ')}`, unit.type);
  const [fault] = unit.faults;
  if (fault !== undefined) throw refused(file, 'lines of a quadlet unit', `another in line ${fault}`);
  return unit;
}

function isStarted({ type }: QuadletUnit): boolean {
  return type === 'container' || type === 'kube';
}

/** As the generator names them. */
function serviceOf(file: string, unit: QuadletUnit): string {
  const stem = path.basename(file, `.${unit.type}`);
  return isStarted(unit) ? `${stem}.service` : `${stem}-${unit.type}.service`;
}

interface Around {
  readonly place: SetPlace;
  readonly own: readonly string[];
  readonly secrets: SecretVolume[];
  readonly manifests: readonly ReleaseFile[];
}

/** Written anew from what was read, so that the generator reads what was judged and nothing else. */
function rendered(file: string, unit: QuadletUnit, around: Around): Uint8Array {
  const section = TYPES[unit.type] ?? '';
  const entries = unit.entries.filter((entry) => entry.section !== 'Install').flatMap((entry) => oneEntry(file, unit, entry, around));
  const more =
    unit.type === 'container'
      ? [`Pull=never`, `EnvironmentFile=${escaped(path.join(around.place.folder, ENV_FILE))}`]
      : unit.type === 'kube'
        ? [`ConfigMap=${escaped(path.join(around.place.folder, CONFIG_MAP))}`]
        : [];
  const sections = [...new Set(['Unit', section, 'Service'])];
  const lines = sections.flatMap((title) => [
    `[${title}]`,
    ...entries.filter((entry) => entry.section === title).map(({ key, value }) => `${key}=${value}`),
    ...(title === section ? more : []),
  ]);
  return utf8(`${lines.join('\n')}\n`);
}

function oneEntry(
  file: string,
  { type }: QuadletUnit,
  entry: QuadletEntry,
  { place, own, secrets, manifests }: Around,
): readonly QuadletEntry[] {
  const { section, key, value, line } = entry;
  const at = `${file}, line ${line}`;
  if (!isAllowed(type, section, key)) throw refused(at, 'what a unit of a release may say', `${key}= in [${section}]`);
  const foreign = foreignUnit(key, value, own);
  if (foreign !== undefined) throw refused(at, `${key}= with units of the release`, foreign);
  const plain = plainValue(section, key, value);
  if (plain !== undefined) throw refused(at, plain, `${key}=${value}`);
  if (namesImage(section, key, value)) throw refused(at, 'images in Image= alone', `${key}=${value}`);
  if (key === 'Yaml' && !manifests.some((each) => path.basename(each.file) === value))
    throw refused(at, 'a manifest of the release', value);
  if (section !== 'Container' || key !== 'Secret') return [entry];
  const { volume, mount } = secretMount(at, value, place.credentials, place.secrets(secrets.length));
  secrets.push(volume);
  return [{ ...entry, key: 'Volume', value: escaped(mount) }];
}

function manifestFile(
  { file, bytes }: ReleaseFile,
  units: readonly QuadletUnit[],
  place: SetPlace,
  secrets: SecretVolume[],
): UnitSet['files'][number] {
  const name = path.basename(file);
  const isNamed = units.some(({ type, entries }) => type === 'kube' && entries.some(({ key, value }) => key === 'Yaml' && value === name));
  if (!isNamed || !YAML_NAME.test(name) || name === CONFIG_MAP)
    throw refused(file, 'quadlet units, and manifests that a .kube unit names', name);
  const first = secrets.length;
  const { documents, volumes } = withSecretVolumes(file, manifestDocuments(file, bytes), place.credentials, (at) =>
    place.secrets(first + at),
  );
  secrets.push(...volumes);
  return { name, bytes: volumes.length === 0 ? bytes : utf8(yamlDocuments(documents)) };
}

/** systemd expands what follows a percent sign. */
function escaped(text: string): string {
  return text.replaceAll('%', '%%');
}
