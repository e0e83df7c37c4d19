/** Whether a `.container` unit is held to a bound: by the control group of its service (systemd.resource-control(5)), or by podman's own flags. */
import { isLimit } from './lax-value.js';
import { podmanFlags, type PodmanFlag, readPodmanArgs } from './podman-args.js';
import type { QuadletUnit } from './quadlet-file.js';

/** What bounds one resource, in each of the places that can. */
interface Bound {
  readonly name: string;
  readonly service: string;
  readonly key?: string;
  readonly flags: readonly string[];
}

const BOUNDS: readonly Bound[] = [
  { name: 'memory', service: 'MemoryMax', key: 'Memory', flags: ['memory', 'm'] },
  { name: 'cpu', service: 'CPUQuota', flags: ['cpus'] },
];

/** What is missing. Of a key that stands twice the last counts, as for systemd and quadlet. */
export function boundsFindings({ entries }: QuadletUnit): readonly string[] {
  const last = (section: string, key: string | undefined): string | undefined =>
    entries.findLast((entry) => entry.section === section && entry.key === key)?.value;
  const values = entries.filter(({ section, key }) => section === 'Container' && key === 'PodmanArgs').map(({ value }) => value);
  // all that may be flags of it, for what takes a bound away; only what surely is one gives a bound
  const perhaps = values.flatMap(podmanFlags);
  const { flags } = readPodmanArgs(values);
  const modes = [last('Container', 'CgroupsMode') ?? '', ...named(perhaps, ['cgroups'])].filter((mode) => mode !== '');
  const missing = ({ service, key, flags: names }: Bound): boolean => {
    if (modes.includes('disabled')) return true;
    // in a control group of its own the container is not in that of the service
    if (modes.every((mode) => mode === 'split') && isLimit(last('Service', service))) return false;
    const given = named(perhaps, names);
    return given.length === 0 ? !isLimit(last('Container', key)) : !given.every(isLimit) || named(flags, names).length === 0;
  };
  return BOUNDS.filter(missing).map(({ name }) => `no limit of ${name}`);
}

function named(flags: readonly PodmanFlag[], names: readonly string[]): readonly string[] {
  return flags.filter(({ flag }) => names.includes(flag)).map(({ argument }) => argument);
}
