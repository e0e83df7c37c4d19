import { expect, test } from 'vitest';
import type { KubeObject } from './objects.js';
import { withScaledReplicas } from './scaled-replicas.js';

const objectOf = (kind: string, spec: object): KubeObject =>
  ({ apiVersion: kind === 'Deployment' ? 'apps/v1' : 'any/v1', kind, name: 'readings', body: { spec } }) as unknown as KubeObject;

const target = { scaleTargetRef: { name: 'readings' } };
const replicasOf = (now: number, scaler: KubeObject): unknown =>
  (
    withScaledReplicas(objectOf('Deployment', { replicas: 3 }), { spec: { replicas: now } }, [scaler], 'edge').body['spec'] as {
      replicas: number;
    }
  ).replicas;

test.each([
  ['a HorizontalPodAutoscaler takes no less than one', 'HorizontalPodAutoscaler', {}, 0, 1],
  ['nor more than it may', 'HorizontalPodAutoscaler', { maxReplicas: 5 }, 9, 5],
  ['a ScaledObject at rest has none', 'ScaledObject', {}, 0, 0],
  ['one that says its least keeps to it', 'ScaledObject', { minReplicaCount: 2 }, 0, 2],
  ['but where it is idle', 'ScaledObject', { minReplicaCount: 2, idleReplicaCount: 0 }, 0, 0],
] as const)('%s', (_name, kind, spec, now, expected) => {
  expect(replicasOf(now, objectOf(kind, { ...target, ...spec }))).toBe(expected);
});
