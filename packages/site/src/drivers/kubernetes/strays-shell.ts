/** Looks through a cluster for what is beside the release, and stops or puts back what is found where the site says so. */
import { clipped, type JsonObject } from '@sealane/core';
import type { Stray } from '../driver.js';
import type { Answer, Cluster } from './cluster-shell.js';
import { isAsApplied, podsIn } from './compare.js';
import { keyText, type KubeObject } from './objects.js';
import { isOf, isSetByOthers } from './ownership.js';
import { podPlaces, withPlaceOf } from './pod-places.js';
import { asScaled, isDoneAndGone, type SetOf } from './set-shell.js';
import type { StrayQuestion } from './wire.js';

/** Whoever may make a pod names what it runs, at any length: the answer about all of them has to go through, or none would be seen. */
const MAX_NAMED = 500;
const MAX_FOUND = 256;

/** What was found, or the answer of a server that could not say. */
export type Found = { readonly strays: readonly Stray[] } | { readonly problem: Answer };

/** Objects first: what the release says is put back before anything is ended. */
export async function findStrays(set: SetOf, question: StrayQuestion): Promise<Found> {
  const changed: Stray[] = [];
  for (const object of set.objects) {
    const found = await changedObject(set, object, question);
    if (found !== undefined && 'problem' in found) return found;
    if (found !== undefined) changed.push(found);
  }
  const pods = await foreignPods(set.cluster, question);
  return 'problem' in pods ? pods : { strays: [...changed, ...pods.strays] };
}

async function changedObject(
  set: SetOf,
  asReleased: KubeObject,
  { does }: StrayQuestion,
): Promise<Stray | { readonly problem: Answer } | undefined> {
  const { cluster, request } = set;
  const there = await cluster.look(asReleased);
  if (there.status !== 200 && there.status !== 404) return { problem: there };
  if (isDoneAndGone(request, asReleased, there)) return undefined;
  const object = asScaled(set, asReleased, there);
  const isTheirs = there.status === 200 && !isOf(request.site, there.body);
  // a namespace of others is used as it is
  if (isTheirs) return object.kind === 'Namespace' ? undefined : { what: keyText(object), how: 'is of somebody else now', did: 'reported' };
  const applied = await cluster.apply(object, 'yes');
  if (applied.status === undefined || applied.status >= 300) return { problem: applied };
  const added = there.status === 200 ? podPlaces(object.body).filter((place) => isSetByOthers(there.body, place)) : [];
  if (there.status === 200 && added.length === 0 && isAsApplied(there.body, applied.body)) return undefined;
  const found = { what: keyText(object), how: there.status === 200 ? 'was changed' : 'was removed' };
  if (does === 'report') return { ...found, did: 'reported' };
  const put = await cluster.apply(object, 'no');
  const isWhole = added.length === 0 || put.status !== 200;
  const whole = isWhole ? put : await cluster.replace(object, withOwnPods(put.body, object.body, added), put.body);
  return whole.status !== undefined && whole.status < 300 ? { ...found, did: 'put back' } : { problem: whole };
}

/** An object as it is, whose pods are as the release says: what others have added there, a container or a command, runs beside it. */
function withOwnPods(there: unknown, body: JsonObject, places: readonly (readonly string[])[]): JsonObject {
  // the server has answered with an object
  const object = there as JsonObject;
  const metadata = Object.fromEntries(Object.entries(object['metadata'] as JsonObject).filter(([field]) => field !== 'managedFields'));
  const whole = places.reduce<JsonObject>((made, place) => withPlaceOf(made, body, place) as JsonObject, object);
  return { ...whole, metadata };
}

async function foreignPods(cluster: Cluster, { approved, except, namespaces, does }: StrayQuestion): Promise<Found> {
  const listed = await cluster.pods(namespaces);
  const strays: Stray[] = [];
  for (const answer of listed) {
    // a namespace that is not there has no pods
    if (answer.status === 404) continue;
    if (answer.status !== 200) return { problem: answer };
    for (const { namespace, name, images } of podsIn(answer.body)) {
      const foreign = images.filter((image) => !approved.includes(image));
      if (foreign.length === 0 || except.includes(namespace)) continue;
      const found = {
        what: `pod ${namespace}/${name}`,
        how: `runs ${clipped(foreign.join(', '), MAX_NAMED)}, which no admitted release names`,
      };
      const ended = does === 'stop' ? await cluster.endPod(namespace, name) : undefined;
      if (ended !== undefined && ended.status !== 404 && (ended.status === undefined || ended.status >= 300)) return { problem: ended };
      if (strays.length < MAX_FOUND) strays.push({ ...found, did: ended === undefined ? 'reported' : 'stopped' });
    }
  }
  return { strays };
}
