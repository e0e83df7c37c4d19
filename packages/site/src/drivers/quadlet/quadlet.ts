/**
 * Driver `quadlet`: the units of a release, laid where Podman's generator makes services of them, and started by systemd, which starts them again when they end.
 *
 * They lie in memory: after a power cut none is there until the updater starts the release that it has committed, so nothing half laid down ever runs.
 */
import path from 'node:path';
import { sha256, SiteError, utf8 } from '@sealane/core';
import { isQuadletName } from '@sealane/trust';
import { crashPoint } from '../../crash-point.js';
import type { Driver, SlotOnDisk, WorkloadStatus } from '../driver.js';
import { configMap, toldOf } from '../podman/engine-config.js';
import { howOf } from '../podman/engine.js';
import type { EngineNames, NamedPod } from '../podman/engine-names.js';
import { expectRoomForPods, manifestDocuments } from '../podman/kube-manifest.js';
import { keepNames, refuseHostNames, startNames } from '../podman/host-names.js';
import { withImages } from '../podman/images.js';
import { layVolume, volumesFolder } from '../podman/kept-manifests.js';
import { examineConfig } from '../podman/examine-config.js';
import { namesOnDisk } from '../podman/known-release.js';
import { permitImages } from '../podman/permit.js';
import { releaseManifests } from '../release-manifests.js';
import { slotRecordFile } from '../slot-record.js';
import { workloadEnv } from '../workload-env.js';
import type { KnownService, QuadletAround, QuadletDriverConfig, QuadletWorld } from './around.js';
import { servicesStatus } from './services-status.js';
import { findStrays, ofServices } from './strays.js';
import { unitNames } from './unit-names.js';
import { CONFIG_MAP, ENV_FILE, type UnitSet, unitSet } from './unit-set.js';

/** Where Podman looks for units in memory (podman-systemd.unit(5)). */
const UNITS = '/run/containers/systemd';

/** What makes services of them, wherever a distribution keeps the program itself. */
const GENERATOR = '/usr/lib/systemd/system-generators/podman-system-generator';

/** Makes the driver. It reads and writes `run/quadlet.json` and `run/podman/` in the state folder, and its folder in `/run/containers/systemd`. */
export function quadletDriver(config: QuadletDriverConfig, world: QuadletWorld): Driver {
  const around = { config: { ...config, engine: ['podman'], network: [] }, world };
  const record = slotRecordFile(world, 'quadlet');
  const folder = path.join(UNITS, `sealane-${config.site}`);
  /** Nothing of the host's own is replaced, mounted or joined. Returns the names that this release gives. */
  const expectOwnNames = async (slot: SlotOnDisk, set: UnitSet, refusal: 'DRIVER_REFUSED' | 'HEALTH_FAILED'): Promise<EngineNames> => {
    await startNames(world, () => namesOnDisk(world, refusal === 'DRIVER_REFUSED' ? slot : undefined, unitNames));
    const known = record.read();
    const names = unitNames((await releaseManifests(world, slot)).manifests);
    const services = [...set.all, ...servicesIn(known?.more ?? []).map(({ service }) => service)];
    const owner = {
      pod: async ({ id }: NamedPod) => (await ofServices(around, services)).some(({ pod }) => pod === id),
      container: async (id: string) => (await ofServices(around, services)).some((container) => container.id === id),
    };
    await refuseHostNames(around, names, owner, refusal);
    return names;
  };
  const start = async (slot: SlotOnDisk): Promise<void> => {
    const set = await setOf(around, slot, folder);
    keepNames(world, await expectOwnNames(slot, set, 'HEALTH_FAILED'));
    record.write(slot, set.all);
    crashPoint('update:workload-recorded');
    await withImages(around, slot, set.images, async (env) => {
      layDown(world, slot, set, folder, env);
      await world.units.reload();
      for (const service of set.services) await world.units.begin(service);
    });
    record.write(slot, await withDefinitions(world, set.all));
  };
  const stop = async (): Promise<void> => {
    const services = servicesIn(record.read()?.more ?? []);
    for (const { service } of services.toReversed()) await world.units.stop(service);
    if (world.disk.kind(folder) !== 'nothing') {
      world.disk.remove(folder);
      await world.units.reload();
    }
    record.remove();
  };
  return {
    images: 'pulled',
    prepare: async (slot) => {
      const set = await setOf(around, slot, folder);
      for (const { file, bytes } of (await releaseManifests(world, slot)).manifests)
        if (!isQuadletName(file)) expectRoomForPods(file, manifestDocuments(file, bytes));
      await tryOut(around, slot, set);
      for (const service of set.all) await refuseForeign(world, service, folder);
      await expectOwnNames(slot, set, 'DRIVER_REFUSED');
      await withImages(around, slot, set.images, () => Promise.resolve());
    },
    start,
    stop,
    status: async (): Promise<WorkloadStatus> => {
      const known = record.read();
      if (known === undefined) return { is: 'none' };
      const { release } = known.slot;
      if (known.bootId !== world.clock.bootId()) return { is: 'ended', release, how: 'the host was restarted' };
      const services = servicesIn(known.more);
      const facts = await Promise.all(services.map(async ({ service }) => ({ service, facts: await world.units.show(service) })));
      return servicesStatus(release, facts);
    },
    permit: (slots) => permitImages(around, slots),
    examine: () => examineConfig(around),
    strays: async (slots) => {
      const known = record.read();
      const isThisBoot = known?.bootId === world.clock.bootId();
      const slot = isThisBoot ? slots.find(({ release }) => release === known.slot.release) : undefined;
      const again = slot === undefined ? undefined : () => stop().then(() => start(slot));
      return await findStrays(around, isThisBoot ? servicesIn(known.more) : [], again);
    },
  };
}

