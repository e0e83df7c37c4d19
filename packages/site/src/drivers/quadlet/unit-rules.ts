/**
 * What a quadlet unit of a release may say (podman-systemd.unit(5)): how its containers, volumes and networks are, and how often they are tried. What would run
 * a command of the host, reach into other units of it, or get an image from elsewhere is no part of a release, and what is not listed is refused.
 */

import { hasControl, isExpanded, mayBeManyWords, systemdWords } from '@sealane/trust';

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Keys by section; `container` and the others are the sections of the unit's own type. */
const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  Unit: words('Description Documentation After Before Wants Requires BindsTo PartOf StartLimitIntervalSec StartLimitBurst'),
  Service: words(
    `Restart RestartSec RestartSteps RestartMaxDelaySec TimeoutStartSec TimeoutStopSec Type RemainAfterExit
    MemoryMax MemoryHigh MemorySwapMax CPUQuota CPUWeight IOWeight TasksMax Nice OOMScoreAdjust`,
  ),
  // the updater starts them
  Install: words('WantedBy RequiredBy UpheldBy'),
  Container: words(
    `AddCapability AddDevice AddHost Annotation CgroupsMode ContainerName DNS DNSOption DNSSearch DropCapability Entrypoint Environment Exec ExposeHostPort
    GIDMap Group GroupAdd HealthCmd HealthInterval HealthOnFailure HealthRetries HealthStartPeriod HealthStartupCmd HealthStartupInterval HealthStartupRetries
    HealthStartupSuccess HealthStartupTimeout HealthTimeout HostName Image IP IP6 Label LogDriver Mask Memory Mount Network NetworkAlias NoNewPrivileges
    Notify PidsLimit PublishPort ReadOnly ReadOnlyTmpfs RunInit SeccompProfile Secret SecurityLabelDisable SecurityLabelFileType SecurityLabelLevel
    SecurityLabelNested SecurityLabelType ShmSize StopSignal StopTimeout SubGIDMap SubUIDMap Sysctl Timezone Tmpfs UIDMap Ulimit Unmask User UserNS Volume WorkingDir`,
  ),
  Volume: words('Copy Device Driver Group Label Options Type User VolumeName'),
  Network: words('DNS DisableDNS Driver Gateway IPAMDriver IPRange IPv6 Internal Label NetworkName Options Subnet'),
  Kube: words('ExitCodePropagation KubeDownForce LogDriver Network PublishPort UserNS Yaml'),
};

/** Types of units that a release may have, each with its section. */
export const TYPES: Readonly<Record<string, string>> = { container: 'Container', volume: 'Volume', network: 'Network', kube: 'Kube' };

/** Keys that name units: those of the release, and what tells that the network is there. */
const NAMES_UNITS = words('Wants Requires BindsTo PartOf');

/** Whether a unit of this type may have the key in the section. */
export function isAllowed(type: string, section: string, key: string): boolean {
  const own = ['Unit', 'Service', 'Install', TYPES[type]].includes(section);
  return own && SECTIONS[section]?.includes(key) === true;
}

/** Of the value of a key, the first unit that is none of the release's own, or undefined. */
export function foreignUnit(key: string, value: string, own: readonly string[]): string | undefined {
  if (!NAMES_UNITS.includes(key)) return undefined;
  return words(value).find((unit) => unit !== '' && unit !== 'network-online.target' && !own.includes(unit));
}

/** Names of what the engine makes, which stand as words of their own in its command lines: `--all` would be a flag. */
const NAMES = words('ContainerName VolumeName NetworkName');

/** What a value should be that is not read alike by quadlet, systemd and podman; undefined where it is. */
export function plainValue(section: string, key: string, value: string): string | undefined {
  if (['Unit', 'Service', 'Install'].includes(section)) return undefined;
  if (isExpanded({ key, value }) || mayBeManyWords({ key, value }))
    return 'a value in which systemd expands nothing ($$ and %% stand for $ and %)';
  if (key === 'Mount' && hasControl(value)) return 'a mount without control characters';
  if (NAMES.includes(key) && !/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(value)) return 'a plain name';
  return undefined;
}

/** Values that get an image from elsewhere. */
export function namesImage(section: string, key: string, value: string): boolean {
  // quadlet takes quotes and escapes away, and podman those of a row of CSV
  if (section === 'Container' && key === 'Mount')
    return systemdWords(value).some((word) => /(?:^|,)\s*type\s*=\s*(?:image|artifact)\b/.test(word.replaceAll('"', '')));
  return section === 'Volume' && key === 'Driver' && value.replaceAll('"', '') === 'image';
}
