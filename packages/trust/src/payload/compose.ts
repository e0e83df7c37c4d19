/** Rules on compose files (the Compose Specification). */
import { excessIn, MAX_ENTRIES, portsIn } from './amounts.js';
import { annotationFindings } from './annotation.js';
import { hostOfFile, hostOfService, isBind } from './compose-host.js';
import type { Finding, PayloadRule } from './finding.js';
import { isHostDisk, isHostPath, isHostSource, volumeSource } from './host-path.js';
import { isPinned } from './image-reference.js';
import { isAnyAddress, isHostCapability, isLimit, isOfHost, isOn, isUnconfined, listOf } from './lax-value.js';
import { isRecord, type Place, type YamlDocument } from './manifest-file.js';
import { isPlainSecret } from './secret-text.js';

type Fields = Readonly<Record<string, unknown>>;
type Report = (rule: PayloadRule, place: Place, object: string, what: string) => void;

/** What breaks a rule in a compose file. */
export function composeFindings(document: YamlDocument): readonly Finding[] {
  const findings: Finding[] = [];
  const report: Report = (rule, place, object, what) => findings.push({ rule, line: document.lineOf(place), object, what });
  const root = isRecord(document.value) ? document.value : {};
  if (root['include'] !== undefined)
    report('unpinned-image', ['include'], 'compose', 'takes services from another file, which is not read');
  const services = isRecord(root['services']) ? root['services'] : {};
  for (const [name, service] of Object.entries(services)) {
    oneService(isRecord(service) ? service : {}, ['services', name], `service ${name}`, report);
  }
  for (const [name, volume] of Object.entries(isRecord(root['volumes']) ? root['volumes'] : {})) {
    const options = isRecord(volume) && isRecord(volume['driver_opts']) ? volume['driver_opts'] : {};
    const device = typeof options['device'] === 'string' ? options['device'] : '';
    if (/\br?bind\b|\$/.test(String(options['o'])) || isHostSource(options['type'], device))
      report('host-mount', ['volumes', name, 'driver_opts', 'device'], `volume ${name}`, `folder ${device} of the host`);
  }
  for (const [name, network] of Object.entries(isRecord(root['networks']) ? root['networks'] : {})) {
    const field = ['name', 'driver'].find((each) => isRecord(network) && isOfHost(network[each]));
    if (field !== undefined || (name === 'host' && isRecord(network) && isOn(network['external'])))
      report('host-network', ['networks', name, field ?? 'external'], `network ${name}`, 'the network of the host');
  }
  hostOfFile(root, report);
  for (const [name, service] of Object.entries(isRecord(root['services']) ? root['services'] : {})) {
    for (const { place, what } of excessIn(service, 'scale'))
      report('unbounded-resources', ['services', name, ...place], `service ${name}`, what);
  }
  for (const part of ['secrets', 'configs']) {
    for (const [name, entry] of Object.entries(isRecord(root[part]) ? root[part] : {})) {
      const content = isRecord(entry) ? entry['content'] : undefined;
      const isSecret = part === 'secrets' ? isOn(content) : isPlainSecret(name, content);
      if (isSecret) report('plaintext-secret', [part, name, 'content'], `${part} ${name}`, 'its content is in the file');
    }
  }
  return findings;
}

function oneService(service: Fields, place: Place, object: string, report: Report): void {
  image(service, place, object, report);
  privileges(service, place, object, report);
  if (isOfHost(service['network_mode']))
    report('host-network', [...place, 'network_mode'], object, `network_mode ${String(service['network_mode'])}`);
  listOf(service['volumes']).forEach((volume, at) => {
    const folder = hostFolder(volume);
    if (folder !== undefined) report('host-mount', [...place, 'volumes', at], object, `folder ${folder} of the host`);
    const image = isRecord(volume) && /^image$|\$/.test(String(volume['type'])) ? String(volume['source']) : undefined;
    if (image !== undefined && !isPinned(image)) report('unpinned-image', [...place, 'volumes', at], object, `image ${image}`);
  });
  listOf(service['devices']).forEach((device, at) => {
    const source = isRecord(device) ? String(device['source']) : (/^[^:]*/.exec(String(device))?.[0] ?? '');
    if (isHostDisk(source)) report('host-mount', [...place, 'devices', at], object, `disk ${source} of the host`);
  });
  hostOfService(service, place, object, report);
  if (isOn(service['use_api_socket'])) report('host-mount', [...place, 'use_api_socket'], object, 'the socket of the engine');
  bounds(service, place, object, report);
  listOf(service['ports']).forEach((port, at) => {
    if (portsIn(isRecord(port) ? String(port['published']) : String(port)) > MAX_ENTRIES)
      report('unbounded-resources', [...place, 'ports', at], object, `more than ${MAX_ENTRIES} ports`);
    if (isOpenPort(port)) report('open-route', [...place, 'ports', at], object, `port ${describePort(port)} on every address of the host`);
  });
  for (const { name, value, at } of assignments(service['annotations'])) {
    for (const { rule, what } of annotationFindings(name, value)) report(rule, [...place, 'annotations', at], object, what);
  }
  for (const { name, value, at } of assignments(service['environment'])) {
    if (isPlainSecret(name, value)) report('plaintext-secret', [...place, 'environment', at], object, `variable ${name}`);
  }
}

