import { type Digest, sha256, utf8 } from '@sealane/core';
import { expect, test } from 'vitest';
import { withConfiguration } from './release-configuration.js';

const FILE = sha256(utf8('a manifest'));

const map = (data: object, metadata: object = {}): object => ({ kind: 'ConfigMap', metadata: { name: 'settings', ...metadata }, data });
const pods = (spec: object, kind = 'Deployment', metadata: object = {}): object => ({
  kind,
  metadata: { name: 'readings', ...metadata },
  spec: { template: { metadata: { annotations: { own: 'yes' } }, spec: { containers: [{ name: 'app' }], ...spec } } },
});
const VOLUME = { volumes: [{ name: 'settings', configMap: { name: 'settings' } }] };

/** What the pods of the last document carry. */
function carried(documents: readonly object[], digest: Digest = FILE): unknown {
  const last = withConfiguration([{ digest, documents }], 'edge').at(-1);
  const { annotations } = (
    last as { readonly spec: { readonly template: { readonly metadata: { readonly annotations: Record<string, unknown> } } } }
  ).spec.template.metadata;
  expect(annotations['own']).toBe('yes');
  return annotations['sealane.dev/configuration'];
}

test.each([
  VOLUME,
  { volumes: [{ name: 'all', projected: { sources: [{ configMap: { name: 'settings' } }] } }] },
  { initContainers: [{ envFrom: [{ configMapRef: { name: 'settings' } }] }] },
  { containers: [{ env: [{ valueFrom: { configMapKeyRef: { name: 'settings', key: 'a' } } }] }] },
])('pods that use a ConfigMap of the release carry what it holds: %j', (spec) => {
  const one = carried([map({ a: '1', b: '2' }), pods(spec)]);
  expect(one).toMatch(/^sha256:/);
  expect(carried([map({ b: '2', a: '1' }), pods(spec)])).toBe(one);
  expect(carried([map({ a: '1', b: '3' }), pods(spec)])).not.toBe(one);
});

test.each([{ volumes: [{ secret: { secretName: 'settings' } }] }, { containers: [{ envFrom: [{ secretRef: { name: 'settings' } }] }] }])(
  'pods that use a Secret of the release carry its file, and nothing of what it holds: %j',
  (spec) => {
    const secret = (data: object): object => ({ kind: 'Secret', metadata: { name: 'settings' }, data });
    const one = carried([secret({ a: '1' }), pods(spec)]);
    expect(one).toMatch(/^sha256:/);
    expect(carried([secret({ a: '2' }), pods(spec)])).toBe(one);
    expect(carried([secret({ a: '1' }), pods(spec)], sha256(utf8('another')))).not.toBe(one);
  },
);

test('a namespace that is not named is that of site.yaml, and what lies in another is not used', () => {
  expect(carried([map({ a: '1' }, { namespace: 'edge' }), pods(VOLUME)])).toBe(
    carried([map({ a: '1' }), pods(VOLUME, 'Deployment', { namespace: 'edge' })]),
  );
  expect(carried([map({ a: '1' }, { namespace: 'other' }), pods(VOLUME)])).toBeUndefined();
});

test('pods that use nothing of the release stay as they are, and so do those that nobody replaces', () => {
  expect(carried([map({ a: '1' }), pods({ volumes: [{ configMap: { name: 'kube-root-ca.crt' } }] })])).toBeUndefined();
  for (const kind of ['Job', 'CronJob', 'Pod']) expect(carried([map({ a: '1' }), pods(VOLUME, kind)])).toBeUndefined();
  const odd = [null, 'text', [], { kind: 'ConfigMap' }, { kind: 'Deployment', spec: { template: null } }];
  expect(withConfiguration([{ digest: FILE, documents: odd }], 'edge')).toEqual(odd);
});
