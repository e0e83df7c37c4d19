/** Rules on quadlet units (podman-systemd.unit(5)). */
import { MAX_ENTRIES, portsIn } from './amounts.js';
import { annotationFindings } from './annotation.js';
import type { Finding, PayloadRule } from './finding.js';
import { isHostDisk, isHostPath, isHostSource, volumeSource } from './host-path.js';
import { isPinned } from './image-reference.js';
import { isAnyAddress, isHostCapability, isOfHost, isOn, isUnconfined } from './lax-value.js';
import { podmanFlags, readPodmanArgs } from './podman-args.js';
import { boundsFindings } from './quadlet-bounds.js';
import type { QuadletEntry, QuadletUnit } from './quadlet-file.js';
import { hasControl, mayBeManyWords } from './quadlet-words.js';
import { isPlainSecret } from './secret-text.js';
import { systemdWords } from './systemd-words.js';

type Report = (rule: PayloadRule, line: number, what: string) => void;

/** What breaks a rule in one unit. */
export function quadletFindings(unit: QuadletUnit): readonly Finding[] {
  const findings: Finding[] = [];
  const report: Report = (rule, line, what) => findings.push({ rule, line, object: unit.name, what });
  if (unit.type === 'build') report('unpinned-image', 1, 'is built where it runs');
  images(unit, report);
  commandWords(unit, report);
  for (const entry of unit.entries) {
    if (!['Unit', 'Service', 'Install'].includes(entry.section)) words(entry, report);
    oneEntry(entry, report);
  }
  if (unit.type === 'container') for (const what of boundsFindings(unit)) report('unbounded-resources', 1, what);
  if (unit.type === 'volume') boundVolume(unit, report);
  return findings;
}

function images({ type, entries }: QuadletUnit, report: Report): void {
  for (const { key, value, line } of entries)
    if (key === 'Yaml' && /[/:%]/.test(value)) report('unpinned-image', line, `takes a manifest from ${value}, which is not read`);
  const section = { container: 'Container', image: 'Image', volume: 'Volume', artifact: 'Artifact' }[type];
  if (section === undefined) return;
  const key = type === 'artifact' ? 'Artifact' : 'Image';
  const named = entries.filter((entry) => entry.section === section && entry.key === key);
  if (type !== 'volume' && named.length === 0 && !entries.some(({ key }) => key === 'Rootfs'))
    report('unpinned-image', 1, 'names no image');
  for (const { line, value } of named) oneImage(value, line, report);
}

function oneImage(value: string, line: number, report: Report): void {
  // the image unit is a part of the payload, and judged itself
  if (!isPinned(value) && !value.endsWith('.image')) report('unpinned-image', line, `image ${value}`);
}

/** Words that podman would take for the image, the manifest or its own command: quadlet writes those behind the arguments, where they would be what runs in it. */
function commandWords({ type, entries }: QuadletUnit, report: Report): void {
  for (const key of ['GlobalArgs', 'PodmanArgs']) {
    if (key === 'PodmanArgs' && !['container', 'image', 'kube'].includes(type)) continue;
    const given = entries.filter((entry) => entry.key === key && !['Unit', 'Service', 'Install'].includes(entry.section));
    const { loose, open } = readPodmanArgs(given.map(({ value }) => value));
    const [rule, what] =
      key === 'GlobalArgs' ? (['privileged', 'command'] as const) : (['unpinned-image', type === 'kube' ? 'manifest' : 'image'] as const);
    if (loose !== undefined) report(rule, given.at(-1)?.line ?? 1, `${key}= with ${loose}, which podman takes for the ${what}`);
    if (open !== undefined) report(rule, given.at(-1)?.line ?? 1, `${key}= with a flag ${open} that takes the ${what} for its value`);
  }
}

/** What would end up elsewhere than where it is written. */
function words({ key, value, line }: QuadletEntry, report: Report): void {
  if (mayBeManyWords({ key, value })) report('privileged', line, `${key}=${value}, which systemd may make any flag of podman of`);
  if (key === 'Mount' && hasControl(value)) report('privileged', line, 'a mount with a line end, which begins another line of the unit');
}

