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
  const bound = (names: readonly string[], otherwise: number): number => {
    const found = names.map((name) => fieldOf(scaler.body['spec'], name)).find((value) => typeof value === 'number');
    return found ?? otherwise;
  };
  const replicas = Math.min(Math.max(now, bound(['minReplicas', 'minReplicaCount'], 1)), bound(['maxReplicas', 'maxReplicaCount'], MOST));
  return { ...object, body: { ...object.body, spec: { ...(object.body['spec'] as JsonObject), replicas } } };
}

function scales(scaler: KubeObject, { apiVersion, kind, name, namespace }: KubeObject, otherwise: string): boolean {
  const target = fieldOf(scaler.body['spec'], 'scaleTargetRef');
  const isGroup = (textOf(target, 'apiVersion') || 'apps/v1').split('/')[0] === apiVersion.split('/')[0];
  const isKind = (textOf(target, 'kind') || 'Deployment') === kind;
  return isGroup && isKind && textOf(target, 'name') === name && (scaler.namespace ?? otherwise) === (namespace ?? otherwise);
}
