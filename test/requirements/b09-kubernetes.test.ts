/** Rows B9 and B19, driver `kubernetes`: a real API server, controllers and scheduler; the set of a release as a whole, and the set before when it does not come up. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { killAt } from '../support/kill.js';
import { hasControlPlane, startCluster, type TestCluster } from '../support/kubernetes.js';
import { deployment, pod } from '../support/kubernetes-objects.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { busybox, shellImage } from '../support/podman.js';
import { commandLinesWith, filesWith, newValue, seal } from '../support/secrets.js';
import { enrolSite, type TestSite } from '../support/site.js';

const PLACE = '/apis/apps/v1/namespaces/edge/deployments';
const ROLES = '/apis/rbac.authorization.k8s.io/v1/clusterroles';
const JOBS = '/apis/batch/v1/namespaces/edge/jobs';
const PODS = '/api/v1/namespaces/edge/pods';
const MAPS = '/api/v1/namespaces/edge/configmaps';

describe.skipIf(!hasControlPlane || busybox === undefined)(
  'B9 driver kubernetes (skipped without control-plane, kwok, openssl, busybox)',
  () => {
    let dir: string;
    let lane: TestLane;
    let cluster: TestCluster;
    let site: TestSite;
    let first: string;

    beforeAll(async () => {
      dir = mkdtempSync(path.join(tmpdir(), 'sealane-b09-kubernetes-'));
      [lane, cluster] = await Promise.all([makeLane(dir), startCluster(path.join(dir, 'cluster'))]);
      site = await enrolSite(lane, path.join(dir, 'site'), {
        driver: {
          use: 'kubernetes',
          kubeconfig: cluster.kubeconfig,
          namespace: 'edge',
          start: undefined,
          stopGraceSeconds: undefined,
          health: [],
          healthIntervalMs: 200,
          startSeconds: 60,
          probationSeconds: 0.5,
        },
      });
    });

    afterAll(async () => {
      await cluster.stop();
      await lane.stop();
      rmSync(dir, { recursive: true, force: true });
    });

    /** Publishes a release: a namespace, a deployment of its image, and what else is given. */
    const publish = async (
      version: string,
      more: readonly object[] = [],
      spec: object = {},
      image?: string,
      secrets: readonly string[] = [],
      imageOfVersion = version,
    ): Promise<string> => {
      const built = await shellImage(path.join(dir, 'images', imageOfVersion), imageOfVersion);
      const folder = path.join(dir, 'manifests', version);
      mkdirSync(folder, { recursive: true });
      const named = image ?? `registry.example/edge/readings@${built.digest}`;
      const objects = [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'edge' } }, deployment(named, spec), ...more];
      const manifest = path.join(folder, 'readings.yaml');
      writeFileSync(manifest, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
      const declares = path.join(folder, 'declares.json');
      writeFileSync(declares, JSON.stringify({ secrets }));
      const declared = secrets.length === 0 ? [] : ['--declare', declares];
      const words = ['--image', `app=${built.reference}`, '--manifest', `set=${manifest}`, ...declared, '--key', 'author'];
      const { release } = await lane.sealane(['release', 'create', '--name', 'readings', '--version', version, ...words]);
      await lane.promote(release);
      return release;
    };

    const imageOf = async (version: string): Promise<string> => {
      const { digest } = await shellImage(path.join(dir, 'images', version), version);
      return `registry.example/edge/readings@${digest}`;
    };
    const podsOfJob = async (): Promise<readonly string[]> =>
      (await cluster.get(`${PODS}?labelSelector=job-name%3Dmigrate`)).items.map(
        ({ metadata }: { metadata: { name: string } }) => metadata.name,
      );

    /** The image that the deployment runs now, and whether all of it is available. */
    const runs = async (): Promise<unknown> => {
      const { spec, status } = await cluster.get(`${PLACE}/readings`);
      return { image: spec.template.spec.containers[0].image.split('@')[0], available: status.availableReplicas };
    };
    const version = async (): Promise<unknown> => (await cluster.get(`${MAPS}/sealane`))?.data.SEALANE_VERSION;

    test('B9 kubernetes: a release becomes the set of objects of the cluster, once its rollout is complete', async () => {
      first = await publish('1.0.0', [configMap('old-settings')]);
      expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: first });
      expect(await runs()).toEqual({ image: 'registry.example/edge/readings', available: 2 });
      expect(await version()).toBe('1.0.0');
      const { managedFields } = (await cluster.get(`${PLACE}/readings`)).metadata;
      expect(managedFields).toContainEqual(expect.objectContaining({ manager: 'sealane-site', operation: 'Apply' }));
    });

    test('B9 kubernetes: what the release before had and this one has not is removed; what is somebody else’s stays', async () => {
      await cluster.send('POST', MAPS, configMap('of-somebody-else'));
      const second = await publish('1.1.0', [configMap('new-settings')]);
      expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: second, previous: first });
      const names = (await cluster.get(MAPS)).items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);
      expect(names).toEqual(expect.arrayContaining(['new-settings', 'of-somebody-else', 'sealane']));
      expect(names).not.toContain('old-settings');
      expect(await version()).toBe('1.1.0');
    });

    test('B9 kubernetes: a rollout that does not come up puts the whole set before back', async () => {
      const bad = await publish('1.2.0', [configMap('bad-settings')], { nodeSelector: { nowhere: 'yes' }, deadline: 2 });
      expect(await site.must(['update'], 7)).toMatchObject({ outcome: 'rolled-back', release: bad, reason: 'HEALTH_FAILED' });
      expect(await cluster.get(`${MAPS}/bad-settings`)).toBeUndefined();
      expect(await cluster.get(`${MAPS}/new-settings`)).toBeDefined();
      expect([await version(), await runs()]).toEqual(['1.1.0', { image: 'registry.example/edge/readings', available: 2 }]);
    });

    test('B9 kubernetes: what the server would not take, or what runs no part of the release, is refused before anything is touched', async () => {
      await publish('1.3.0', [{ ...configMap('wrong'), spec: { no: 'such field' } }]);
      expect(await site.must(['update'], 4)).toMatchObject({ outcome: 'refused', reason: 'DRIVER_REFUSED' });
      await publish('1.3.1', [], {}, `registry.example/edge/other@sha256:${'b'.repeat(64)}`);
      expect(await site.must(['update'], 4)).toMatchObject({ outcome: 'refused', reason: 'DRIVER_REFUSED' });
      expect([await version(), await cluster.get(`${MAPS}/wrong`)]).toEqual(['1.1.0', undefined]);
    });

    test('B9 kubernetes: a release that takes what is somebody else’s, or reaches beyond its namespace, is refused before anything is touched; lent, it is installed', async () => {
      const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'readings' }, rules: [] };
      for (const [at, beyond] of [configMap('of-somebody-else'), role].entries()) {
        await publish(`1.3.${at + 2}`, [beyond]);
        expect(await site.must(['update'], 4)).toMatchObject({ outcome: 'refused', reason: 'DRIVER_REFUSED' });
      }
      expect([await version(), await cluster.get(`${ROLES}/readings`)]).toEqual(['1.1.0', undefined]);
      const config = readFileSync(site.config, 'utf8');
      writeFileSync(site.config, config.replace('"namespace":"edge"', '"namespace":"edge","mayUse":{"kinds":["ClusterRole"]}'));
      const lent = await publish('1.3.4', [role]);
      expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: lent });
      expect((await cluster.get(`${ROLES}/readings`)).metadata.labels).toMatchObject({ 'sealane.dev/site': 'harbour-7' });
    });

    test('B9 kubernetes: what somebody removed is there again after the next update; what somebody edited, after the next release', async () => {
      await cluster.send('DELETE', `${PLACE}/readings`);
      expect(await site.must(['update'])).toMatchObject({ outcome: 'unchanged' });
      expect((await cluster.get(`${PLACE}/readings`)).spec.replicas).toBe(2);
      await cluster.send('PATCH', `${PLACE}/readings`, { spec: { replicas: 5 } });
      const next = await publish('1.4.0');
      expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: next });
      expect((await cluster.get(`${PLACE}/readings`)).spec.replicas).toBe(2);
    });

    test('B9 kubernetes: for one object that is missing, or one pod that has failed, the others of the set are not touched', async () => {
      const bare = pod('watcher', await imageOf('1.4.5'));
      const release = await publish('1.4.5', [configMap('settings'), bare]);
      expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release });
      const uid = async (at: string): Promise<string | undefined> => (await cluster.get(at))?.metadata.uid;
      const [others, old] = [await uid(`${PLACE}/readings`), await uid(`${PODS}/watcher`)];
      await cluster.send('DELETE', `${MAPS}/settings`);
      await cluster.send('PATCH', `${PODS}/watcher/status`, { status: { phase: 'Failed' } });
      await site.must(['update']);
      expect(await uid(`${MAPS}/settings`)).toBeDefined();
      expect(await uid(`${PLACE}/readings`)).toBe(others);
      await expect.poll(() => uid(`${PODS}/watcher`)).not.toBe(old);
      await expect.poll(async () => (await cluster.get(`${PODS}/watcher`)).status.phase).toBe('Running');
    });

    test('B19 kubernetes: values are in a Secret of the set and in no file of the site; another one is another rollout; the Secret goes with the release', async () => {
      const secret = async (): Promise<unknown> => {
        const found = await cluster.get('/api/v1/namespaces/edge/secrets/sealane');
        return found && Object.entries(found.data).map(([name, value]) => [name, Buffer.from(String(value), 'base64').toString()]);
      };
      const versions = async (): Promise<unknown> => (await cluster.get(`${PLACE}/readings`)).spec.template.metadata.annotations;
      const [value, second, bad] = [newValue(), newValue(), newValue()];
      const withSecret = { volumes: [{ name: 'secrets', secret: { secretName: 'sealane' } }] };
      await publish('1.5.0', [], withSecret);
      expect(await site.must(['update'], 4)).toMatchObject({ outcome: 'refused', reason: 'DRIVER_REFUSED' });
      const release = await publish('1.6.0', [], withSecret, undefined, ['db-password']);
      const here = (text: string): readonly string[] => filesWith(site.dir, text);
      await seal(lane, value, ['--site', 'harbour-7']);
      expect(await commandLinesWith(value, () => site.must(['update']))).toEqual([]);
      expect([await secret(), await versions()]).toEqual([[['db-password', value]], { 'sealane.dev/secrets': 'db-password=1' }]);
      expect(here(value)).toEqual([path.join(site.state, 'run', 'credentials', 'db-password')]);

      await seal(lane, second, ['--site', 'harbour-7']);
      expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release });
      expect([await secret(), await versions()]).toEqual([[['db-password', second]], { 'sealane.dev/secrets': 'db-password=2' }]);
      expect([here(value), await runs()]).toEqual([[], { image: 'registry.example/edge/readings', available: 2 }]);

      await cluster.send('PATCH', '/api/v1/namespaces/edge/secrets/sealane', {
        data: { 'db-password': Buffer.from(bad).toString('base64') },
      });
      await site.must(['update']);
      expect((await site.must(['status'])).strays).toMatchObject([{ what: 'v1 Secret  sealane', how: 'was changed' }]);
      await publish('1.7.0');
      await site.must(['update']);
      expect([await secret(), here(second)]).toEqual([undefined, []]);
    });

    test('B9 kubernetes: a job that has done its work and was collected is not made again by the same release, nor missed', async () => {
      const job = (): Promise<{ readonly spec: { readonly ttlSecondsAfterFinished: number } } | undefined> =>
        cluster.get(`${JOBS}/migrate`);
      const template = { spec: { ...pod('', await imageOf('1.8.0')).spec, restartPolicy: 'Never' } };
      const release = await publish('1.8.0', [
        { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate' }, spec: { ttlSecondsAfterFinished: 0, template } },
      ]);
      const updated = site.must(['update']);
      await expect.poll(podsOfJob, { timeout: 60_000 }).toHaveLength(1);
      for (const name of await podsOfJob()) await cluster.send('PATCH', `${PODS}/${name}/status`, { status: { phase: 'Succeeded' } });
      expect(await updated).toMatchObject({ outcome: 'installed', release });
      // so that it is seen how it ended
      expect((await job())?.spec.ttlSecondsAfterFinished).toBe(600);
      await cluster.send('PATCH', `${JOBS}/migrate`, { spec: { ttlSecondsAfterFinished: 1 } });
      await expect.poll(job, { timeout: 60_000 }).toBeUndefined();
      expect(await site.must(['update'])).toMatchObject({ outcome: 'unchanged' });
      expect(await job()).toBeUndefined();
      expect((await site.must(['status'])).strays).toEqual([]);
    });

    test('B9 kubernetes: killed at any point of a switch, the next command leaves the new set, and only it', async () => {
      for (const [at, point] of ['update:workload-recorded', 'update:started', 'update:probation'].entries()) {
        const next = await publish(`2.${at}.0`, [configMap(`settings-${at}`)]);
        await killAt(point, 'sealane-site', ['update', '--config', site.config, '--state', site.state]);
        expect(await site.must(['update']), point).toMatchObject({ outcome: 'installed', release: next });
        const names = (await cluster.get(MAPS)).items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);
        expect(names.filter((name: string) => name.includes('settings'))).toEqual([`settings-${at}`]);
        expect(await version()).toBe(`2.${at}.0`);
      }
    });

    test('B9 kubernetes: a release that changes nothing but a ConfigMap replaces the pods that use it, and going back does', async () => {
      const volumes = [{ name: 'settings', configMap: { name: 'settings' } }];
      const settings = (a: string): object => ({ ...configMap('settings'), data: { a } });
      const uids = async (): Promise<readonly string[]> =>
        (await cluster.get(`${PODS}?labelSelector=app%3Dreadings`)).items.map(
          ({ metadata }: { metadata: { uid: string } }) => metadata.uid,
        );
      await publish('2.8.0', [settings('1')], { volumes });
      expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
      const before = await uids();
      await publish('2.8.1', [settings('2')], { volumes }, undefined, [], '2.8.0');
      expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
      const after = await uids();
      expect(after.filter((uid) => before.includes(uid))).toEqual([]);
      // nothing of them changed
      await publish('2.8.2', [settings('2')], { volumes }, undefined, [], '2.8.0');
      expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
      expect(new Set(await uids())).toEqual(new Set(after));
      await site.must(['rollback']);
      expect(new Set(await uids())).toEqual(new Set(after));
    });

    test('B9 kubernetes: stopped, only what was its own is gone; a cluster that does not answer defers', async () => {
      await site.stop();
      expect(await cluster.get(`${MAPS}/sealane`)).toBeUndefined();
      expect(await cluster.get(`${MAPS}/of-somebody-else`)).toBeDefined();
      await publish('3.0.0');
      await cluster.stop();
      expect(await site.must(['update'], 5)).toMatchObject({ outcome: 'deferred', reason: 'DRIVER_NOT_READY' });
    });
  },
);

function configMap(name: string): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'edge' }, data: { a: 'b' } };
}
