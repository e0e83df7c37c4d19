import { describe, expect, test } from 'vitest';
import { admissionName, admissionObjects } from './admission.js';

const spec = (object: { readonly body: object } | undefined): unknown => (object?.body as { readonly spec: unknown }).spec;

describe('admission of pods', () => {
  const [policy, binding] = admissionObjects('harbour-7', ['r/b@sha256:2', 'r/a@sha256:1', 'r/b@sha256:2'], ['kube-system']);

  test('names each approved image once, and fails closed', () => {
    expect(policy).toMatchObject({ kind: 'ValidatingAdmissionPolicy', name: 'sealane-harbour-7' });
    expect(spec(policy)).toMatchObject({
      failurePolicy: 'Fail',
      variables: [{ name: 'approved', expression: '["r/a@sha256:1","r/b@sha256:2"]' }],
    });
  });

  test('has a name that no other site has, and that a cluster takes', () => {
    expect(['a-b', 'a.b', 'a_b', 'a..b', 'a.-b'].map(admissionName)).toEqual([
      'sealane-a-b',
      'sealane-a.b',
      'sealane--a-b-648fa9b31bc7',
      'sealane--a--b-f62b42414c51',
      'sealane--a--b-cf3cd0bc6dbd',
    ]);
    const [, binding] = admissionObjects('a_b', [], []);
    expect(binding).toMatchObject({
      body: { spec: { policyName: admissionName('a_b') }, metadata: { labels: { 'sealane.dev/site': 'a_b' } } },
    });
  });

  test('denies, but in the namespaces of the cluster itself', () => {
    expect(spec(binding)).toMatchObject({ policyName: 'sealane-harbour-7', validationActions: ['Deny'] });
    expect(JSON.stringify(spec(binding))).toContain('"NotIn","values":["kube-system"]');
    const [, everywhere] = admissionObjects('harbour-7', [], []);
    expect(JSON.stringify(spec(everywhere))).not.toContain('matchResources');
  });
});
