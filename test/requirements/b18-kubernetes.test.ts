/** Row B18 on a real control plane: the API server itself admits no pod with an image that no admitted release names; what was edited is reported or put back. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasControlPlane, startCluster, type TestCluster } from '../support/kubernetes.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { busybox, shellImage } from '../support/podman.js';
import { enrolSite, type TestSite } from '../support/site.js';

const DEPLOYMENT = '/apis/apps/v1/namespaces/edge/deployments/readings';
const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
const FOREIGN = `registry.example/edge/other@sha256:${'b'.repeat(64)}`;

describe.skipIf(!hasControlPlane || busybox === undefined)(
  'B18 on kubernetes (skipped without control-plane, kwok, openssl, busybox)',
  () => {
    let dir: string;
    let lane: TestLane;
    let cluster: TestCluster;
    let site: TestSite;
    let image: string;

    beforeAll(async () => {
      dir = mkdtempSync(path.join(tmpdir(), 'sealane-b18-kubernetes-'));
      [lane, cluster] = await Promise.all([makeLane(dir), startCluster(path.join(dir, 'cluster'))]);
      const driver = { use: 'kubernetes', kubeconfig: cluster.kubeconfig, namespace: 'edge', admission: {}, strays: 'report' };
      const watching = { health: [], healthIntervalMs: 200, startSeconds: 60, probationSeconds: 0.2 };
      site = await enrolSite(lane, path.join(dir, 'site'), {
        driver: { start: undefined, stopGraceSeconds: undefined, ...driver, ...watching },
      });
      // what runs before the site's first release
      for (const namespace of ['edge', 'kube-system']) {
        await cluster.send('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
      }
      expect(await cluster.send('POST', '/api/v1/namespaces/edge/pods', pod('early', FOREIGN))).toBe(201);
      image = await publish('1.0.0');
      await site.must(['update']);
    });

    afterAll(async () => {
      await cluster.stop();
      await lane.stop();
      rmSync(dir, { recursive: true, force: true });
    });

    /** Publishes a release of a deployment and a bare pod; returns the image that they run. */
    const publish = async (version: string): Promise<string> => {
      const built = await shellImage(path.join(dir, 'images', version), version);
      const folder = path.join(dir, 'manifests', version);
      mkdirSync(folder, { recursive: true });
      const named = `registry.example/edge/readings@${built.digest}`;
      const manifest = path.join(folder, 'readings.yaml');
      const objects = [
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'edge' } },
        deployment(named),
        pod(`bare-${version.replaceAll('.', '-')}`, named),
      ];
      writeFileSync(manifest, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
      const words = ['--image', `app=${built.reference}`, '--manifest', `set=${manifest}`, '--key', 'author'];
      const { release } = await lane.sealane(['release', 'create', '--name', 'readings', '--version', version, ...words]);
      await lane.promote(release);
      return named;
    };

    const mounting = (reference: string): object => pod('mounting', image, { volumes: [{ name: 'models', image: { reference } }] });

    const found = async (): Promise<readonly { readonly what: string; readonly how: string; readonly did: string }[]> =>
      (await site.must(['status'])).strays;

    const sets = (strays: string): void =>
      writeFileSync(site.config, readFileSync(site.config, 'utf8').replace(/"strays":"\w+"/, `"strays":"${strays}"`));

    test('B18 kubernetes: a pod made by hand with a foreign image is refused by the API server, in any namespace and any list of it', async () => {
      for (const namespace of ['edge', 'default']) {
        const pods = `/api/v1/namespaces/${namespace}/pods`;
        expect(await cluster.send('POST', pods, pod('foreign', FOREIGN))).toBe(422);
        expect(await cluster.send('POST', pods, pod('by-tag', image.replace(/@.*/, ':latest')))).toBe(422);
        const init = pod('foreign-init', image, { initContainers: [{ name: 'first', image: FOREIGN }] });
        expect(await cluster.send('POST', pods, init)).toBe(422);
        expect(await cluster.send('POST', pods, mounting(FOREIGN))).toBe(422);
      }
      const pods = '/api/v1/namespaces/edge/pods';
      expect(await cluster.send('POST', pods, pod('ours', image))).toBe(201);
      expect(await cluster.send('POST', pods, mounting(image))).toBe(201);
      expect(await cluster.send('PATCH', `${pods}/ours`, { spec: { containers: [{ name: 'app', image: FOREIGN }] } })).toBe(422);
      expect(await cluster.send('POST', '/api/v1/namespaces/kube-system/pods', pod('of-the-cluster', FOREIGN))).toBe(201);
    });

    test('B18 kubernetes: the next release brings its own images in, bare pods too; those of a release that has left are refused', async () => {
      for (const version of ['1.1.0', '1.2.0']) {
        await publish(version);
        expect(await site.must(['update']), version).toMatchObject({ outcome: 'installed' });
      }
      await expect.poll(() => cluster.send('POST', '/api/v1/namespaces/edge/pods', pod('late', image))).toBe(422);
    });

    test('B18 kubernetes: what ran before, and an object that somebody edits, are reported', async () => {
      expect(await cluster.send('PATCH', DEPLOYMENT, { spec: { replicas: 5 } })).toBe(200);
      await site.must(['update']);
      expect(await found()).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ what: 'apps/v1 Deployment  readings', how: 'was changed', did: 'reported' }),
          expect.objectContaining({ what: 'pod edge/early', how: expect.stringContaining(FOREIGN) as string, did: 'reported' }),
        ]),
      );
      expect((await cluster.get(DEPLOYMENT)).spec.replicas).toBe(5);
      await site.must(['doctor'], 3);
    });

    test('B18 kubernetes: where site.yaml says so the object is put back, the pod is ended, and a policy that was removed is there again', async () => {
      sets('stop');
      await cluster.send('DELETE', `${ADMISSION}/validatingadmissionpolicybindings/sealane-harbour-7`);
      await site.must(['update']);
      expect((await cluster.get(DEPLOYMENT)).spec.replicas).toBe(1);
      expect((await found()).map(({ did }) => did)).toEqual(expect.arrayContaining(['put back', 'stopped']));
      await expect.poll(() => cluster.get('/api/v1/namespaces/edge/pods/early')).toBeUndefined();
      await expect.poll(() => cluster.send('POST', '/api/v1/namespaces/edge/pods', pod('foreign', FOREIGN))).toBe(422);
      expect(await cluster.get('/api/v1/namespaces/kube-system/pods/of-the-cluster')).toBeDefined();
      await site.must(['update']);
      expect(await site.must(['doctor'])).toMatchObject({ ok: true });
    });
  },
);

function pod(name: string, image: string, more: object = {}): object {
  const containers = [{ name: 'app', image, resources: { limits: { memory: '64Mi', cpu: '100m' } } }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers, ...more } };
}

function deployment(image: string): object {
  const { spec } = pod('', image) as { spec: object };
  const template = { metadata: { labels: { app: 'readings' } }, spec };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'readings' },
    spec: { replicas: 1, selector: { matchLabels: { app: 'readings' } }, template },
  };
}
