/**
 * Driver `podman`: the Kubernetes manifests of a release, run by `podman kube play`. Images come by digest out of this site's store, through a registry
 * on loopback that lives as long as the pull: no other registry is asked, and no other image is taken.
 */
import path from 'node:path';
import { type Digest, SiteError, utf8 } from '@sealane/core';
import { crashPoint } from '../../crash-point.js';
import type { Driver, DriverWorld, SlotOnDisk, WorkloadStatus } from '../driver.js';
import type { CommandEnd } from '../run-to-end.js';
import { manifestBytes, type ReleaseManifests, releaseManifests } from '../release-manifests.js';
import { slotRecordFile } from '../slot-record.js';
import { type Around, engine, howOf, type PodmanDriverConfig } from './engine.js';
import { configMap, toldOf } from './engine-config.js';
import { type EngineNames, manifestNames, type NamedPod, NO_NAMES, together } from './engine-names.js';
import { keepNames, refuseHostNames, startNames } from './host-names.js';
import { withImages } from './images.js';
import { namesOnDisk, slotNames } from './known-release.js';
import { keptManifests, runFolder } from './kept-manifests.js';
import { expectRoomForPods, manifestDocuments, type ManifestImage, manifestImages, podNames } from './kube-manifest.js';
import { permitImages } from './permit.js';
import { examineConfig } from './examine-config.js';
import { parseContainers, podStatus } from './pod-status.js';
import { withSecretVolumes } from './secret-volumes.js';
import { type Started, startedFrom, startedTexts } from './started.js';
import { strayContainers } from './strays.js';

/** Makes the driver. It reads and writes `run/podman.json` and `run/podman/` in the state folder. */
export function podmanDriver(config: PodmanDriverConfig, world: DriverWorld): Driver {
  const around = { config, world };
  const record = slotRecordFile(world, 'podman');
  /** Nothing of the host's own is replaced or mounted. Returns the names that this release gives. */
  const expectOwnNames = async (slot: SlotOnDisk, refusal: 'DRIVER_REFUSED' | 'HEALTH_FAILED'): Promise<EngineNames> => {
    await startNames(world, () => namesOnDisk(world, refusal === 'DRIVER_REFUSED' ? slot : undefined, namesOf));
    const known = record.read();
    const before = known === undefined ? NO_NAMES : await slotNames(world, known.slot, namesOf);
    const names = namesOf((await releaseManifests(world, slot)).manifests);
    const { pods } = startedFrom(known?.more ?? []);
    const owner = { pod: (pod: NamedPod) => pods.includes(pod.id) || before.pods(pod), container: () => false };
    await refuseHostNames(around, names, owner, refusal);
    return names;
  };
  return {
    images: 'pulled',
    prepare: async (slot) => {
      const { manifests } = await releaseManifests(world, slot);
      for (const { file, bytes } of manifests) expectRoomForPods(file, manifestDocuments(file, bytes));
      for (const { file, bytes } of manifests) withSecretVolumes(file, manifestDocuments(file, bytes), slot.credentials, String);
      await expectOwnNames(slot, 'DRIVER_REFUSED');
      await withImages(around, slot, await imagesIn(world, slot), () => Promise.resolve());
    },
    start: async (slot) => {
      keepNames(world, await expectOwnNames(slot, 'HEALTH_FAILED'));
      const manifests = keptManifests(world, slot, (await releaseManifests(world, slot)).manifests);
      record.write(slot, manifests);
      crashPoint('update:workload-recorded');
      await withImages(around, slot, await imagesIn(world, slot), async (env, policy) => {
        const pods = await play(around, slot, manifests, env, policy);
        record.write(slot, startedTexts({ manifests, pods, containers: (await containersIn(around, pods)) ?? [] }));
      });
    },
    stop: async () => {
      const known = record.read();
      if (known === undefined) return;
      const { manifests, pods } = startedFrom(known.more);
      for (const manifest of manifests.toReversed()) await takeDown(around, manifest, pods);
      world.disk.remove(runFolder(world));
      record.remove();
    },
    status: async () => {
      const known = record.read();
      if (known === undefined) return { is: 'none' };
      const { release } = known.slot;
      if (known.bootId !== world.clock.bootId()) return { is: 'ended', release, how: 'the host was restarted' };
      return await statusOf(around, release, startedFrom(known.more));
    },
    permit: (slots) => permitImages(around, slots),
    examine: () => examineConfig(around),
    strays: async () => {
      const started = startedFrom(record.read()?.more ?? []);
      const ours = started.containers.length > 0 ? started.containers : await containersIn(around, started.pods);
      // nothing is touched while it is not known what is ours
      return ours === undefined ? [] : await strayContainers(around, ours);
    },
  };
}

function namesOf(manifests: ReleaseManifests['manifests']): EngineNames {
  return together(manifests.map(({ file, bytes }) => manifestNames(manifestDocuments(file, bytes))));
}

