/** Field names of Kubernetes that are spelt otherwise: an API server knows them not, and Podman reads them all the same, as all that Go decodes by its own means. */
import { isRecord, type Place } from './manifest-file.js';

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** What rules and drivers read, by how it is spelt. */
const FIELDS = new Map(
  words(
    `apiVersion kind metadata name annotations spec items template jobTemplate containers initContainers ephemeralContainers image reference
    securityContext privileged capabilities add procMount seccompProfile appArmorProfile type windowsOptions hostProcess
    hostNetwork hostPID hostIPC volumes hostPath path local ports hostPort hostIP resources limits
    replicas parallelism volumeMounts volumeDevices volumeClaimTemplates
    env value valueFrom envFrom secretRef secretKeyRef secret secretName data stringData binaryData`,
  ).map((field) => [folded(field), field]),
);

/** Maps whose keys are anybody's, in the kinds that Podman plays. */
const FREE: readonly string[] = words('annotations labels matchLabels nodeSelector data stringData binaryData limits requests');

/** Kinds that Podman plays; of others it reads no more than that they are. */
const PLAYED: readonly string[] = words(
  'Pod DaemonSet Deployment ReplicaSet StatefulSet Job CronJob ConfigMap Secret PersistentVolumeClaim List',
);

/** Where a field is that is spelt otherwise than Kubernetes spells it; undefined where there is none. */
export function misspeltField(document: unknown): Place | undefined {
  if (!isRecord(document)) return undefined;
  const top = Object.keys(document).find(isMisspelt);
  if (top !== undefined) return [top];
  return PLAYED.includes(String(document['kind'])) || String(document['kind']).endsWith('List') ? below(document, []) : undefined;
}

function below(value: unknown, place: Place): Place | undefined {
  const entries: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
    ? [...value.entries()]
    : isRecord(value)
      ? Object.entries(value)
      : [];
  for (const [key, child] of entries) {
    if (typeof key === 'string' && isMisspelt(key)) return [...place, key];
    const found = typeof key === 'string' && FREE.includes(key) ? undefined : below(child, [...place, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isMisspelt(key: string): boolean {
  const field = FIELDS.get(folded(key));
  return field !== undefined && field !== key;
}

/** As Go's `strings.EqualFold` compares: also the long s and the sign of Kelvin are letters. */
function folded(key: string): string {
  return key.toUpperCase().toLowerCase();
}
