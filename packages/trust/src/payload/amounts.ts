/** How much a manifest may ask for at once: a number in one line may otherwise be more pods, ports or mounts than a host has room for. Podman 4.3 makes as many pods as `replicas` says. */
import { isRecord, type Place, walk } from './manifest-file.js';

/** Pods of one object: ten times what a node runs (a kubelet takes 110). */
const MAX_REPLICAS = 1000;
/** Entries of one list of a container, a pod or a service, and ports of one range. */
export const MAX_ENTRIES = 1000;

/** What counts pods, where an orchestrator makes them at once. */
const COUNTS: readonly string[] = ['replicas', 'parallelism', 'minReplicas', 'maxReplicas', 'minReplicaCount', 'maxReplicaCount'];

const LISTS: readonly string[] = `containers initContainers ephemeralContainers volumes volumeMounts volumeDevices env envFrom ports
  environment devices volumeClaimTemplates`.split(/\s+/);

/** Maps whose keys are anybody's. */
const FREE: readonly string[] = ['annotations', 'labels', 'matchLabels', 'nodeSelector', 'data', 'stringData', 'binaryData', 'environment'];

/** A number or a list that is too large. */
export interface Excess {
  readonly place: Place;
  readonly what: string;
}

/** Everything in a document that asks for too much. `count` is one more field of the document itself that counts pods. */
export function excessIn(value: unknown, count?: string): readonly Excess[] {
  const found: Excess[] = [];
  walk(value, (each, place) => {
    const name = String(place.at(-1));
    if (place.slice(0, -1).some((key) => FREE.includes(String(key)))) return;
    if ((COUNTS.includes(name) || (place.length === 1 && name === count)) && isTooMany(each))
      found.push({ place, what: `${name} ${String(each).slice(0, 40)}, more than ${MAX_REPLICAS}` });
    const size = Array.isArray(each) ? each.length : isRecord(each) ? Object.keys(each).length : 0;
    if (LISTS.includes(name) && size > MAX_ENTRIES) found.push({ place, what: `${size} ${name}, more than ${MAX_ENTRIES}` });
  });
  return found;
}

/** Ports of a range `FROM-TO`, as it stands in `[ADDRESS:]HOST:TARGET`; 1 for one. */
export function portsIn(text: string): number {
  const ranges = [...text.matchAll(/(?:^|:)(\d+)-(\d+)(?=$|[:/])/g)].map(([, from, to]) => Number(to) - Number(from) + 1);
  return Math.max(1, ...ranges);
}

/** Go reads `1_000` as a number, and what a variable stands for is not known. */
function isTooMany(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('$') || Number(value.replaceAll('_', '')) > MAX_REPLICAS;
  return typeof value === 'number' && !(value <= MAX_REPLICAS);
}
