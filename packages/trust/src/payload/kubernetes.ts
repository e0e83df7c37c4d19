/** Rules on Kubernetes objects. Pod specs are found by their form, in whatever kind they stand: a custom resource is no way around. */
import { excessIn } from './amounts.js';
import { annotationFindings } from './annotation.js';
import type { Finding, PayloadRule } from './finding.js';
import { isHostDisk } from './host-path.js';
import { isPinned } from './image-reference.js';
import { isAnyAddress, isAnyRange, isHostCapability, isLimit, isOn, isUnconfined, listOf } from './lax-value.js';
import { isRecord, type Place, walk, type YamlDocument } from './manifest-file.js';
import { isPlainSecret } from './secret-text.js';

type Fields = Readonly<Record<string, unknown>>;
type Report = (rule: PayloadRule, place: Place, object: string, what: string) => void;

/** Lists of what runs in a pod. Podman plays one that has no `containers` too. */
const CONTAINERS = ['initContainers', 'containers', 'ephemeralContainers'];

/** What breaks a rule in one document. */
export function kubernetesFindings(document: YamlDocument): readonly Finding[] {
  const findings: Finding[] = [];
  const report: Report = (rule, place, object, what) => findings.push({ rule, line: document.lineOf(place), object, what });
  for (const { fields, place } of objectsOf(document.value, [])) {
    const object = nameOf(fields);
    walk(fields, (value, below) => {
      if (isRecord(value) && CONTAINERS.some((list) => Array.isArray(value[list]))) podSpec(value, [...place, ...below], object, report);
    });
    for (const excess of excessIn(fields)) report('unbounded-resources', [...place, ...excess.place], object, excess.what);
    network(fields, place, object, report);
    persistentVolume(fields, place, object, report);
    plainSecrets(fields, place, object, report);
    walk(fields, (value, below) => {
      if (isRecord(value) && below.at(-1) === 'annotations') annotations(value, [...place, ...below], object, report);
    });
  }
  return findings;
}

/** The objects of a document: itself, or the items of a list, also of a list in a list. */
function objectsOf(value: unknown, place: Place): readonly { readonly fields: Fields; readonly place: Place }[] {
  if (!isRecord(value)) return [];
  const isList = typeof value['kind'] === 'string' && value['kind'].endsWith('List') && Array.isArray(value['items']);
  if (!isList) return [{ fields: value, place }];
  return listOf(value['items']).flatMap((item, at) => objectsOf(item, [...place, 'items', at]));
}

function nameOf({ kind, metadata }: Fields): string {
  const name = isRecord(metadata) ? metadata['name'] : undefined;
  return `${String(kind)}/${typeof name === 'string' ? name : '?'}`;
}

function podSpec(spec: Fields, place: Place, object: string, report: Report): void {
  if (isOn(spec['hostNetwork'])) report('host-network', [...place, 'hostNetwork'], object, 'hostNetwork');
  for (const field of ['hostPID', 'hostIPC']) if (isOn(spec[field])) report('privileged', [...place, field], object, field);
  unconfined(spec['securityContext'], [...place, 'securityContext'], object, report);
  hostProcess(spec['securityContext'], [...place, 'securityContext'], object, report);
  for (const list of CONTAINERS) {
    listOf(spec[list]).forEach((container, at) => {
      if (!isRecord(container)) return;
      const name = `${object} container ${String(container['name'])}`;
      oneContainer(container, [...place, list, at], name, report);
      devices(container['resources'], [...place, list, at, 'resources'], name, report);
      // Kubernetes takes no resources for these
      if (list !== 'ephemeralContainers') bounds(container, [...place, list, at], name, report);
    });
  }
  listOf(spec['volumes']).forEach((volume, at) => {
    if (isRecord(volume) && volume['hostPath'] !== undefined) hostMount(volume, [...place, 'volumes', at, 'hostPath'], object, report);
    for (const type of HOST_VOLUMES)
      if (isRecord(volume) && volume[type] !== undefined)
        report('privileged', [...place, 'volumes', at, type], object, `a volume by ${type}, which runs programs of the host`);
    const reference = isRecord(volume) && isRecord(volume['image']) ? volume['image']['reference'] : undefined;
    if (reference !== undefined) image(reference, [...place, 'volumes', at, 'image', 'reference'], object, report);
  });
}

