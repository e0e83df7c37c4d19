/** Replicas of what an autoscaler of the same set scales: how many they are is its to say, within the bounds that the release gives it. Pure. */
import type { JsonObject } from '@sealane/core';
import { fieldOf, textOf } from '../../tool-json.js';
import type { KubeObject } from './objects.js';

/** Most that a KEDA ScaledObject scales to where it does not say. */
const MOST = 100;

/**
 * The object as it is applied where `there` is what the cluster has: with as many replicas as that, if a HorizontalPodAutoscaler or a ScaledObject of `set` scales it. One that
 * the release switches off (`replicas: 0`), or of whose replicas it says nothing, is as the release says. `namespace` is that of objects that name none.
 */
export function withScaledReplicas(object: KubeObject, there: unknown, set: readonly KubeObject[], namespace: string): KubeObject {
  const [own, now] = [fieldOf(object.body['spec'], 'replicas'), fieldOf(fieldOf(there, 'spec'), 'replicas')];
  if (typeof own !== 'number' || own === 0 || typeof now !== 'number') return object;
  const scaler = set.find((each) => scales(each, object, namespace));
  if (scaler === undefined) return object;
  const [fewest, most] = boundsOf(scaler);
  const replicas = Math.min(Math.max(now, fewest), most);
  return { ...object, body: { ...object.body, spec: { ...(object.body['spec'] as JsonObject), replicas } } };
}

/** A ScaledObject goes down to none unless it says otherwise, and below that where it is idle. */
function boundsOf({ kind, body }: KubeObject): readonly [fewest: number, most: number] {
  const bound = (name: string, otherwise: number): number => {
    const found = fieldOf(body['spec'], name);
    return typeof found === 'number' ? found : otherwise;
  };
  if (kind !== 'ScaledObject') return [bound('minReplicas', 1), bound('maxReplicas', MOST)];
  const fewest = bound('minReplicaCount', 0);
  return [Math.min(fewest, bound('idleReplicaCount', fewest)), bound('maxReplicaCount', MOST)];
}

function scales(scaler: KubeObject, { apiVersion, kind, name, namespace }: KubeObject, otherwise: string): boolean {
  const target = fieldOf(scaler.body['spec'], 'scaleTargetRef');
  const isGroup = (textOf(target, 'apiVersion') || 'apps/v1').split('/')[0] === apiVersion.split('/')[0];
  const isKind = (textOf(target, 'kind') || 'Deployment') === kind;
  return isGroup && isKind && textOf(target, 'name') === name && (scaler.namespace ?? otherwise) === (namespace ?? otherwise);
}
