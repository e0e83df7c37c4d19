/** What is beside the units of a release: a unit that somebody changed, and containers that no unit of it started. */
import { sha256, utf8 } from '@sealane/core';
import type { Stray } from '../driver.js';
import { engine } from '../podman/engine.js';
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

/** As the units wrote them down when they started them; of a manifest, by the service that Podman names in the container itself. */
async function containersOf(around: QuadletAround, services: readonly KnownService[]): Promise<readonly string[]> {
  const { disk } = around.world;
  const ids = services.flatMap(({ service }) => {
    const bytes = disk.read(`/run/${service.slice(0, -'.service'.length)}.cid`, MAX_ID_BYTES);
    return bytes === undefined ? [] : [Buffer.from(bytes).toString('latin1').trim()];
  });
  const filters = services.flatMap(({ service }) => ['--filter', `label=PODMAN_SYSTEMD_UNIT=${service}`]);
  const pods = services.length === 0 ? undefined : await engine(around, ['ps', '--all', '--no-trunc', '--format', '{{.Pod}}', ...filters]);
  const names = (pods?.stdout ?? '').split('\n').filter((id) => id !== '');
  const inPods =
    names.length === 0
      ? undefined
      : await engine(around, ['ps', '--all', '--no-trunc', '--format', '{{.ID}}', ...names.flatMap((pod) => ['--filter', `pod=${pod}`])]);
  return [...ids, ...(inPods?.stdout ?? '').split('\n').filter((id) => id !== '')];
}
