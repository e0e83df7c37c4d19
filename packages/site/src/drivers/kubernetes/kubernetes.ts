/**
 * Driver `kubernetes`: the manifests of a release as one set of objects of a cluster that is there already: applied by the server under our own field manager,
 * what the set before had and this one has not removed, the rollout waited for. Going back is applying the set before.
 */
import path from 'node:path';
import { fromUtf8, sha256, SiteError, utf8 } from '@sealane/core';
import { crashPoint } from '../../crash-point.js';
import { durableWrite } from '../../durable-write.js';
import { plainJson } from '../../plain-json.js';
import { programBeside } from '../../program-beside.js';
import { openCredentials } from '../credentials.js';
import type { Driver, DriverWorld, SlotOnDisk, Stray, WorkloadStatus } from '../driver.js';
import type { Credentials } from '../credentials.js';
import { configMap, toldOf } from '../podman/engine-config.js';
import { expectRoom, imagesOf, manifestDocuments, type ManifestImage } from '../podman/kube-manifest.js';
import { RELEASE_SECRET } from '../podman/secret-volumes.js';
import { permittedImages } from '../permitted-images.js';
import { releaseManifests } from '../release-manifests.js';
import { slotRecordFile } from '../slot-record.js';
import { workloadEnv } from '../workload-env.js';
import { admissionName, admissionObjects, oldAdmissionName } from './admission.js';
import { finishedJobs, withSeenEnd } from './finished-jobs.js';
import { KUBECONFIG_CREDENTIAL, type KubeconfigPlace, kubeconfigProperties } from './kubeconfig.js';
import { keyFrom, keyText, type KubeObject, kubeObjects, type ObjectKey } from './objects.js';
import { withConfiguration } from './release-configuration.js';
import { emptySecret, withVersions } from './release-secret.js';
import { type ClusterAnswer, type ClusterRequest, type Fence, parseAnswer, type StrayQuestion } from './wire.js';

/** What local configuration says. */
export interface KubernetesDriverConfig {
  readonly site: string;
  readonly kubeconfig: KubeconfigPlace;
  /** Of objects that name none. */
  readonly namespace: string;
  readonly env: Readonly<Record<string, string>>;
  readonly commandSeconds: number;
  /** Present: the cluster admits no pod with another image, but in these namespaces. */
  readonly admission?: { readonly except: readonly string[] } | undefined;
  readonly strays: 'report' | 'stop';
  /** What of the cluster, beyond that namespace, releases may use. */
  readonly mayUse: Fence;
}

/** A name of a cluster. */
const MAX_TOLD_BYTES = 512;

interface Around {
  readonly config: KubernetesDriverConfig;
  readonly world: DriverWorld;
}

/** Makes the driver. It reads and writes `run/kubernetes.json` in the state folder. */
export function kubernetesDriver(config: KubernetesDriverConfig, world: DriverWorld): Driver {
  const around = { config, world };
  const record = slotRecordFile(world, 'kubernetes');
  const jobs = finishedJobs(world);
  const done = (): readonly string[] => {
    const known = record.read();
    return known === undefined ? [] : jobs.of(known.slot);
  };
  const applied = (): readonly ObjectKey[] => record.read()?.more.map(keyFrom) ?? [];
  return {
    images: 'pulled',
    replaces: true,
    prepare: async (slot) => {
      for (const { file, bytes } of (await releaseManifests(world, slot)).manifests) expectRoom(file, manifestDocuments(file, bytes));
      if (typeof config.kubeconfig !== 'string' && slot.credentials?.secrets.some(({ name }) => name === KUBECONFIG_CREDENTIAL) === true)
        throw new SiteError(
          'DRIVER_REFUSED',
          `give ${slot.name} ${slot.version} its secrets: expected none of the name of the site’s own credential, got ${KUBECONFIG_CREDENTIAL}`,
        );
      const answer = await ask(around, 'try', await objectsOf(around, slot), [], { credentials: slot.credentials });
      if (answer.is === 'ready') return;
      throw new SiteError(answer.is === 'refused' ? 'DRIVER_REFUSED' : 'DRIVER_NOT_READY', howIn(answer));
    },
    start: async (slot) => {
      const objects = await objectsOf(around, slot);
      const names = objects.map(keyText);
      const gone = applied().filter((key) => !names.includes(keyText(key)));
      jobs.forgetOthers(slot);
      // both sets, until it is known that what is gone is gone
      record.write(slot, [...names, ...gone.map(keyText)]);
      crashPoint('update:workload-recorded');
      const answer = await ask(around, 'apply', objects, gone, { credentials: slot.credentials, done: done() });
      if (answer.is !== 'ready') throw new SiteError('HEALTH_FAILED', `start ${slot.name} ${slot.version}: ${howIn(answer)}`);
      record.write(slot, names);
    },
    stop: async () => {
      if (record.read() === undefined) return;
      const answer = await ask(around, 'remove', [], applied());
      if (answer.is !== 'ready') throw new SiteError('HEALTH_FAILED', `stop what runs in the cluster: ${howIn(answer)}`);
      record.remove();
    },
    status: async (): Promise<WorkloadStatus> => {
      const known = record.read();
      if (known === undefined) return { is: 'none' };
      const { release } = known.slot;
      const answer = await ask(around, 'look', [], applied(), { done: done() });
      if ('done' in answer) jobs.saw(known.slot, answer.done ?? []);
      if (answer.is === 'ready') return { is: 'handed-over', release };
      return { is: answer.is === 'waiting' ? 'restarting' : 'ended', release, how: howIn(answer) };
    },
    confirm: (slot) => {
      jobs.keep(slot);
      return Promise.resolve();
    },
    permit: (slots) => permit(around, slots),
    strays: (slots) => {
      const running = record.read()?.slot;
      if (running !== undefined) jobs.keep(running);
      return strays(around, running, slots, done());
    },
  };
}

