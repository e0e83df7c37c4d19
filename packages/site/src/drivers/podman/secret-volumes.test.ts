import { utf8 } from '@sealane/core';
import { expect, test } from 'vitest';
import { manifestDocuments } from './kube-manifest.js';
import { withSecretVolumes, type WithSecretVolumes } from './secret-volumes.js';

const CREDENTIALS = {
  folder: '/run/values',
  secrets: [
    { name: 'ca.pem', version: 1 },
    { name: 'db-password', version: 7 },
  ],
};

function rewrite(
  volume: string,
  container = '{ name: app, image: app, volumeMounts: [{ name: values, mountPath: /values }] }',
): WithSecretVolumes {
  const text = `kind: Deployment
spec: { template: { spec: { containers: [${container}], volumes: [${volume}, { name: data, emptyDir: {} }] } } }
`;
  return withSecretVolumes('app.yaml', manifestDocuments('app.yaml', utf8(text)), CREDENTIALS, (at) => `/volumes/${at}`);
}

test('a volume of the release’s secrets becomes a folder that is mounted read-only', () => {
  const { documents, volumes } = rewrite('{ name: values, secret: { secretName: sealane } }');
  expect(documents).toMatchObject([
    {
      spec: {
        template: {
          spec: {
            containers: [{ volumeMounts: [{ name: 'values', mountPath: '/values', readOnly: true }] }],
            volumes: [{ name: 'values', hostPath: { path: '/volumes/0', type: 'Directory' } }, { name: 'data' }],
          },
        },
      },
    },
  ]);
  const names = ['ca.pem', 'db-password'];
  expect(volumes).toEqual([{ folder: '/volumes/0', files: names.map((name) => ({ secret: name, name, mode: 0o644 })) }]);
});

test('items name the files, and modes are octal as Kubernetes reads them', () => {
  const { volumes } = rewrite(
    '{ name: values, secret: { secretName: sealane, defaultMode: 0400, items: [{ key: db-password, path: password }, { key: ca.pem, path: ca, mode: 0444 }] } }',
  );
  expect(volumes[0]?.files).toEqual([
    { secret: 'db-password', name: 'password', mode: 0o400 },
    { secret: 'ca.pem', name: 'ca', mode: 0o444 },
  ]);
});

test('a manifest without such a volume stays as it is, also with a Secret of somebody else', () => {
  const { documents, volumes } = rewrite('{ name: values, secret: { secretName: other } }');
  expect(volumes).toEqual([]);
  expect(documents).toMatchObject([{ spec: { template: { spec: { volumes: [{ secret: { secretName: 'other' } }, {}] } } } }]);
});

test.each([
  ['{ name: values, secret: { secretName: sealane, items: [{ key: other, path: other }] } }', 'got other'],
  ['{ name: values, secret: { secretName: sealane, items: [{ key: ca.pem, path: ../ca }] } }', 'got "../ca"'],
  ['{ name: values, secret: { secretName: sealane, items: [{ key: ca.pem, path: ca, mode: 07777 }] } }', 'got 4095'],
  ['{ name: values, secret: { secretName: sealane, items: all } }', 'got "all"'],
  ['{ name: values, secret: { secretName: sealane, medium: Memory } }', 'got medium'],
  ['{ name: values, projected: { sources: [{ secret: { name: sealane } }] } }', 'would keep in clear'],
])('refuses a volume %s', (volume, problem) => {
  expect(() => rewrite(volume)).toThrow(
    expect.objectContaining({ code: 'DRIVER_REFUSED', message: expect.stringContaining(problem) as string }),
  );
});

test.each([
  'envFrom: [{ secretRef: { name: sealane } }]',
  'env: [{ name: P, valueFrom: { secretKeyRef: { name: sealane, key: db-password } } }]',
])('refuses a container with %s: the engine would keep the value', (line) => {
  expect(() => rewrite('{ name: data }', `{ name: app, ${line} }`)).toThrow(expect.objectContaining({ code: 'DRIVER_REFUSED' }));
});

test('refuses a volume of secrets in a release that declares none', () => {
  const documents = [{ containers: [], volumes: [{ name: 'values', secret: { secretName: 'sealane' } }] }];
  expect(() => withSecretVolumes('app.yaml', documents, undefined, String)).toThrow('one that declares none');
});