async function imagesIn(world: DriverWorld, slot: SlotOnDisk): Promise<readonly ManifestImage[]> {
  const { manifests, digests } = await releaseManifests(world, slot);
  return manifests.flatMap(({ file, bytes }) => manifestImages(file, bytes, digests));
}

/** Starts what the manifests say; returns the ids of the pods. */
async function play(
  around: Around,
  slot: SlotOnDisk,
  manifests: readonly string[],
  env: NodeJS.ProcessEnv,
  policy: string,
): Promise<readonly string[]> {
  const map = path.join(runFolder(around.world), 'sealane.yaml');
  around.world.disk.writeSynced(map, utf8(configMap(toldOf(env))), 0o640);
  const networks = around.config.network.flatMap((network) => ['--network', network]);
  const words = ['kube', 'play', '--replace', '--signature-policy', policy, '--configmap', map, ...networks];
  const pods: string[] = [];
  for (const manifest of manifests) {
    const end = await engine(around, [...words, manifest], { env, as: 'play' });
    if (end.code !== 0)
      throw new SiteError(
        'HEALTH_FAILED',
        `start ${slot.name} ${slot.version} with ${path.basename(manifest)}: expected exit 0, ${howOf(end)}`,
      );
    pods.push(...podIds(end.stdout));
  }
  return pods;
}

/** `kube play` lists what it made under headings: ids of pods follow `Pod:`. */
function podIds(text: string): readonly string[] {
  const [, ...sections] = text.split(/^Pods?:$/m);
  return sections.flatMap((section) => /^\n?((?:[0-9a-f]{64}\n?)+)/.exec(section)?.[1]?.trim().split('\n') ?? []);
}

/** Removes the pods that a manifest made, as far as they are there: half of them may be, after a crash or by hand. Volumes stay. */
async function takeDown(around: Around, manifest: string, started: readonly string[]): Promise<void> {
  if (around.world.disk.kind(manifest) === 'nothing') return;
  const isOurs = ownPods(around.world, manifest);
  const listed = await engine(around, ['pod', 'ps', '--no-trunc', '--format', '{{.ID}}\t{{.Name}}']);
  const lines = listed.stdout.split('\n').filter((line) => line !== '');
  const there = lines.map((line) => line.split('\t')).map(([id = '', name = '']) => ({ id, name }));
  const pods = there.filter(({ id, name }) => isOurs?.(name) ?? started.includes(id)).map(({ id }) => id);
  const grace = String(Math.ceil(around.config.stopGraceSeconds));
  const remove = ['pod', 'rm', '--force', '--ignore', '--time', grace, ...pods];
  const end = listed.code !== 0 || pods.length === 0 ? listed : await engine(around, remove, { as: 'take-down' });
  if (end.code !== 0) throw new SiteError('HEALTH_FAILED', `stop what ${path.basename(manifest)} runs: expected exit 0, ${howOf(end)}`);
}

/** Undefined where an earlier version of the updater read the manifest and this one does not: what runs of it gives way all the same. */
function ownPods(world: DriverWorld, manifest: string): ((name: string) => boolean) | undefined {
  try {
    return podNames(manifest, manifestBytes(world, manifest));
  } catch (error) {
    if (!(error instanceof SiteError) || error.code !== 'DRIVER_REFUSED') throw error;
    world.talk(`pods of ${path.basename(manifest)} are taken down by their ids: ${error.message}`);
    return undefined;
  }
}

/** The containers of pods, by id, or undefined if the engine does not answer. */
async function containersIn(around: Around, pods: readonly string[]): Promise<readonly string[] | undefined> {
  if (pods.length === 0) return [];
  const filters = pods.flatMap((pod) => ['--filter', `pod=${pod}`]);
  const listed = await engine(around, ['ps', '--all', '--no-trunc', '--format', '{{.ID}}', ...filters]);
  return listed.code === 0 ? listed.stdout.split('\n').filter((line) => line !== '') : undefined;
}

async function statusOf(around: Around, release: Digest, { pods, containers }: Started): Promise<WorkloadStatus> {
  const silent = (end: CommandEnd): WorkloadStatus => ({ is: 'ended', release, how: `the engine does not answer: ${howOf(end)}` });
  if (pods.length === 0) return { is: 'ended', release, how: 'it was not started to its end' };
  const there = await containersIn(around, pods);
  if (there === undefined) return { is: 'ended', release, how: 'the engine does not answer' };
  // what somebody put into the pods says nothing of the release
  const ids = containers.length === 0 ? there : there.filter((id) => containers.includes(id));
  if (ids.length === 0) return { is: 'ended', release, how: 'no container is there' };
  const [gone] = containers.filter((id) => !there.includes(id));
  if (gone !== undefined) return { is: 'ended', release, how: `container ${gone.slice(0, 12)} of it is gone` };
  const inspected = await engine(around, ['container', 'inspect', ...ids]);
  const found = inspected.code === 0 ? parseContainers(inspected.stdout) : undefined;
  return found === undefined ? silent(inspected) : podStatus(release, found);
}
