/** The names that the units of a release give to what they make in the engine, and those that they use there (podman-systemd.unit(5)). Pure. */
import path from 'node:path';
import { fromUtf8 } from '@sealane/core';
import { isQuadletName, parseQuadlet, type QuadletUnit, systemdWords } from '@sealane/trust';
import { type EngineNames, manifestNames, together } from '../podman/engine-names.js';
import { manifestDocuments, refused } from '../podman/kube-manifest.js';
import type { ReleaseFile } from './unit-set.js';

/** Words in `Network=` that are a mode, and no network. */
const MODES: readonly string[] = ['', 'bridge', 'host', 'none', 'ns', 'pasta', 'private', 'slirp4netns', 'default'];

/** Of units and manifests. @throws SiteError `DRIVER_REFUSED` a unit shares a namespace of a container that is none of the release */
export function unitNames(files: readonly ReleaseFile[]): EngineNames {
  const units = files.filter(({ file }) => isQuadletName(file));
  const manifests = files.filter(({ file }) => !isQuadletName(file));
  const parsed = units.map(({ file, bytes }) => ({ file, unit: parseQuadlet(path.basename(file), fromUtf8(bytes)) }));
  const own = parsed.flatMap(({ unit }) => (unit.type === 'container' ? [madeName(unit, 'ContainerName')] : []));
  for (const { file, unit } of parsed) expectOwnContainers(file, unit, own);
  return together([
    ...parsed.map(({ unit }) => namesOf(unit)),
    ...manifests.map(({ file, bytes }) => manifestNames(manifestDocuments(file, bytes))),
  ]);
}

function namesOf(unit: QuadletUnit): EngineNames {
  const values = (key: string): readonly string[] => unit.entries.filter((entry) => entry.key === key).map(({ value }) => value);
  const mounted = [...values('Volume').flatMap(volumeSource), ...values('Mount').flatMap(systemdWords).flatMap(mountSource)];
  const named = (type: string, key: string): readonly string[] => (unit.type === type ? [madeName(unit, key)] : []);
  return {
    pods: () => false,
    containers: named('container', 'ContainerName'),
    volumes: [...named('volume', 'VolumeName'), ...mounted.filter((name) => !/^[./]/.test(name) && !name.endsWith('.volume'))],
    networks: named('network', 'NetworkName'),
    secrets: [],
    usedNetworks: values('Network')
      .map((value) => value.split(':', 1)[0] ?? '')
      .filter((name) => !MODES.includes(name) && name !== 'container' && !/\.(?:network|container)$/.test(name)),
    usedSecrets: [],
  };
}

/** As the generator names it. */
function madeName({ name, type, entries }: QuadletUnit, key: string): string {
  const given = entries.findLast((entry) => entry.key === key)?.value ?? '';
  return given === '' ? `systemd-${path.basename(name, `.${type}`)}` : given;
}

function volumeSource(value: string): readonly string[] {
  const [source = '', target] = value.split(':');
  return target === undefined ? [] : [source];
}

/** Of a volume, which a mount is that does not say otherwise. */
function mountSource(word: string): readonly string[] {
  const fields = word
    .replaceAll('"', '')
    .split(',')
    .map((field) => /^\s*([^=]*?)\s*=\s*(.*?)\s*$/.exec(field) ?? []);
  const type = fields.find(([, key]) => key === 'type')?.[2] ?? 'volume';
  return type === 'volume' ? fields.flatMap(([, key, source = '']) => (key === 'source' || key === 'src' ? [source] : [])) : [];
}

function expectOwnContainers(file: string, { entries }: QuadletUnit, own: readonly string[]): void {
  for (const { key, value, line } of entries) {
    const [, container] = /^container:(.*)$/s.exec(value) ?? [];
    if (['Network', 'UserNS'].includes(key) && container !== undefined && !own.includes(container))
      throw refused(`${file}, line ${line}`, `${key}= with containers of the release`, container);
  }
}