/** Volumes for which the kubelet runs, as root, a driver of the host, or git and the hooks of whatever it has fetched (CVE-2024-10220). */
const HOST_VOLUMES = ['flexVolume', 'gitRepo'];

/** `{hostPath: {path}}` of a volume, also of one that is claimed. */
function hostMount({ hostPath }: Fields, place: Place, object: string, report: Report): void {
  report('host-mount', place, object, `folder ${String(isRecord(hostPath) ? hostPath['path'] : hostPath)} of the host`);
}

function oneContainer(container: Fields, place: Place, name: string, report: Report): void {
  image(container['image'], [...place, 'image'], name, report);
  const context = isRecord(container['securityContext']) ? container['securityContext'] : {};
  const at = [...place, 'securityContext'];
  if (isOn(context['privileged'])) report('privileged', [...at, 'privileged'], name, 'privileged');
  if (context['procMount'] === 'Unmasked') report('privileged', [...at, 'procMount'], name, 'procMount Unmasked');
  unconfined(context, at, name, report);
  hostProcess(context, at, name, report);
  const added = isRecord(context['capabilities']) ? listOf(context['capabilities']['add']) : [];
  for (const capability of added.filter(isHostCapability)) {
    report('privileged', [...at, 'capabilities', 'add'], name, `capability ${String(capability)}`);
  }
  listOf(container['ports']).forEach((port, index) => {
    if (isRecord(port) && isOn(port['hostPort']) && isAnyAddress(port['hostIP']))
      report('open-route', [...place, 'ports', index, 'hostPort'], name, `port ${String(port['hostPort'])} on every address of the host`);
  });
  listOf(container['env']).forEach((entry, index) => {
    if (isRecord(entry) && isPlainSecret(String(entry['name']), entry['value']))
      report('plaintext-secret', [...place, 'env', index, 'value'], name, `variable ${String(entry['name'])}`);
  });
}

function image(reference: unknown, place: Place, name: string, report: Report): void {
  if (reference === undefined) report('unpinned-image', place, name, 'names no image');
  else if (typeof reference !== 'string') report('unpinned-image', place, name, 'an image that is no text');
  else if (!isPinned(reference)) report('unpinned-image', place, name, `image ${reference}`);
}

function unconfined(context: unknown, place: Place, name: string, report: Report): void {
  for (const field of ['seccompProfile', 'appArmorProfile']) {
    const profile = isRecord(context) ? context[field] : undefined;
    if (isRecord(profile) && profile['type'] === 'Unconfined') report('privileged', [...place, field, 'type'], name, `${field} Unconfined`);
  }
  const label = isRecord(context) ? context['seLinuxOptions'] : undefined;
  if (isRecord(label) && isUnconfined(label['type']))
    report('privileged', [...place, 'seLinuxOptions', 'type'], name, `SELinux type ${String(label['type'])}`);
}

/** What engines are told past the fields. */
function annotations(texts: Fields, place: Place, object: string, report: Report): void {
  for (const [name, value] of Object.entries(texts))
    for (const { rule, what } of annotationFindings(name, value)) report(rule, [...place, name], object, what);
}

function hostProcess(context: unknown, place: Place, name: string, report: Report): void {
  const windows = isRecord(context) ? context['windowsOptions'] : undefined;
  if (isRecord(windows) && isOn(windows['hostProcess']))
    report('privileged', [...place, 'windowsOptions', 'hostProcess'], name, 'hostProcess');
}

/** A resource `podman.io/device=PATH` is a device of the host, of which Podman gives one. */
function devices(resources: unknown, place: Place, name: string, report: Report): void {
  for (const part of ['requests', 'limits']) {
    const amounts = isRecord(resources) ? resources[part] : undefined;
    for (const resource of isRecord(amounts) ? Object.keys(amounts) : []) {
      const [, device] = /^podman\.io\/device=(.*)$/s.exec(resource) ?? [];
      if (device !== undefined && isHostDisk(device)) report('host-mount', [...place, part, resource], name, `disk ${device} of the host`);
    }
  }
}