/** Admission is told of all of them, before the first pod of one of them is; it is taken back where site.yaml does not want it any more. */
async function permit(around: Around, slots: readonly SlotOnDisk[]): Promise<readonly Stray[]> {
  const { config, world } = around;
  const told = path.join(world.stateFolder, 'run', 'kubernetes-admission');
  const before = world.disk.read(told, MAX_TOLD_BYTES);
  if (config.admission === undefined && before === undefined) return [];
  const [name, old] = [admissionName(config.site), oldAdmissionName(config.site)];
  const { images, unread } = await permittedImages(world, slots);
  const objects = admissionObjects(config.site, images.map(nameOf), config.admission?.except ?? []);
  // told by an earlier version, under a name that may be another site's as well
  const left = before?.length === 0 && old !== name ? admissionObjects(config.site, [], [], old) : [];
  world.disk.makeFolder(path.dirname(told), 0o750);
  if (config.admission !== undefined && before === undefined) durableWrite(world.disk, told, utf8(name));
  const answer =
    config.admission === undefined ? await ask(around, 'remove', [], [...objects, ...left]) : await ask(around, 'permit', objects, left);
  if (answer.is !== 'ready' && answer.is !== 'found')
    throw new SiteError('DRIVER_NOT_READY', `tell the cluster which images it may run: ${howIn(answer)}`);
  if (config.admission === undefined) world.disk.remove(told);
  else if (before?.length === 0) durableWrite(world.disk, told, utf8(name));
  return [...(config.admission === undefined ? [] : unread), ...(answer.is === 'found' ? answer.strays : [])];
}

/** Objects of the set that were changed, and pods with images of no release: in the whole cluster if it admits no others, else where the set is. */
async function strays(
  around: Around,
  running: SlotOnDisk | undefined,
  slots: readonly SlotOnDisk[],
  done: readonly string[],
): Promise<readonly Stray[]> {
  const { admission, strays: does, namespace } = around.config;
  const credentials = openCredentials(around.world, running?.credentials);
  const all = running === undefined ? [] : await objectsOf(around, running);
  // what it should hold is not known before it is started again
  const objects = all.filter(({ kind, name }) => kind !== 'Secret' || name !== RELEASE_SECRET || credentials !== undefined);
  const namespaces = admission === undefined ? [...new Set([namespace, ...objects.flatMap((object) => object.namespace ?? [])])] : null;
  const { images } = await permittedImages(around.world, slots);
  const question = { approved: images.map(nameOf), namespaces, except: admission?.except ?? [], does };
  const answer = await ask(around, 'strays', objects, [], { question, credentials, done });
  if (answer.is === 'found') return answer.strays;
  throw new SiteError('DRIVER_NOT_READY', howIn(answer));
}

function nameOf({ name, digest }: ManifestImage): string {
  return `${name}@${digest}`;
}

function howIn(answer: ClusterAnswer): string {
  return 'how' in answer ? answer.how : answer.is;
}

/** The set of a release: its manifests, a ConfigMap `sealane` with which release it is and its variables, and a Secret without its values. */
async function objectsOf({ config, world }: Around, slot: SlotOnDisk): Promise<readonly KubeObject[]> {
  const { manifests, digests } = await releaseManifests(world, slot);
  const files = manifests.map(({ file, bytes }) => {
    const documents = manifestDocuments(file, bytes);
    imagesOf(file, documents, digests);
    return { digest: sha256(bytes), documents };
  });
  const told = utf8(configMap(toldOf(workloadEnv(config, world, slot))));
  const own = { digest: sha256(told), documents: [JSON.parse(fromUtf8(told))] };
  const used = withConfiguration([...files, own], config.namespace).map((document) =>
    withSeenEnd(withVersions(document, slot.credentials)),
  );
  return kubeObjects(slot.folder, [...used, ...emptySecret(slot.credentials)], config.site);
}

interface Besides {
  readonly question?: StrayQuestion;
  readonly credentials?: Credentials | undefined;
  /** Jobs that may be gone. */
  readonly done?: readonly string[];
}

/** Asks by the program that stands where the cluster can be reached. Never rejects. */
async function ask(
  { config, world }: Around,
  verb: ClusterRequest['do'],
  objects: readonly KubeObject[],
  keys: readonly ObjectKey[],
  { question, credentials, done = [] }: Besides = {},
): Promise<ClusterAnswer> {
  const { kubeconfig, namespace, site, mayUse: fence } = config;
  const secrets = credentials?.secrets.map(({ name }) => name) ?? [];
  const asked = { do: verb, kubeconfig, namespace, site, fence, objects, keys, secrets, done, ...(question && { strays: question }) };
  const end = await world.run([process.execPath, programBeside('sealane-site-kubernetes')], {
    // not by a file: the user of its unit may have no way into the state folder
    input: utf8(JSON.stringify(plainJson(asked))),
    cwd: world.stateFolder,
    env: { ...world.hostEnv, ...config.env },
    timeoutMs: config.commandSeconds * 1000,
    // half a set is worse than a minute
    signal: verb === 'look' || verb === 'try' ? world.signal : new AbortController().signal,
    output: 'text',
    ...(verb === 'look' ? {} : { as: verb }),
    ...(verb === 'try' ? {} : { credentials }),
    properties: kubeconfigProperties(kubeconfig),
  });
  const said = end.code === 0 ? parseAnswer(end.stdout) : undefined;
  const how = end.code === undefined ? end.why : `exit ${end.code}: ${end.stderr.trim().slice(-500)}`;
  return said ?? { is: verb === 'look' ? 'waiting' : 'failed', how: `ask the cluster: expected an answer, got ${how}` };
}
