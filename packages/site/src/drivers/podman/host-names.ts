/**
 * Holds a release off what is the host's own in the engine. `kube play --replace` and quadlet take the place of a pod or container that has the name, and mount
 * a volume that has it, with whatever data are in it. So a name is the release's if nothing has it, if what has it was made by a release of this site before,
 * or if site.yaml says that releases may use it.
 */
import path from 'node:path';
import { type JsonValue, SiteError } from '@sealane/core';
import { durableWrite } from '../../durable-write.js';
import { plainJson } from '../../plain-json.js';
import { readSealed, sealed } from '../../sealed-file.js';
import type { DriverWorld } from '../driver.js';
import { type Around, engine, howOf } from './engine.js';
import { type EngineNames, KEPT, type KeptKind, type NamedPod, NO_NAMES } from './engine-names.js';

/** Names by kind. */
export type NamesOfKind = Readonly<Record<KeptKind, readonly string[]>>;

/** Whose a pod or container is that has a name of the release. */
export interface Owner {
  readonly pod: (pod: NamedPod) => boolean | Promise<boolean>;
  readonly container: (id: string) => boolean | Promise<boolean>;
}

/** Networks that every engine has, and joins by itself. */
const OF_ENGINE: readonly string[] = ['podman', 'podman-default-kube-network'];

const ONE: Readonly<Record<KeptKind, string>> = { volumes: 'volume', networks: 'network', secrets: 'secret' };

/**
 * Looks for what has a name of the release and is not this site's.
 *
 * @throws SiteError `refusal` there is something; `DRIVER_NOT_READY` the engine does not say
 */
export async function refuseHostNames(
  around: Around,
  names: EngineNames,
  owner: Owner,
  refusal: 'DRIVER_REFUSED' | 'HEALTH_FAILED',
): Promise<void> {
  const refuse = (what: string, name: string, hint: string): never => {
    throw new SiteError(
      refusal,
      `name a ${what} ${name}: expected none there, or one of this site, got one of this host`,
      { name },
      { hint },
    );
  };
  const own = ownNames(around.world) ?? NO_NAMES;
  const clash = await podOf(around, names, owner);
  if (clash !== undefined) refuse('pod', clash.name, 'name it otherwise in the release, or remove what the host has of that name');
  for (const [id, name] of names.containers.length === 0
    ? []
    : await listed(around, ['ps', '--all', '--no-trunc'], '{{.ID}}\t{{.Names}}')) {
    const isNamed = names.containers.some((each) => each === name || isBeginning(each, id));
    if (isNamed && !(await owner.container(id)))
      refuse('container', name, 'name it otherwise in the release, or remove what the host has of that name');
  }
  for (const kind of KEPT) {
    const wanted = [...names[kind], ...(kind === 'networks' ? names.usedNetworks : kind === 'secrets' ? names.usedSecrets : [])];
    const may = [...own[kind], ...around.config.mayUse[kind], ...(kind === 'networks' ? OF_ENGINE : [])];
    const foreign = wanted.filter((name) => !may.includes(name));
    if (foreign.length === 0) continue;
    const format = kind === 'volumes' ? '{{.Name}}' : '{{.Name}}\t{{.ID}}';
    for (const [name, id] of await listed(around, [ONE[kind], 'ls', ...(kind === 'networks' ? ['--no-trunc'] : [])], format))
      if (foreign.some((each) => each === name || isBeginning(each, id)) && !may.includes(name))
        refuse(
          ONE[kind],
          name,
          `name it otherwise in the release; or, if releases may use it, name it in driver.mayUse.${kind} of site.yaml`,
        );
  }
}

/** Writes down, before they are made, what this release makes that will stay. */
export function keepNames(world: Pick<DriverWorld, 'disk' | 'stateFolder'>, names: NamesOfKind): void {
  const { disk, stateFolder } = world;
  const own = ownNames(world);
  const next = Object.fromEntries(KEPT.map((kind) => [kind, [...new Set([...(own?.[kind] ?? []), ...names[kind]])].sort()]));
  if (own !== undefined && KEPT.every((kind) => own[kind].length === next[kind]?.length)) return;
  const file = fileIn(stateFolder);
  disk.makeFolder(path.dirname(file), 0o750);
  durableWrite(disk, file, sealed(plainJson(next)));
}

/** Writes down what was made by an updater that did not write it down: `made` says what. Once. */
export async function startNames(world: Pick<DriverWorld, 'disk' | 'stateFolder'>, made: () => Promise<NamesOfKind>): Promise<void> {
  if (ownNames(world) === undefined) keepNames(world, await made());
}

/** What releases of this site have made so far; undefined where it was never written down. @throws SiteError `STATE_CORRUPT` */
function ownNames({ disk, stateFolder }: Pick<DriverWorld, 'disk' | 'stateFolder'>): NamesOfKind | undefined {
  const value = readSealed(disk, fileIn(stateFolder));
  if (value === undefined) return undefined;
  return { volumes: texts(value['volumes']), networks: texts(value['networks']), secrets: texts(value['secrets']) };
}

function fileIn(stateFolder: string): string {
  return path.join(stateFolder, 'run', 'engine-names.json');
}

function texts(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

/** An engine takes the beginning of an id for a name. */
function isBeginning(name: string, id: string): boolean {
  return /^[0-9a-f]+$/.test(name) && id.startsWith(name);
}

async function podOf(around: Around, names: EngineNames, owner: Owner): Promise<NamedPod | undefined> {
  for (const [id, name] of await listed(around, ['pod', 'ps', '--no-trunc'], '{{.ID}}\t{{.Name}}')) {
    const pod = { id, name };
    if (names.pods(pod) && !(await owner.pod(pod))) return pod;
  }
  return undefined;
}

async function listed(around: Around, words: readonly string[], format: string): Promise<readonly (readonly [string, string])[]> {
  const end = await engine(around, [...words, '--format', format]);
  if (end.code !== 0)
    throw new SiteError('DRIVER_NOT_READY', `list what the engine of this site has (${words.join(' ')}): expected exit 0, ${howOf(end)}`);
  const lines = end.stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => line.split('\t')).map(([first = '', second = '']) => [first, second]);
}
