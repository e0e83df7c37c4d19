/** What is beside the units of a release: a unit that somebody changed, and containers that no unit of it started. */
import { sha256, utf8 } from '@sealane/core';
import type { Stray } from '../driver.js';
import { engine } from '../podman/engine.js';
import { containersIn, type EngineContainer } from './engine-containers.js';
import { strayContainers } from '../podman/strays.js';
import type { KnownService, QuadletAround } from './around.js';

/** Longest id of a container, with its line end. */
const MAX_ID_BYTES = 128;

/** Finds them; with `strays: stop` containers are stopped and units put back by `again`, which starts the release anew. @throws SiteError `DRIVER_NOT_READY` */
export async function findStrays(
  around: QuadletAround,
  services: readonly KnownService[],
  again: (() => Promise<void>) | undefined,
): Promise<readonly Stray[]> {
  const { config, world } = around;
  const changed: string[] = [];
  for (const { service, definition } of services) {
    const { LoadState } = await world.units.show(service);
    const now = LoadState === 'loaded' ? sha256(utf8(await world.units.definition(service))) : undefined;
    if (definition !== undefined && now !== definition) changed.push(service);
  }
  const containers = await strayContainers(around, await containersOf(around, services));
  const isPutBack = changed.length > 0 && config.strays === 'stop' && again !== undefined;
  if (isPutBack) {
    for (const service of changed) await world.units.revert(service);
    await again();
  }
  return [
    ...changed.map((service): Stray => ({ what: `unit ${service}`, how: 'was changed', did: isPutBack ? 'put back' : 'reported' })),
    ...containers,
  ];
}

/** As the units wrote them down when they started them; of a manifest, those of its pods. */
async function containersOf(around: QuadletAround, services: readonly KnownService[]): Promise<readonly string[]> {
  const { disk } = around.world;
  const ids = services.flatMap(({ service }) => {
    const bytes = disk.read(`/run/${service.slice(0, -'.service'.length)}.cid`, MAX_ID_BYTES);
    return bytes === undefined ? [] : [Buffer.from(bytes).toString('latin1').trim()];
  });
  const names = services.map(({ service }) => service);
  return [...new Set([...ids, ...(await ofServices(around, names)).map(({ id }) => id)])];
}

/** Pods and containers of services, by the service that Podman names in a container itself: those in a pod of theirs too. */
export async function ofServices(around: QuadletAround, services: readonly string[]): Promise<readonly EngineContainer[]> {
  if (services.length === 0) return [];
  const listed = await engine(around, ['ps', '--all', '--no-trunc', '--format', 'json']);
  const all = listed.code === 0 ? containersIn(listed.stdout) : [];
  const named = all.filter(({ service }) => services.includes(service));
  const pods = new Set(named.map(({ pod }) => pod).filter((pod) => pod !== ''));
  return all.filter((container) => named.includes(container) || pods.has(container.pod));
}
