/** The names that a release gives to what it makes in the engine, and those that it uses there. An engine has one of each name, and a host may have things of its own in it. Pure. */
import { fieldOf, textOf } from '../../tool-json.js';
import { podClaims } from './kube-manifest.js';
import { RELEASE_SECRET } from './secret-volumes.js';

/** A pod as the engine lists it. */
export interface NamedPod {
  readonly id: string;
  readonly name: string;
}

/** What a release takes for its own, and what it only uses. */
export interface EngineNames {
  readonly pods: (pod: NamedPod) => boolean;
  /** Containers beside pods. */
  readonly containers: readonly string[];
  /** Also those that are only mounted: the engine makes a volume that is not there. */
  readonly volumes: readonly string[];
  readonly networks: readonly string[];
  readonly secrets: readonly string[];
  readonly usedNetworks: readonly string[];
  readonly usedSecrets: readonly string[];
}

/** What stays when a release goes, by kind: it holds data, or others use it. */
export const KEPT = ['volumes', 'networks', 'secrets'] as const;

export type KeptKind = (typeof KEPT)[number];

/** Of no release. */
export const NO_NAMES: EngineNames = together([]);

/** Names of several parts of a release together. */
export function together(parts: readonly EngineNames[]): EngineNames {
  const all = (kind: Exclude<keyof EngineNames, 'pods'>): readonly string[] => [...new Set(parts.flatMap((part) => part[kind]))].sort();
  return {
    pods: (pod) => parts.some((part) => part.pods(pod)),
    containers: all('containers'),
    volumes: all('volumes'),
    networks: all('networks'),
    secrets: all('secrets'),
    usedNetworks: all('usedNetworks'),
    usedSecrets: all('usedSecrets'),
  };
}

/** The names in the documents of a manifest, as `podman kube play` makes them: a ConfigMap or Secret that is mounted becomes a volume of its name. */
export function manifestNames(documents: readonly unknown[]): EngineNames {
  const [volumes, secrets, usedSecrets]: [string[], string[], string[]] = [[], [], []];
  for (const value of documents.flatMap(below)) {
    const name = textOf(fieldOf(value, 'metadata'), 'name');
    if (fieldOf(value, 'kind') === 'PersistentVolumeClaim') volumes.push(name);
    if (fieldOf(value, 'kind') === 'Secret') secrets.push(name);
    volumes.push(textOf(fieldOf(value, 'persistentVolumeClaim'), 'claimName'), textOf(fieldOf(value, 'configMap'), 'name'));
    const mounted = textOf(fieldOf(value, 'secret'), 'secretName');
    // those of the release are folders of the site
    if (mounted !== RELEASE_SECRET) volumes.push(mounted);
    if (mounted !== RELEASE_SECRET) usedSecrets.push(mounted);
    for (const field of ['secretRef', 'secretKeyRef']) usedSecrets.push(textOf(fieldOf(value, field), 'name'));
  }
  const named = (names: readonly string[]): readonly string[] => names.filter((name) => name !== '');
  return {
    pods: podClaims(documents),
    containers: [],
    volumes: named(volumes),
    networks: [],
    secrets: named(secrets),
    usedNetworks: [],
    usedSecrets: named(usedSecrets),
  };
}

/** A value and all that is in it. */
function below(value: unknown): readonly unknown[] {
  return typeof value === 'object' && value !== null ? [value, ...Object.values(value).flatMap(below)] : [];
}
