/** Rules on quadlet units (podman-systemd.unit(5)). */
import type { Finding, PayloadRule } from './finding.js';
import { isHostPath, volumeSource } from './host-path.js';
import { isPinned } from './image-reference.js';
import { isAnyAddress, isHostCapability, isLimit, isOn } from './lax-value.js';
import type { QuadletEntry, QuadletUnit } from './quadlet-file.js';
import { isPlainSecret } from './secret-text.js';

type Report = (rule: PayloadRule, line: number, what: string) => void;

/** What breaks a rule in one unit. */
export function quadletFindings(unit: QuadletUnit): readonly Finding[] {
  const findings: Finding[] = [];
  const report: Report = (rule, line, what) => findings.push({ rule, line, object: unit.name, what });
  if (unit.type === 'build') report('unpinned-image', 1, 'is built where it runs');
  images(unit, report);
  for (const entry of unit.entries) {
    if (unit.type === 'container' || unit.type === 'pod' || unit.type === 'kube') oneEntry(entry, report);
  }
  if (unit.type === 'container') bounds(unit, report);
  if (unit.type === 'volume') boundVolume(unit, report);
  return findings;
}

function images({ type, entries }: QuadletUnit, report: Report): void {
  const section = { container: 'Container', image: 'Image' }[type];
  if (section === undefined) return;
  const named = entries.filter((entry) => entry.section === section && entry.key === 'Image');
  if (named.length === 0 && !entries.some(({ key }) => key === 'Rootfs')) report('unpinned-image', 1, 'names no image');
  for (const { line, value } of named) {
    // the image unit is a part of the payload, and judged itself
    if (!isPinned(value) && !value.endsWith('.image')) report('unpinned-image', line, `image ${value}`);
  }
}

function oneEntry({ key, value, line }: QuadletEntry, report: Report): void {
  if (key === 'Network' && /^host(?::|$)/.test(value)) report('host-network', line, `Network=${value}`);
  if (key === 'PublishPort' && isOpenPort(value)) report('open-route', line, `port ${value} on every address of the host`);
  if (key === 'Volume') volume(value, line, report);
  if (key === 'Mount') mount(value, line, report);
  if (key === 'Rootfs') report('host-mount', line, `folder ${value} of the host`);
  if (key === 'SeccompProfile' && value === 'unconfined') report('privileged', line, `SeccompProfile=${value}`);
  if (key === 'AddCapability') {
    for (const capability of value.split(/\s+/).filter(isHostCapability)) report('privileged', line, `capability ${capability}`);
  }
  if (key === 'Environment') {
    for (const { name, text } of assignments(value)) if (isPlainSecret(name, text)) report('plaintext-secret', line, `variable ${name}`);
  }
  if (key === 'PodmanArgs' || key === 'GlobalArgs') podmanArgs(value, line, report);
}

/** `SOURCE:TARGET[:OPTIONS]`: a path of the host, a volume, or a unit that makes one. */
function volume(value: string, line: number, report: Report): void {
  const source = volumeSource(value);
  if (source !== undefined && isHostPath(source)) report('host-mount', line, `folder ${source} of the host`);
}

/** `type=bind,source=…,target=…` as `podman run --mount` takes it. */
function mount(value: string, line: number, report: Report): void {
  const fields = new Map(value.split(',').map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]));
  const source = fields.get('source') ?? fields.get('src') ?? '';
  const type = fields.get('type') ?? 'volume';
  if (type === 'bind' || type === 'glob' || isHostPath(source)) report('host-mount', line, `folder ${source} of the host`);
}

/** A volume that the engine mounts from a folder of the host. */
function boundVolume({ entries }: QuadletUnit, report: Report): void {
  const isBound = entries.some(({ key, value }) => (key === 'Options' || key === 'PodmanArgs') && /\bbind\b/.test(value));
  const device = entries.find(({ key }) => key === 'Device');
  if (isBound && device !== undefined) report('host-mount', device.line, `folder ${device.value} of the host`);
}

/** What is passed to podman around the keys that quadlet knows. */
function podmanArgs(value: string, line: number, report: Report): void {
  for (const [, flag = '', text = ''] of value.matchAll(/(?:^|\s)--?([a-z-]+)(?:[= ]("[^"]*"|[^\s-]\S*))?/g)) {
    const argument = text.replaceAll('"', '');
    if (flag === 'privileged' && isOn(argument === '' ? true : argument)) report('privileged', line, '--privileged');
    if (['pid', 'ipc', 'uts', 'userns', 'cgroupns'].includes(flag) && argument === 'host') report('privileged', line, `--${flag} host`);
    if (['network', 'net'].includes(flag) && argument === 'host') report('host-network', line, `--${flag} host`);
    if (['volume', 'v'].includes(flag)) volume(argument, line, report);
    if (flag === 'mount') mount(argument, line, report);
    if (flag === 'rootfs') report('host-mount', line, '--rootfs');
    if (flag === 'cap-add' && argument.split(',').some(isHostCapability)) report('privileged', line, `--cap-add ${argument}`);
    if (['publish', 'p'].includes(flag) && isOpenPort(argument))
      report('open-route', line, `port ${argument} on every address of the host`);
    const [, name = '', secret = ''] = ['env', 'e'].includes(flag) ? (/^([^=]*)=(.*)$/s.exec(argument) ?? []) : [];
    if (isPlainSecret(name, secret)) report('plaintext-secret', line, `variable ${name}`);
  }
}

function bounds({ entries }: QuadletUnit, report: Report): void {
  const has = (keys: readonly string[], flag: RegExp): boolean =>
    entries.some(({ key, value }) => (keys.includes(key) && isLimit(value)) || (key === 'PodmanArgs' && flag.test(value)));
  if (!has(['Memory', 'MemoryMax'], /(?:^|\s)(?:--memory|-m)[= ]\s*[1-9]/)) report('unbounded-resources', 1, 'no limit of memory');
  if (!has(['CPUQuota'], /(?:^|\s)--cpus[= ]\s*(?:[1-9]|0?\.\d*[1-9])/)) report('unbounded-resources', 1, 'no limit of cpu');
}

/** `[[IP]:][HOST]:TARGET` as podman reads it: without an address, a port is published on all. */
function isOpenPort(value: string): boolean {
  const [, address] = /^(\[[^\]]*\]|[^:[\]]*):[^:]*:[^:]*$/.exec(value) ?? [];
  return isAnyAddress(address);
}

/** systemd's list of assignments: words, or quoted where they hold spaces. */
function assignments(value: string): readonly { readonly name: string; readonly text: string }[] {
  return [...value.matchAll(/"([^"=\s]+)=([^"]*)"|'([^'=\s]+)=([^']*)'|([^\s"'=]+)=("[^"]*"|'[^']*'|\S*)/g)].map((match) => ({
    name: match[1] ?? match[3] ?? match[5] ?? '',
    text: (match[2] ?? match[4] ?? match[6] ?? '').replace(/^["']|["']$/g, ''),
  }));
}
