/** Makes a set of objects what is in the cluster, and takes objects away: of this site's own alone, within what site.yaml lends to releases. */
import { setTimeout as wait } from 'node:timers/promises';
import { textOf } from '../../tool-json.js';
import type { Stray } from '../driver.js';
import { admissionName } from './admission.js';
import { howOf, problemOf } from './answers.js';
import type { Answer, Cluster, ObjectPlace } from './cluster-shell.js';
import { isRemovable, keyText, type KubeObject, type ObjectKey, SITE_LABEL } from './objects.js';
import { isOf, isSetByOthers, metadataOf } from './ownership.js';
import { rolloutOf } from './rollout.js';
import { withScaledReplicas } from './scaled-replicas.js';
import type { ClusterAnswer, ClusterRequest, Fence } from './wire.js';

/** A set that is there: the uids of its objects. Else why it is not. */
export type SetAnswer = { readonly uids: ReadonlySet<string> } | { readonly problem: ClusterAnswer };

/** What is asked about a set. */
export interface SetOf {
  readonly cluster: Cluster;
  readonly request: ClusterRequest;
  readonly objects: readonly KubeObject[];
}

/** How long the server may take to know of what was made a moment ago, and what was removed may take to go, with what belongs to it. */
const TRIES = 40;
const GONE_TRIES = 240;
const PAUSE_MS = 250;

/** Applies a release's set, or asks whether it could be. What lies in a namespace, or is of a kind, that the set itself brings cannot be tried before that is there. */
export async function applySet(set: SetOf, fence: Fence, dryRun: 'no' | 'yes'): Promise<SetAnswer> {
  const { cluster, request, objects } = set;
  const brings = objects.some(({ kind }) => kind === 'Namespace' || kind === 'CustomResourceDefinition');
  const [uids, identities] = [new Set<string>(), new Set<string>()];
  const namespaces = new Set([request.namespace, ...fence.namespaces]);
  for (const object of objects) {
    const place = await placeInTime(set, object, brings && dryRun === 'no' ? TRIES : 1);
    if (!('path' in place)) {
      if (place.status === 404 && brings && dryRun === 'yes') continue;
      return { problem: problemOf('apply', object, place) ?? { is: 'failed', how: howOf(place) } };
    }
    if (identities.has(place.identity)) return refusal(object, 'each object once', 'it twice');
    identities.add(place.identity);
    const beyond = isBeyond(object, place, namespaces, fence);
    if (beyond !== undefined) return refusal(object, ...beyond);
    const there = await cluster.look(object);
    if (there.status !== 200 && there.status !== 404)
      return { problem: problemOf('look at', object, there) ?? { is: 'failed', how: howOf(there) } };
    if (isDoneAndGone(request, object, there)) continue;
    const isTheirs = there.status === 200 && !isOf(request.site, there.body);
    // one that others have made is used as it is
    if (isTheirs && object.kind === 'Namespace' && namespaces.has(object.name)) continue;
    if (isTheirs)
      return refusal(
        object,
        'a name that is free or this site’s',
        `one of somebody else: name it otherwise, or give it to this site by its label ${SITE_LABEL}=${request.site}`,
      );
    if (object.kind === 'Namespace') namespaces.add(object.name);
    const isOver = dryRun === 'no' && hasFailed(object, there);
    const left = isOver ? problemOf('remove', object, await cluster.remove(object, request.site, new Set())) : undefined;
    if (left !== undefined) return { problem: left };
    if (dryRun === 'no' && (isOver || isGoing(there)) && !(await gone(set, object)))
      return { problem: { is: 'failed', how: `apply ${keyText(object)}: expected the one that was removed to go, it is still there` } };
    const answer = await applied(set, asScaled(set, object, there), dryRun);
    if (answer.status === 404 && brings && dryRun === 'yes') continue;
    const problem = problemOf('apply', object, answer);
    if (problem !== undefined) return { problem };
    uids.add(uidIn(answer));
  }
  return { uids };
}

/** Applies objects that are the site's own, not a release's, and leaves in them nothing that others have set besides. What was, is returned. */
export async function applyOwn(set: SetOf): Promise<ClusterAnswer> {
  const { cluster, objects } = set;
  const strays: Stray[] = [];
  for (const object of objects) {
    const answer = await cluster.apply(object, 'no');
    const problem = problemOf('apply', object, answer);
    if (problem !== undefined) return problem;
    if (answer.status === undefined || !isSetByOthers(answer.body, ['spec'])) continue;
    // a condition that never holds would switch it off
    const put = await cluster.replace(object, object.body, answer.body);
    const again = problemOf('put back', object, put);
    if (again !== undefined) return again;
    strays.push({ what: keyText(object), how: 'was changed', did: 'put back' });
  }
  // under a name that they had before: not before the new ones are there
  return (await removeKeys(set, new Set())) ?? { is: 'found', strays };
}