function servicesIn(more: readonly string[]): readonly KnownService[] {
  return more.map((text) => text.split(' ')).map(([service = '', definition]) => ({ service, definition }));
}

async function withDefinitions({ units }: QuadletWorld, services: readonly string[]): Promise<readonly string[]> {
  return await Promise.all(services.map(async (service) => `${service} ${sha256(utf8(await units.definition(service)))}`));
}

async function setOf({ config, world }: QuadletAround, slot: SlotOnDisk, folder: string): Promise<UnitSet> {
  const { manifests, digests } = await releaseManifests(world, slot);
  const secrets = (at: number): string => path.join(volumesFolder(slot.credentials), String(at));
  const told = toldOf(workloadEnv(config, world, slot));
  const [long] = Object.keys(told).filter((name) => told[name]?.includes('\n'));
  if (long !== undefined)
    throw new SiteError('DRIVER_REFUSED', `tell ${slot.name} its variables: expected one line each, got more in ${long}`);
  return unitSet(manifests, { digests, credentials: slot.credentials, secrets, folder });
}

/** Writes the units and what they name. @throws SiteError `HEALTH_FAILED` a secret is gone */
function layDown(world: QuadletWorld, slot: SlotOnDisk, { files, secrets }: UnitSet, folder: string, env: NodeJS.ProcessEnv): void {
  const { disk } = world;
  if (slot.credentials !== undefined) for (const volume of secrets) layVolume(world, slot.credentials, volume);
  disk.remove(folder);
  disk.makeFolder(folder, 0o755);
  const told = toldOf(env);
  const lines = Object.entries(told).map(([name, value]) => `${name}=${value}\n`);
  const beside = [
    { name: ENV_FILE, bytes: utf8(lines.join('')) },
    { name: CONFIG_MAP, bytes: utf8(configMap(told)) },
  ];
  for (const { name, bytes } of files) disk.writeSynced(path.join(folder, name), bytes, 0o644);
  // values are read by Podman, which is root, and by nobody else on the host
  for (const { name, bytes } of beside) disk.writeSynced(path.join(folder, name), bytes, 0o600);
}

/** Has the generator read the units before anything is touched: what it does not know it refuses. */
async function tryOut({ config, world }: QuadletAround, slot: SlotOnDisk, { files }: UnitSet): Promise<void> {
  const place = path.join(world.stateFolder, 'run', 'quadlet-try');
  world.disk.remove(place);
  world.disk.makeFolder(place, 0o750);
  for (const { name, bytes } of files) world.disk.writeSynced(path.join(place, name), bytes, 0o640);
  const end = await world.run([GENERATOR, '--dryrun'], {
    cwd: world.stateFolder,
    env: { ...workloadEnv(config, world, slot), QUADLET_UNIT_DIRS: place },
    timeoutMs: config.commandSeconds * 1000,
    signal: world.signal,
    output: 'text',
  });
  world.disk.remove(place);
  if (end.code === 0) return;
  const never = end.code === undefined ? 'DRIVER_NOT_READY' : 'DRIVER_REFUSED';
  throw new SiteError(never, `have Podman read the units of ${slot.name} ${slot.version}: expected exit 0, ${howOf(end)}`);
}

/** A release does not take the place of a service of this host. */
async function refuseForeign({ units }: QuadletWorld, service: string, folder: string): Promise<void> {
  const { LoadState, SourcePath = '' } = await units.show(service);
  if (LoadState === 'not-found' || SourcePath.startsWith(`${folder}/`)) return;
  throw new SiteError(
    'DRIVER_REFUSED',
    `name a service ${service}: expected one that is not there, got one of this host (${LoadState ?? ''})`,
  );
}