function bounds(container: Fields, place: Place, name: string, report: Report): void {
  const resources = isRecord(container['resources']) ? container['resources'] : {};
  const limits = isRecord(resources['limits']) ? resources['limits'] : {};
  for (const resource of ['cpu', 'memory']) {
    if (!isLimit(limits[resource]))
      report('unbounded-resources', [...place, 'resources', 'limits', resource], name, `no limit of ${resource}`);
  }
}

/** A volume that pods claim by name, and that is a folder of the host. */
function persistentVolume({ kind, spec }: Fields, place: Place, object: string, report: Report): void {
  if (kind !== 'PersistentVolume' || !isRecord(spec)) return;
  if (spec['hostPath'] !== undefined) hostMount(spec, [...place, 'spec', 'hostPath'], object, report);
  if (spec['local'] !== undefined) hostMount({ hostPath: spec['local'] }, [...place, 'spec', 'local'], object, report);
}

/** Routes that lead in from everywhere, or out to everywhere. */
function network(fields: Fields, place: Place, object: string, report: Report): void {
  const kind = String(fields['kind']);
  const spec = isRecord(fields['spec']) ? fields['spec'] : {};
  const open = (below: Place, what: string): void => report('open-route', [...place, 'spec', ...below], object, what);
  if (kind === 'Service') service(spec, open);
  if (kind === 'Ingress') ingress(spec, open);
  if (['HTTPRoute', 'GRPCRoute', 'TLSRoute'].includes(kind) && listOf(spec['hostnames']).length === 0)
    open(['hostnames'], 'every host name');
  if (!kind.endsWith('NetworkPolicy')) return;
  for (const [direction, peers] of [
    ['ingress', 'from'],
    ['egress', 'to'],
  ] as const) {
    listOf(spec[direction]).forEach((rule, at) => {
      const isOpen = kind === 'NetworkPolicy' && (!isRecord(rule) || listOf(rule[peers]).length === 0);
      if (isOpen) open([direction, at], `${direction} ${peers === 'from' ? 'from' : 'to'} everywhere`);
    });
  }
  walk(spec, (value, below) => {
    const isWorld = (value === 'world' || value === 'all') && below.some((key) => String(key).endsWith('Entities'));
    if (isAnyRange(value) || isWorld) open(below, `range ${String(value)}`);
  });
}

function service(spec: Fields, open: (below: Place, what: string) => void): void {
  const ranges = listOf(spec['loadBalancerSourceRanges']);
  if (spec['type'] === 'NodePort') open(['type'], 'a port on every node');
  if (spec['type'] === 'LoadBalancer' && (ranges.length === 0 || ranges.some(isAnyRange)))
    open(['type'], 'a load balancer for every address');
  if (listOf(spec['externalIPs']).length > 0) open(['externalIPs'], 'external addresses');
}

function ingress(spec: Fields, open: (below: Place, what: string) => void): void {
  if (spec['defaultBackend'] !== undefined) open(['defaultBackend'], 'a backend for every host name');
  listOf(spec['rules']).forEach((rule, at) => {
    const host = isRecord(rule) ? rule['host'] : undefined;
    if (typeof host !== 'string' || host === '' || host.startsWith('*')) open(['rules', at], 'every host name');
  });
}

/** Objects that hold secrets by their kind: a Secret, and a ConfigMap with an entry of a secret's name. */
function plainSecrets(fields: Fields, place: Place, object: string, report: Report): void {
  for (const part of ['data', 'stringData', 'binaryData']) {
    const data = fields[part];
    if (!isRecord(data)) continue;
    for (const [key, value] of Object.entries(data)) {
      const isSecret = fields['kind'] === 'Secret' ? isOn(value) : fields['kind'] === 'ConfigMap' && isPlainSecret(key, value);
      if (isSecret) report('plaintext-secret', [...place, part, key], object, `entry ${key}`);
    }
  }
}
