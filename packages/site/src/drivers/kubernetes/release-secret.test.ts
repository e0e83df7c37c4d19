import { expect, test } from 'vitest';
import { kubeObjects } from './objects.js';
import { emptySecret, withValues, withVersions } from './release-secret.js';

const CREDENTIALS = { folder: '/run/values', secrets: [{ name: 'db-password', version: 7 }] };

const pod = (spec: object, annotations?: object): object => ({
  kind: 'Deployment',
  spec: { template: { metadata: { ...(annotations && { annotations }) }, spec: { containers: [{ name: 'app' }], ...spec } } },
});

const versionsIn = (document: unknown): unknown =>
  (document as { readonly spec: { readonly template: { readonly metadata: { readonly annotations: unknown } } } }).spec.template.metadata
    .annotations;

test.each([
  { volumes: [{ name: 'values', secret: { secretName: 'sealane' } }] },
  { volumes: [{ name: 'values', projected: { sources: [{ secret: { name: 'sealane' } }] } }] },
  { initContainers: [{ envFrom: [{ secretRef: { name: 'sealane' } }] }] },
  { containers: [{ env: [{ valueFrom: { secretKeyRef: { name: 'sealane', key: 'db-password' } } }] }] },
])('pods that use the Secret carry the versions of its values: %j', (spec) => {
  expect(versionsIn(withVersions(pod(spec, { own: 'yes' }), CREDENTIALS))).toEqual({ own: 'yes', 'sealane.dev/secrets': 'db-password=7' });
  expect(() => withVersions(pod(spec), undefined)).toThrow(expect.objectContaining({ code: 'DRIVER_REFUSED' }));
});

test('other pods stay as they are', () => {
  const other = pod({ volumes: [{ name: 'values', secret: { secretName: 'other' } }] });
  expect(withVersions(other, CREDENTIALS)).toEqual(other);
});

test('values are filled into the release’s own Secret, and into no other', () => {
  const secret = (name: string): object => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name } });
  const objects = kubeObjects('app.yaml', [...emptySecret(CREDENTIALS), secret('other')], 'harbour-7');
  const filled = withValues(objects, ['db-password'], (name) => Buffer.from(`value of ${name}`));
  expect(filled.map(({ body }) => body['data'])).toEqual([
    { 'db-password': Buffer.from('value of db-password').toString('base64') },
    undefined,
  ]);
  expect(emptySecret(undefined)).toEqual([]);
});
