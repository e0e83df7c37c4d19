/** Looks through a cluster for what is beside the release, and stops or puts back what is found where the site says so. */
import { clipped } from '@sealane/core';
import type { Stray } from '../driver.js';
import type { Answer, Cluster } from './cluster-shell.js';
import { isAsApplied, podsIn } from './compare.js';
import { keyText, type KubeObject } from './objects.js';
import type { StrayQuestion } from './wire.js';

/** Whoever may make a pod names what it runs, at any length: the answer about all of them has to go through, or none would be seen. */
const MAX_NAMED = 500;
const MAX_FOUND = 256;

/** What was found, or the answer of a server that could not say. */
export type Found = { readonly strays: readonly Stray[] } | { readonly problem: Answer };

/** Objects first: what the release says is put back before anything is ended. */
export async function findStrays(cluster: Cluster, objects: readonly KubeObject[], question: StrayQuestion): Promise<Found> {
  const changed: Stray[] = [];
  for (const object of objects) {
    const found = await changedObject(cluster, object, question);
    if (found !== undefined && 'problem' in found) return found;
    if (found !== undefined) changed.push(found);
  }
  const pods = await foreignPods(cluster, question);
  return 'problem' in pods ? pods : { strays: [...changed, ...pods.strays] };
}

async function changedObject(
  cluster: Cluster,
  object: KubeObject,
  { does }: StrayQuestion,
): Promise<Stray | { readonly problem: Answer } | undefined> {
  const there = await cluster.look(object);
  if (there.status !== 200 && there.status !== 404) return { problem: there };
  const applied = await cluster.apply(object, 'yes');
  if (applied.status === undefined || applied.status >= 300) return { problem: applied };
  if (there.status === 200 && isAsApplied(there.body, applied.body)) return undefined;
  const found = { what: keyText(object), how: there.status === 200 ? 'was changed' : 'was removed' };
  if (does === 'report') return { ...found, did: 'reported' };
  const put = await cluster.apply(object, 'no');
  return put.status !== undefined && put.status < 300 ? { ...found, did: 'put back' } : { problem: put };
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
