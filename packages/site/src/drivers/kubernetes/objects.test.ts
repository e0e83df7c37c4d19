import { expect, test } from 'vitest';
import { inOrder, isRemovable, keyFrom, keyText, kubeObjects, SITE_LABEL } from './objects.js';

const map = (name: string, more: object = {}): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...more } });
const policy = (apiVersion: string, kind: string, name: string): object => ({ apiVersion, kind, metadata: { name }, spec: {} });

test('marks each object as of this site and puts what others stand on first', () => {
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a', labels: { app: 'a' } } };
  const objects = kubeObjects(
    'f',
    [deployment, null, map('m'), { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } }],
    'harbour-7',
  );
  expect(objects.map(({ kind }) => kind)).toEqual(['Namespace', 'ConfigMap', 'Deployment']);
  expect(objects[2]?.body['metadata']).toMatchObject({ labels: { app: 'a', [SITE_LABEL]: 'harbour-7' } });
});

test.each([
  ['a text', ['text']],
  ['an object without a name', [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'a-' } }]],
  ['a name that leads elsewhere', [map('../secrets/a')]],
  ['a namespace with a blank', [map('a', { namespace: 'b c' })]],
  ['a version that leads elsewhere', [{ ...map('a'), apiVersion: 'x/../admissionregistration.k8s.io/v1' }]],
  ['a set of pods that are never replaced', [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'a' } }]],
  ['an object that cannot be removed', [map('a', { finalizers: ['example.com/hold'] })]],
  ['an object that goes with another one', [map('a', { ownerReferences: [] })]],
  ['an object twice', [map('a'), map('a')]],
  ['the policy that lets its images in', [policy('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicy', 'sealane-harbour-7')]],
  ['its binding in an older version', [policy('admissionregistration.k8s.io/v1beta1', 'ValidatingAdmissionPolicyBinding', 'sealane-x')]],
])('refuses %s', (_what, documents) => {
  expect(() => kubeObjects('f', documents, 'harbour-7')).toThrow(expect.objectContaining({ code: 'DRIVER_REFUSED' }));
});

test('a key is read back as it was written; namespaces and volumes are never removed', () => {
  const keys = [
    { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a', namespace: undefined },
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name: 'b', namespace: 'c' },
  ];
  expect(keys.map(keyText).map(keyFrom)).toEqual(keys);
  expect(inOrder(keys).map(isRemovable)).toEqual([false, true]);
  expect(() => keyFrom('one two')).toThrow(expect.objectContaining({ code: 'STATE_CORRUPT' }));
});