/** Removes the keys of a request, but what is one of `kept` under another name of its kind or namespace. */
export async function removeKeys({ cluster, request }: SetOf, kept: ReadonlySet<string>): Promise<ClusterAnswer | undefined> {
  for (const key of request.keys.filter(isRemovable).toReversed()) {
    const answer = await cluster.remove(key, request.site, kept);
    // its kind, or it, is gone already
    const problem = answer.status === 404 ? undefined : problemOf('remove', key, answer);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** The server answers a removal at once; its controllers end what belongs to the object first. */
export async function allGone(set: SetOf): Promise<ClusterAnswer | undefined> {
  for (const key of set.request.keys.filter(isRemovable)) {
    if (!(await gone(set, key)))
      return { is: 'failed', how: `remove ${keyText(key)}: expected it to go within a minute, it is still there` };
  }
  return undefined;
}

async function gone({ cluster, request }: SetOf, key: ObjectKey): Promise<boolean> {
  for (let tries = 1; !(await cluster.isGone(key, request.site)); tries += 1) {
    if (tries === GONE_TRIES) return false;
    await wait(PAUSE_MS);
  }
  return true;
}

/** A kind that the set brings is known to the server a moment after its definition is there. */
async function placeInTime({ cluster }: SetOf, object: KubeObject, most: number): Promise<ObjectPlace | Answer> {
  for (let tries = 1; ; tries += 1) {
    const place = await cluster.place(object);
    if ('path' in place || place.status !== 404 || tries >= most) return place;
    await wait(PAUSE_MS);
  }
}

/** A pod of a release whose images were permitted a moment ago is tried again until the server knows of it; so is an object of a kind that is new. */
async function applied({ cluster, request }: SetOf, object: KubeObject, dryRun: 'no' | 'yes'): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    const answer = await cluster.apply(object, dryRun);
    const isDenied = (answer.status === 422 || answer.status === 403) && howOf(answer).includes(`'${admissionName(request.site)}'`);
    const isEarly = answer.status === 404 && dryRun === 'no';
    if (!(isDenied || isEarly) || tries === TRIES) return answer;
    await wait(PAUSE_MS);
  }
}

/** What site.yaml does not lend to releases: kinds of the whole cluster, and namespaces that are neither the site's nor brought by this set. */
function isBeyond(
  { kind, apiVersion }: KubeObject,
  { namespace }: ObjectPlace,
  namespaces: ReadonlySet<string>,
  { kinds }: Fence,
): readonly [expected: string, got: string] | undefined {
  if (namespace !== undefined)
    return namespaces.has(namespace)
      ? undefined
      : [
          `a namespace among ${[...namespaces].join(', ')}`,
          `${namespace}: if releases may use it, name it in driver.mayUse.namespaces of site.yaml`,
        ];
  if (kinds.includes(kind) || (kind === 'Namespace' && apiVersion === 'v1')) return undefined;
  return [
    'a kind that is in a namespace',
    `one of the whole cluster: if releases may bring it, name ${kind} in driver.mayUse.kinds of site.yaml`,
  ];
}

function refusal(object: KubeObject, expected: string, got: string): SetAnswer {
  return { problem: { is: 'refused', how: `apply ${keyText(object)}: expected ${expected}, got ${got}` } };
}

/** A job that did its work, and was collected since. */
export function isDoneAndGone({ done }: ClusterRequest, object: KubeObject, there: Answer): boolean {
  return there.status === 404 && done?.includes(keyText(object)) === true;
}

/** The object with as many replicas as an autoscaler of the set has given it. */
export function asScaled({ objects, request }: SetOf, object: KubeObject, there: Answer): KubeObject {
  return there.status === 200 ? withScaledReplicas(object, there.body, objects, request.namespace) : object;
}

function uidIn(answer: Answer): string {
  return answer.status === undefined ? '' : textOf(metadataOf(answer.body), 'uid');
}

/** Whatever is applied to a pod or a job that has failed, it stays so: it is made anew. What controllers keep up is left to them. */
function hasFailed({ kind }: ObjectKey, there: Answer): boolean {
  return (kind === 'Pod' || kind === 'Job') && there.status === 200 && rolloutOf(there.body).is === 'failed';
}

/** Its removal is under way: what is applied to it goes with it. */
function isGoing(answer: Answer): boolean {
  return answer.status === 200 && textOf(metadataOf(answer.body), 'deletionTimestamp') !== '';
}