function oneEntry({ section, key, value, line }: QuadletEntry, report: Report): void {
  if (section === 'Service' && key.startsWith('Exec')) report('privileged', line, `${key}= runs a command of the host`);
  if (section === 'Service' && hasFile(key, value)) report('host-mount', line, `${key}=${value}`);
  if (key === 'Network' && (isOfHost(value) || reachesHost(value))) report('host-network', line, `Network=${value}`);
  if (key === 'EnvironmentFile' || key === 'ConfigMap') report('host-mount', line, `file ${value} of the host`);
  if (key === 'PublishPort' && portsIn(value) > MAX_ENTRIES) report('unbounded-resources', line, `more than ${MAX_ENTRIES} ports`);
  if (key === 'PublishPort' && isOpenPort(value)) report('open-route', line, `port ${value} on every address of the host`);
  if (key === 'Volume') volume(value, line, report);
  if (key === 'Mount') for (const word of systemdWords(value)) mount(word, line, report);
  if (key === 'AddDevice') device(value, line, report);
  if (key === 'Annotation') for (const word of systemdWords(value)) annotation(word, line, report);
  if ((key === 'LogOpt' && value.startsWith('path=')) || (key === 'HealthLogDestination' && isHostPath(value)))
    report('host-mount', line, `${key}=${value}`);
  if (key === 'Rootfs') report('host-mount', line, `folder ${value} of the host`);
  const isLoose = {
    SeccompProfile: isUnconfined(value),
    AppArmor: isUnconfined(value),
    SecurityLabelDisable: isOn(value),
    SecurityLabelType: isUnconfined(value),
    Unmask: /\bALL\b|[$%]/i.test(value),
  }[key];
  if (isLoose === true) report('privileged', line, `${key}=${value}`);
  if (key === 'AddCapability') {
    for (const capability of systemdWords(value).filter(isHostCapability)) report('privileged', line, `capability ${capability}`);
  }
  if (key === 'Environment') {
    for (const word of systemdWords(value)) variable(word, line, report);
  }
  if (key === 'PodmanArgs' || key === 'GlobalArgs') podmanArgs(value, line, report);
}

/** `SOURCE:TARGET[:OPTIONS]`: a path of the host, a volume, or a unit that makes one. */
function volume(value: string, line: number, report: Report): void {
  const source = volumeSource(value);
  if (source !== undefined && isHostPath(source)) report('host-mount', line, `folder ${source} of the host`);
}

/** `type=bind,source=…,target=…` as `podman run --mount` takes it: a row of CSV. */
function mount(value: string, line: number, report: Report): void {
  const parts = value.replaceAll('"', '').split(',');
  const fields = new Map(parts.map((part) => [part.slice(0, part.indexOf('=')).trim(), part.slice(part.indexOf('=') + 1).trim()]));
  const source = fields.get('source') ?? fields.get('src') ?? '';
  const type = fields.get('type') ?? 'volume';
  // systemd may make an image of it
  if (/[$%]/.test(value)) report('unpinned-image', line, `mounts ${value}, which is not known before it runs`);
  if (type === 'image' || type === 'artifact') oneImage(source, line, report);
  else if (type === 'bind' || type === 'glob' || isHostPath(source)) report('host-mount', line, `folder ${source} of the host`);
}

/** `[-]HOST[:CONTAINER][:RIGHTS]`: one of the host's disks is as good as its folders. */
function device(value: string, line: number, report: Report): void {
  const source = value.replace(/^-/, '').split(':', 1)[0] ?? '';
  if (isHostDisk(source)) report('host-mount', line, `disk ${source} of the host`);
}

/** Where systemd writes what a service says, or reads what it is told. */
function hasFile(key: string, value: string): boolean {
  return (/^Standard(?:Output|Error|Input)$/.test(key) && /^(?:file|append|truncate):|[$%]/.test(value)) || key === 'TTYPath';
}

/**
 * Whether a network of a user's own leads to what listens on the host's loopback alone, or has pasta(1) write a file there: `slirp4netns:allow_host_loopback=true`,
 * `pasta:-T,5432`, `pasta:--log-file,/etc/x`.
 */
function reachesHost(network: string): boolean {
  if (network.startsWith('slirp4netns:')) return /allow_host_loopback=(?!false)/.test(network);
  return (
    network.startsWith('pasta:') &&
    /[:,](?:-[TUlpP]|--(?:tcp-ns|udp-ns|host-lo-to-ns-lo|map-gw|map-host-loopback|map-guest-addr|log-file|pcap|pid))/.test(network)
  );
}

function annotation(word: string, line: number, report: Report): void {
  const [, name = '', text = ''] = /^([^=]*)=?(.*)$/s.exec(word) ?? [];
  for (const { rule, what } of annotationFindings(name, text)) report(rule, line, what);
}

