import { describe, expect, test } from 'vitest';
import { isAsApplied, podsIn } from './compare.js';

const OBJECT = {
  kind: 'Deployment',
  metadata: { name: 'a', generation: 1, resourceVersion: '1' },
  spec: { replicas: 2 },
  status: { replicas: 0 },
};

describe('an object in a cluster', () => {
  test('is as applied whatever its status and its counters of writes', () => {
    const metadata = { ...OBJECT.metadata, generation: 2, resourceVersion: '7', managedFields: [] };
    expect(isAsApplied(OBJECT, { ...OBJECT, metadata, status: { replicas: 2 } })).toBe(true);
  });

  test.each([{ spec: { replicas: 3 } }, { metadata: { ...OBJECT.metadata, labels: { a: 'b' } } }, { data: {} }])(
    'is not with %j',
    (change) => {
      expect(isAsApplied({ ...OBJECT, ...change }, OBJECT)).toBe(false);
    },
  );
});

describe('pods of a list', () => {
  test('are those that run, with the images of all their lists', () => {
    const spec = {
      containers: [{ image: 'a' }],
      initContainers: [{ image: 'b' }],
      ephemeralContainers: [{ image: 'c' }],
      volumes: [{ image: { reference: 'd' } }, {}],
    };
    const metadata = { namespace: 'edge', name: 'p' };
    const items = [
      { metadata, spec, status: { phase: 'Running' } },
      { metadata, spec, status: { phase: 'Succeeded' } },
    ];
    expect(podsIn({ items })).toEqual([{ namespace: 'edge', name: 'p', images: ['a', 'b', 'c', 'd'] }]);
  });

  test('are none in what is no list', () => {
    expect([podsIn(undefined), podsIn({ items: 'x' })]).toEqual([[], []]);
  });
});
