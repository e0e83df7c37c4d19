import { utf8 } from '@sealane/core';
import { expect, test } from 'vitest';
import { manifestNames } from './engine-names.js';
import { manifestDocuments } from './kube-manifest.js';

const names = (text: string): ReturnType<typeof manifestNames> => manifestNames(manifestDocuments('pods.yaml', utf8(text)));

const POD = `
kind: Pod
metadata: { name: readings }
spec:
  containers:
    - name: app
      envFrom: [{ secretRef: { name: tokens } }]
      env: [{ name: A, valueFrom: { secretKeyRef: { name: keys, key: a } } }]
  volumes:
    - { name: a, persistentVolumeClaim: { claimName: data } }
    - { name: b, configMap: { name: settings } }
    - { name: c, secret: { secretName: certificates } }
    - { name: d, secret: { secretName: sealane } }
    - { name: e, emptyDir: {} }
---
kind: PersistentVolumeClaim
metadata: { name: claimed }
---
kind: Secret
metadata: { name: made }
`;

test('volumes and secrets of a manifest by the names that the engine gives them', () => {
  expect(names(POD)).toMatchObject({
    containers: [],
    volumes: ['data', 'settings', 'certificates', 'claimed'],
    networks: [],
    secrets: ['made'],
    usedSecrets: ['tokens', 'keys', 'certificates'],
  });
});

test.each([
  ['a pod', 'kind: Pod\nmetadata: { name: web }', ['web'], ['web-pod', 'web2']],
  ['a template', 'kind: Deployment\nmetadata: { name: web }', ['web-pod', 'web-pod-0'], ['web', 'web-pod-x']],
  ['a list', 'kind: List\nitems: [{ kind: Pod, metadata: { name: web } }]', ['web'], ['items']],
])('pods of %s', (_, text, own, others) => {
  const { pods } = names(text);
  expect(own.every((name) => pods({ id: 'f00', name }))).toBe(true);
  expect(others.some((name) => pods({ id: 'f00', name }))).toBe(false);
});

test('a name that the engine would take for the beginning of an id is that pod', () => {
  const { pods } = names('kind: Pod\nmetadata: { name: f0 }');
  expect([pods({ id: 'f00', name: 'other' }), pods({ id: 'e00', name: 'other' })]).toEqual([true, false]);
});