function variable(word: string, line: number, report: Report): void {
  const [, name = '', text = ''] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
  if (isPlainSecret(name, text)) report('plaintext-secret', line, `variable ${name}`);
}

/** A volume that the engine mounts from a folder or a disk of the host, or fills from an image. */
function boundVolume({ entries }: QuadletUnit, report: Report): void {
  const type = entries.find(({ key }) => key === 'Type')?.value;
  // quadlet takes these apart, so quotes and escapes in them say nothing
  const read = entries.map((entry) => (entry.key === 'PodmanArgs' ? { ...entry, value: systemdWords(entry.value).join(' ') } : entry));
  const isBound = read.some(({ key, value }) => (key === 'Options' || key === 'PodmanArgs') && /\br?bind\b/.test(value));
  const device = read.find(
    ({ key, value }) => (key === 'Device' && (isBound || isHostSource(type, value))) || (key === 'PodmanArgs' && /\bdevice=/.test(value)),
  );
  const image = read.find(({ key, value }) => key === 'PodmanArgs' && /\bimage\b/.test(value));
  if (image !== undefined) report('unpinned-image', image.line, `PodmanArgs=${image.value}`);
  if (device !== undefined) report('host-mount', device.line, `folder ${device.value} of the host`);
}

/** Programs of the host, or where they are told what to do. */
const HOST_PROGRAMS: readonly string[] = ['hooks-dir', 'runtime', 'conmon', 'module'];

/** Files of the host that podman reads into a container, or writes; and what another container has mounted. */
const HOST_FILES: readonly string[] = [
  ...['volumes-from', 'cidfile', 'pidfile', 'conmon-pidfile', 'pod-id-file', 'init-path'],
  ...['env-file', 'label-file', 'hosts-file', 'configmap'],
];

/** What is passed to podman around the keys that quadlet knows. */
function podmanArgs(value: string, line: number, report: Report): void {
  for (const { flag, argument } of podmanFlags(value)) {
    if (flag === 'privileged' && isOn(argument === '' ? true : argument)) report('privileged', line, '--privileged');
    if (['pid', 'ipc', 'uts', 'userns', 'cgroupns'].includes(flag) && isOfHost(argument))
      report('privileged', line, `--${flag} ${argument}`);
    if (['network', 'net'].includes(flag) && (isOfHost(argument) || reachesHost(argument)))
      report('host-network', line, `--${flag} ${argument}`);
    if (['volume', 'v'].includes(flag)) volume(argument, line, report);
    if (flag === 'mount') mount(argument, line, report);
    if (flag === 'infra-image') oneImage(argument, line, report);
    if (flag === 'infra-command') report('privileged', line, `--infra-command ${argument}`);
    if (flag === 'cgroup-conf') report('unbounded-resources', line, `--cgroup-conf ${argument}`);
    if (flag === 'rootfs') report('host-mount', line, '--rootfs');
    if (flag === 'device') device(argument, line, report);
    if (HOST_FILES.includes(flag)) report('host-mount', line, `--${flag} ${argument}`);
    if (flag === 'annotation') annotation(argument, line, report);
    if ((flag === 'log-opt' && argument.startsWith('path=')) || (flag === 'health-log-destination' && isHostPath(argument)))
      report('host-mount', line, `--${flag} ${argument}`);
    if (HOST_PROGRAMS.includes(flag) || flag === 'device-cgroup-rule' || (flag === 'security-opt' && isUnconfined(argument)))
      report('privileged', line, `--${flag} ${argument}`);
    if (flag === 'cap-add' && argument.split(',').some(isHostCapability)) report('privileged', line, `--cap-add ${argument}`);
    if (['publish', 'p'].includes(flag) && portsIn(argument) > MAX_ENTRIES)
      report('unbounded-resources', line, `more than ${MAX_ENTRIES} ports`);
    if (['publish', 'p'].includes(flag) && isOpenPort(argument))
      report('open-route', line, `port ${argument} on every address of the host`);
    if (['publish-all', 'P'].includes(flag) && isOn(argument === '' ? true : argument))
      report('open-route', line, 'every port of the image on every address of the host');
    if (['env', 'e'].includes(flag)) variable(argument, line, report);
  }
}

/** `[[IP]:][HOST]:TARGET` as podman reads it: without an address, a port is published on all. */
function isOpenPort(value: string): boolean {
  const [, address] = /^(\[[^\]]*\]|[^:[\]]*):[^:]*:[^:]*$/.exec(value) ?? [];
  return isAnyAddress(address);
}
