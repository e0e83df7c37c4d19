/** Rows B9 and B18 for kinds whose pods are made later, elsewhere, or by others: the driver's own program on a real API server with its controllers. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClusterRequest } from '../../packages/site/src/drivers/kubernetes/wire.js';
import { answerOf, setOf } from '../support/cluster-program.js';
import { hasControlPlane, startCluster, type TestCluster } from '../support/kubernetes.js';
import { pod } from '../support/kubernetes-objects.js';

const SITE = 'harbour-7';
const IMAGE = `registry.example/edge/readings@sha256:${'a'.repeat(64)}`;
const NEXT = `registry.example/edge/readings@sha256:${'b'.repeat(64)}`;
const [APPS, BATCH] = ['/apis/apps/v1/namespaces/edge', '/apis/batch/v1/namespaces/edge'];
const READY = { is: 'ready', done: [] };

describe.skipIf(!hasControlPlane)('B9 kinds of kubernetes (skipped without control-plane, kwok)', () => {
  let dir: string;
  let cluster: TestCluster;

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-b9-kinds-'));
    mkdirSync(path.join(dir, 'c'));
    cluster = await startCluster(path.join(dir, 'c'));
    await cluster.send('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'edge' } });
  });

  afterAll(async () => {
    await cluster.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const ask = (verb: ClusterRequest['do'], objects: readonly object[], more: Partial<ClusterRequest> = {}): Promise<unknown> => {
    const set = setOf(objects, SITE);
    const around = { kubeconfig: cluster.kubeconfig, namespace: 'edge', site: SITE, fence: { namespaces: [], kinds: [] } };
    return answerOf({ do: verb, ...around, objects: set, keys: verb === 'look' ? set : [], secrets: [], ...more });
  };
  const strays = (objects: readonly object[], more: Partial<ClusterRequest> = {}): Promise<unknown> =>
    ask('strays', objects, { strays: { approved: [IMAGE, NEXT], namespaces: [], except: [], does: 'stop' }, ...more });
  const nothing = { is: 'found', strays: [] };
  const becomes = async (objects: readonly object[], answer: object): Promise<void> => {
    await expect.poll(() => ask('look', objects), { timeout: 60_000, interval: 500 }).toMatchObject(answer);
  };

  test('B18 kubernetes: a container that somebody adds to the jobs of a cron job is found, and taken out', async () => {
    const cron = workload('CronJob', {
      schedule: '0 0 1 1 *',
      suspend: true,
      jobTemplate: { spec: { template: template(IMAGE, 'Never') } },
    });
    expect(await ask('apply', [cron])).toEqual({ is: 'ready' });
    expect(await ask('look', [cron])).toMatchObject({ is: 'ready' });
    expect(await strays([cron])).toEqual(nothing);
    const containers = [
      { name: 'app', image: IMAGE, command: ['/bin/evil'] },
      { name: 'beside', image: IMAGE },
    ];
    await cluster.send('PATCH', `${BATCH}/cronjobs/readings`, { spec: { jobTemplate: { spec: { template: { spec: { containers } } } } } });
    expect(await strays([cron])).toMatchObject({ strays: [{ how: 'was changed', did: 'put back' }] });
    const { spec } = await cluster.get(`${BATCH}/cronjobs/readings`);
    expect(spec.jobTemplate.spec.template.spec.containers).toHaveLength(1);
    expect(spec.jobTemplate.spec.template.spec.containers[0].command).toBeUndefined();
    expect(await strays([cron])).toEqual(nothing);
  });

  test('B9 kubernetes: a job that was seen complete and is gone is missed by nobody, and not made again', async () => {
    const job = workload('Job', { ttlSecondsAfterFinished: 600, template: template(IMAGE, 'Never') });
    expect(await ask('apply', [job])).toEqual({ is: 'ready' });
    await becomes([job], { is: 'waiting' });
    await endPods('readings');
    await becomes([job], { is: 'ready', done: ['batch/v1 Job  readings'] });
    await cluster.send('PATCH', `${BATCH}/jobs/readings`, { spec: { ttlSecondsAfterFinished: 0 } });
    await expect.poll(() => cluster.get(`${BATCH}/jobs/readings`), { timeout: 60_000 }).toBeUndefined();
    const done = { done: ['batch/v1 Job  readings'] };
    expect(await ask('look', [job], done)).toEqual(READY);
    expect(await strays([job], done)).toEqual(nothing);
    expect(await ask('apply', [job], done)).toEqual({ is: 'ready' });
    expect(await cluster.get(`${BATCH}/jobs/readings`)).toBeUndefined();
    // of which nobody has seen an end is not complete
    expect(await ask('look', [job])).toMatchObject({ is: 'failed' });
  });

  test('B9 kubernetes: a job that is suspended is not waited for; a daemon set that no node matches is complete', async () => {
    const job = { ...workload('Job', { suspend: true, template: template(IMAGE, 'Never') }), metadata: { name: 'later' } };
    const daemons = workload('DaemonSet', {
      selector: SELECTOR,
      template: template(IMAGE, 'Always', { nodeSelector: { nowhere: 'yes' } }),
    });
    expect(await ask('apply', [job, daemons])).toEqual({ is: 'ready' });
    await becomes([job, daemons], { is: 'ready' });
    expect((await cluster.get(`${APPS}/daemonsets/readings`)).status.desiredNumberScheduled).toBe(0);
  });

  test('B9 kubernetes: a stateful set whose pods nobody replaces is not complete and says so; untouched, it is', async () => {
    const set = (image: string): object =>
      workload('StatefulSet', {
        serviceName: 'r',
        replicas: 1,
        selector: SELECTOR,
        updateStrategy: { type: 'OnDelete' },
        template: template(image),
      });
    expect(await ask('apply', [set(IMAGE)])).toEqual({ is: 'ready' });
    await becomes([set(IMAGE)], { is: 'ready' });
    expect(await ask('apply', [set(NEXT)])).toEqual({ is: 'ready' });
    await becomes([set(NEXT)], { is: 'waiting', how: expect.stringContaining('OnDelete') as string });
    expect(await ask('apply', [set(IMAGE)])).toEqual({ is: 'ready' });
    await becomes([set(IMAGE)], { is: 'ready' });
  });

  test('B9 B18 kubernetes: how many replicas an autoscaler of the set has made is neither set back nor told of; beyond its bounds it is', async () => {
    const place = `${APPS}/deployments/readings`;
    const scaled = (image: string): readonly object[] => [
      workload('Deployment', { replicas: 2, selector: SELECTOR, template: template(image) }),
      {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'readings' },
        spec: { minReplicas: 2, maxReplicas: 5, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'readings' } },
      },
    ];
    const replicas = async (): Promise<unknown> => (await cluster.get(place)).spec.replicas;
    expect(await ask('apply', scaled(IMAGE))).toEqual({ is: 'ready' });
    expect(await replicas()).toBe(2);
    await cluster.send('PATCH', `${place}/scale`, { spec: { replicas: 4 } });
    expect(await strays(scaled(IMAGE))).toEqual(nothing);
    expect(await ask('apply', scaled(NEXT))).toEqual({ is: 'ready' });
    expect(await replicas()).toBe(4);
    await becomes(scaled(NEXT), { is: 'ready' });
    // without the autoscaler in the set it is as the release says
    expect(await ask('apply', scaled(NEXT).slice(0, 1))).toEqual({ is: 'ready' });
    expect(await replicas()).toBe(2);
    await cluster.send('PATCH', place, { spec: { replicas: 50 } });
    expect(await strays(scaled(NEXT))).toMatchObject({ strays: [{ how: 'was changed', did: 'put back' }] });
    expect(await replicas()).toBe(5);
  });

  /** Nothing runs in these pods: they end because somebody says so. */
  const endPods = async (job: string): Promise<void> => {
    const pods = async (): Promise<readonly string[]> =>
      (await cluster.get(`/api/v1/namespaces/edge/pods?labelSelector=job-name%3D${job}`)).items.map(
        ({ metadata }: { metadata: { name: string } }) => metadata.name,
      );
    await expect.poll(async () => (await pods()).length, { timeout: 60_000 }).toBe(1);
    for (const name of await pods())
      await cluster.send('PATCH', `/api/v1/namespaces/edge/pods/${name}/status`, { status: { phase: 'Succeeded' } });
  };
});

const SELECTOR = { matchLabels: { app: 'readings' } };

function template(image: string, restartPolicy = 'Always', more: object = {}): object {
  return { metadata: { labels: { app: 'readings' } }, spec: { ...pod('', image).spec, restartPolicy, ...more } };
}

function workload(kind: string, spec: object): object {
  const apiVersion = kind.endsWith('Job') ? 'batch/v1' : 'apps/v1';
  return { apiVersion, kind, metadata: { name: 'readings' }, spec };
}