function image(service: Fields, place: Place, object: string, report: Report): void {
  const reference = service['image'];
  if (service['extends'] !== undefined) report('unpinned-image', [...place, 'extends'], object, 'takes its image from another service');
  else if (service['build'] !== undefined) report('unpinned-image', [...place, 'build'], object, 'is built where it runs');
  else if (reference === undefined) report('unpinned-image', place, object, 'names no image');
  else if (typeof reference !== 'string') report('unpinned-image', [...place, 'image'], object, 'an image that is no text');
  else if (!isPinned(reference)) report('unpinned-image', [...place, 'image'], object, `image ${reference}`);
}

function privileges(service: Fields, place: Place, object: string, report: Report): void {
  if (isOn(service['privileged'])) report('privileged', [...place, 'privileged'], object, 'privileged');
  for (const field of ['pid', 'ipc', 'uts', 'userns_mode', 'cgroup']) {
    if (isOfHost(service[field])) report('privileged', [...place, field], object, `${field} ${String(service[field])}`);
  }
  for (const capability of listOf(service['cap_add']).filter(isHostCapability)) {
    report('privileged', [...place, 'cap_add'], object, `capability ${String(capability)}`);
  }
  for (const option of listOf(service['security_opt']).filter(isUnconfined)) {
    report('privileged', [...place, 'security_opt'], object, String(option));
  }
  if (service['provider'] !== undefined) report('privileged', [...place, 'provider'], object, 'is a program of the host');
  // with these, what may make device nodes reads every disk
  if (listOf(service['device_cgroup_rules']).length > 0)
    report('privileged', [...place, 'device_cgroup_rules'], object, 'devices by their numbers');
  for (const field of ['post_start', 'pre_stop']) {
    listOf(service[field]).forEach((hook, at) => {
      if (isRecord(hook) && isOn(hook['privileged']))
        report('privileged', [...place, field, at, 'privileged'], object, `${field} privileged`);
    });
  }
}

function bounds(service: Fields, place: Place, object: string, report: Report): void {
  const deploy = isRecord(service['deploy']) ? service['deploy'] : {};
  const resources = isRecord(deploy['resources']) ? deploy['resources'] : {};
  const limits = isRecord(resources['limits']) ? resources['limits'] : {};
  if (!isLimit(limits['cpus']) && !isLimit(service['cpus']) && !isLimit(service['cpu_quota']))
    report('unbounded-resources', place, object, 'no limit of cpu');
  if (!isLimit(limits['memory']) && !isLimit(service['mem_limit'])) report('unbounded-resources', place, object, 'no limit of memory');
}

/** What a service mounts from its host; undefined for volumes of the engine. */
function hostFolder(volume: unknown): string | undefined {
  if (!isRecord(volume)) {
    const source = volumeSource(String(volume));
    return source !== undefined && isHostPath(source) ? source : undefined;
  }
  const source = String(volume['source'] ?? volume['src']);
  return isBind(volume['type'], source) ? source : undefined;
}

/** `HOST_IP:PUBLISHED:TARGET` binds to one address; without one, a port is published on all. */
function isOpenPort(port: unknown): boolean {
  if (isRecord(port)) return isAnyAddress(port['host_ip']);
  const [, address] = /^(\[[^\]]*\]|[^:[\]]*):[^:]*:[^:]*$/.exec(String(port)) ?? [];
  return isAnyAddress(address);
}

function describePort(port: unknown): string {
  return isRecord(port) ? String(port['published'] ?? port['target']) : String(port);
}

/** Variables or annotations of a map, or of a list of `NAME=VALUE`. */
function assignments(value: unknown): readonly { readonly name: string; readonly value: unknown; readonly at: string | number }[] {
  if (isRecord(value)) return Object.entries(value).map(([name, each]) => ({ name, value: each, at: name }));
  return listOf(value).map((entry, at) => {
    const [, name = '', each = ''] = /^([^=]*)=?(.*)$/s.exec(String(entry)) ?? [];
    return { name, value: each, at };
  });
}
