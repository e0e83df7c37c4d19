/**
 * Attacks on a cluster by what an admitted release may bring, and by who edits what it brought: the driver's own program on a real API server. What belongs to others is not
 * taken over and not removed, nothing reaches beyond what site.yaml lends, and no set is called complete that is not.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { admissionName, admissionObjects } from '../../packages/site/src/drivers/kubernetes/admission.js';
import type { KubeObject } from '../../packages/site/src/drivers/kubernetes/objects.js';
import type { ClusterRequest } from '../../packages/site/src/drivers/kubernetes/wire.js';
import { answerOf, setOf as setOfSite } from '../support/cluster-program.js';
import { hasControlPlane, startCluster, type TestCluster } from '../support/kubernetes.js';

const SITE = 'harbour-7';
const EDGE = '/api/v1/namespaces/edge';
const MAPS = `${EDGE}/configmaps`;
const POLICIES = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
const POLICY = `${POLICIES}/sealane-harbour-7`;
const IMAGE = `registry.example/edge/readings@sha256:${'a'.repeat(64)}`;
const setOf = (documents: readonly object[]): ReturnType<typeof setOfSite> => setOfSite(documents, SITE);
const FOREIGN = `registry.example/edge/other@sha256:${'b'.repeat(64)}`;

describe.skipIf(!hasControlPlane)('attacks on a cluster (skipped without control-plane, kwok)', () => {
  let dir: string;
  let cluster: TestCluster;

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-x-kubernetes-'));
    mkdirSync(path.join(dir, 'c'));
    cluster = await startCluster(path.join(dir, 'c'));
    for (const name of ['edge', 'theirs']) await cluster.send('POST', '/api/v1/namespaces', namespace(name));
  });

  afterAll(async () => {
    await cluster.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const ask = (more: Partial<ClusterRequest> & Pick<ClusterRequest, 'do'>): Promise<unknown> => {
    const common = { kubeconfig: cluster.kubeconfig, namespace: 'edge', site: SITE, fence: { namespaces: [], kinds: [] } };
    return answerOf({ ...common, objects: [], keys: [], secrets: [], ...more });
  };
  const apply = (objects: readonly object[], keys: readonly object[] = []): Promise<unknown> =>
    ask({ do: 'apply', objects: setOf(objects), keys: setOf(keys) });
  const dataOf = async (name: string): Promise<unknown> => (await cluster.get(`${MAPS}/${name}`))?.data;
  const refused = (how: string): unknown => ({ is: 'refused', how: expect.stringContaining(how) as string });

  test('B9 kubernetes: an object of somebody else that has the same name is neither taken over nor removed, until it is given to the site', async () => {
    await cluster.send('POST', MAPS, { ...map('plant'), data: { a: 'theirs' } });
    const theirs = 'expected a name that is free or this site’s, got one of somebody else';
    expect(await ask({ do: 'try', objects: setOf([map('plant')]) })).toEqual(refused(theirs));
    expect(await apply([map('plant')])).toEqual(refused(theirs));
    expect(await ask({ do: 'remove', keys: setOf([map('plant')]) })).toEqual({ is: 'ready' });
    expect(await dataOf('plant')).toEqual({ a: 'theirs' });
    await cluster.send('PATCH', `${MAPS}/plant`, { metadata: { labels: { 'sealane.dev/site': SITE } } });
    expect(await apply([map('plant')])).toEqual({ is: 'ready' });
    expect(await dataOf('plant')).toEqual({ a: 'ours' });
  });

  test('B9 kubernetes: what the next set names by another version of its kind, or with its namespace, is not removed as if it had left', async () => {
    await apply([scaler('v1'), map('spelt')]);
    const next = [scaler('v2'), map('spelt', { namespace: 'edge' })];
    expect(await apply(next, [scaler('v1'), map('spelt')])).toEqual({ is: 'ready' });
    expect(await ask({ do: 'look', keys: setOf(next) })).toEqual({ is: 'ready', done: [] });
    expect(await apply([map('spelt'), map('spelt', { namespace: 'edge' })])).toEqual(refused('expected each object once'));
  });

  test('B9 kubernetes: what is being removed is not ready, and is applied anew once it is gone', async () => {
    await apply([map('going')]);
    await cluster.send('PATCH', `${MAPS}/going`, { metadata: { finalizers: ['example.com/hold'] } });
    expect(await apply([], [map('going')])).toEqual({ is: 'ready' });
    expect(await ask({ do: 'look', keys: setOf([map('going')]) })).toMatchObject({ is: 'waiting' });
    const going = (await cluster.get(`${MAPS}/going`)).metadata.uid;
    const again = apply([map('going')]);
    await cluster.send('PATCH', `${MAPS}/going`, { metadata: { finalizers: null } });
    expect(await again).toEqual({ is: 'ready' });
    expect((await cluster.get(`${MAPS}/going`)).metadata.uid).not.toBe(going);
  });

  test('B9 kubernetes: a set reaches no namespace and no kind of the whole cluster that site.yaml does not lend', async () => {
    const lent = { namespaces: ['theirs'], kinds: ['ClusterRoleBinding'] };
    const beyond = [map('m', { namespace: 'theirs' }), map('m', { namespace: 'kube-system' }), administrator(), namespace('kube-system')];
    for (const verb of ['try', 'apply'] as const)
      for (const object of beyond)
        expect(await ask({ do: verb, objects: setOf([object]) }), JSON.stringify(object)).toMatchObject({ is: 'refused' });
    expect(await ask({ do: 'apply', objects: setOf([namespace('kube-system'), map('m', { namespace: 'kube-system' })]) })).toMatchObject({
      is: 'refused',
    });
    expect(await cluster.get('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/mine')).toBeUndefined();
    expect(await cluster.get('/api/v1/namespaces/kube-system/configmaps/m')).toBeUndefined();
    const within = [namespace('brought'), map('m', { namespace: 'brought' }), map('m', { namespace: 'theirs' }), administrator()];
    for (const verb of ['try', 'apply'] as const)
      expect(await ask({ do: verb, objects: setOf(within), fence: lent })).toEqual({ is: 'ready' });
  });

  test('B9 kubernetes: a namespace that is there already is used as it is: a release does not loosen what its administrator set', async () => {
    const level = 'pod-security.kubernetes.io/enforce';
    await cluster.send('PATCH', '/api/v1/namespaces/edge', { metadata: { labels: { [level]: 'restricted' } } });
    expect(await apply([namespace('edge', { [level]: 'privileged' })])).toEqual({ is: 'ready' });
    expect((await cluster.get('/api/v1/namespaces/edge')).metadata.labels).toMatchObject({ [level]: 'restricted' });
    await cluster.send('PATCH', '/api/v1/namespaces/edge', { metadata: { labels: { [level]: null } } });
  });

  test('B9 kubernetes: a kind and its first object come in one set', async () => {
    const fence = { namespaces: [], kinds: ['CustomResourceDefinition'] };
    const boats = setOf([boat(), definition()]);
    expect(await ask({ do: 'try', objects: boats, fence })).toEqual({ is: 'ready' });
    expect(await ask({ do: 'apply', objects: boats, fence })).toEqual({ is: 'ready' });
  });

  test('B18 kubernetes: a condition that was added to the policy, so that it never applies, is put back and told of', async () => {
    const objects = admissionObjects(SITE, [IMAGE], ['kube-system']);
    expect(await ask({ do: 'permit', objects })).toEqual({ is: 'found', strays: [] });
    await cluster.send('PATCH', POLICY, { spec: { matchConditions: [{ name: 'never', expression: 'false' }] } });
    const told = [{ what: expect.stringContaining('ValidatingAdmissionPolicy') as string, how: 'was changed', did: 'put back' }];
    expect(await ask({ do: 'permit', objects })).toEqual({ is: 'found', strays: told });
    expect((await cluster.get(POLICY)).spec.matchConditions).toBeUndefined();
    await expect.poll(() => cluster.send('POST', `${EDGE}/pods`, pod('foreign', FOREIGN))).toBe(422);
  });

  test('B18 kubernetes: sites whose names differ by a dash have each a policy; what an earlier version has told for one goes with its name', async () => {
    const earlier = admissionObjects('berth_7', [IMAGE], [], 'sealane-berth-7');
    const of = (site: string): readonly KubeObject[] => admissionObjects(site, [IMAGE], []);
    const told = { is: 'found', strays: [] };
    expect(await ask({ do: 'permit', site: 'berth_7', objects: earlier })).toEqual(told);
    expect(await ask({ do: 'permit', site: 'berth_7', objects: of('berth_7'), keys: earlier })).toEqual(told);
    await expect.poll(() => cluster.get(`${POLICIES}/sealane-berth-7`)).toBeUndefined();
    expect(await ask({ do: 'permit', site: 'berth-7', objects: of('berth-7') })).toEqual(told);
    // what is another site's by now stays
    expect(await ask({ do: 'permit', site: 'berth_7', objects: of('berth_7'), keys: earlier })).toEqual(told);
    const sites = (await cluster.get(POLICIES)).items.map(({ metadata }: { metadata: { labels: object } }) => metadata.labels);
    expect(sites).toEqual(expect.arrayContaining([{ 'sealane.dev/site': 'berth_7' }, { 'sealane.dev/site': 'berth-7' }]));
    for (const site of ['berth_7', 'berth-7']) {
      expect(await cluster.get(`${POLICIES}/${admissionName(site)}`)).toBeDefined();
      expect(await ask({ do: 'remove', site, keys: of(site) })).toEqual({ is: 'ready' });
    }
  });

  test('B18 kubernetes: a container or a command that somebody adds to a workload is found, and taken out where site.yaml says so', async () => {
    await apply([workload()]);
    const place = '/apis/apps/v1/namespaces/edge/deployments/readings';
    const containers = [
      { name: 'app', image: IMAGE, command: ['/bin/evil'] },
      { name: 'beside', image: IMAGE },
    ];
    await cluster.send('PATCH', place, { spec: { replicas: 4, template: { spec: { containers } } } });
    const strays = { approved: [IMAGE], namespaces: [], except: [] };
    const found = (did: string): object => ({ is: 'found', strays: [{ what: 'apps/v1 Deployment  readings', how: 'was changed', did }] });
    const look = (does: 'report' | 'stop'): Promise<unknown> =>
      ask({ do: 'strays', objects: setOf([workload()]), strays: { ...strays, does } });
    expect(await look('report')).toEqual(found('reported'));
    expect(await look('stop')).toEqual(found('put back'));
    const { spec } = await cluster.get(place);
    expect(spec.template.spec.containers).toHaveLength(1);
    expect(spec.template.spec.containers[0].command).toBeUndefined();
    // what a scaler has set, of which the release says nothing
    expect(spec.replicas).toBe(4);
    expect(await look('stop')).toEqual({ is: 'found', strays: [] });
  });
});

function namespace(name: string, labels: object = {}): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

function map(name: string, more: object = {}): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...more }, data: { a: 'ours' } };
}

function scaler(version: string): object {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'readings' };
  return {
    apiVersion: `autoscaling/${version}`,
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'readings' },
    spec: { maxReplicas: 3, scaleTargetRef },
  };
}

/** Whatever runs in the namespace may do anything. */
function administrator(): object {
  const [apiGroup, apiVersion] = ['rbac.authorization.k8s.io', 'rbac.authorization.k8s.io/v1'];
  const subjects = [{ kind: 'ServiceAccount', name: 'default', namespace: 'edge' }];
  return {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'mine' },
    roleRef: { apiGroup, kind: 'ClusterRole', name: 'cluster-admin' },
    subjects,
  };
}

function definition(): object {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const spec = {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'boats', kind: 'Boat' },
    versions: [{ name: 'v1', served: true, storage: true, schema }],
  };
  return { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'boats.example.com' }, spec };
}

function boat(): object {
  return { apiVersion: 'example.com/v1', kind: 'Boat', metadata: { name: 'first' } };
}

function pod(name: string, image: string): object {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [{ name: 'app', image }] } };
}

function workload(): object {
  const template = { metadata: { labels: { app: 'readings' } }, spec: { containers: [{ name: 'app', image: IMAGE }] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'readings' },
    spec: { selector: { matchLabels: { app: 'readings' } }, template },
  };
}
