/** Rows B9, B11 and B18 for driver `kubernetes` where the updater is sandboxed: an installed site acts on a real API server, with rights as an administrator gives them. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { installSite, type InstalledSite } from '../support/installed-site.js';
import { hasControlPlane, startCluster, type TestCluster } from '../support/kubernetes.js';
import { deployment, pod } from '../support/kubernetes-objects.js';
import { canBoot } from '../support/machine.js';
import { busybox, shellImage } from '../support/podman.js';
import { ROOT } from '../support/run.js';

const APPLY = 'sealane-site-apply.service';
const CONFIG = '/etc/sealane-site';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/edge/deployments';
const MAPS = '/api/v1/namespaces/edge/configmaps';
const PODS = '/api/v1/namespaces/edge/pods';
const RIGHTS = '/apis/rbac.authorization.k8s.io/v1';
const FOREIGN = `registry.example/edge/other@sha256:${'b'.repeat(64)}`;

describe.skipIf(!canBoot() || !hasControlPlane || busybox === undefined)(
  'B9 driver kubernetes of an installed site (skipped without root, systemd-nspawn, control-plane, kwok, busybox)',
  () => {
    let here: InstalledSite;
    let cluster: TestCluster;
    let dir: string;

    const inMachine = (file: string): string => path.join(here.machine.root, file);

    /** Publishes a release: a deployment, a settings map of its version, and what else is given. */
    const publish = async (version: string, spec: object = {}): Promise<string> => {
      const built = await shellImage(path.join(dir, 'images', version), version);
      const manifest = path.join(dir, `readings-${version}.yaml`);
      const objects = [configMap(`settings-${version}`), deployment(`registry.example/edge/readings@${built.digest}`, spec)];
      writeFileSync(manifest, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
      const words = ['--image', `app=${built.reference}`, '--manifest', `set=${manifest}`, '--key', 'author'];
      const { release } = await here.lane.sealane(['release', 'create', '--name', 'readings', '--version', version, ...words]);
      await here.lane.promote(release);
      return release;
    };

    /** Updates; the answer has to be the expected one, else its last check is shown. */
    const update = async (exit: number, expected: object): Promise<void> => {
      const answer = await here.site('update');
      expect(answer, JSON.stringify(answer.json?.checks?.at(-1) ?? answer.stderr)).toMatchObject({ exit, json: expected });
    };

    const settings = async (): Promise<unknown> =>
      (await cluster.get(MAPS)).items
        .map(({ metadata }: { metadata: { name: string } }) => metadata.name)
        .filter((name: string) => name.startsWith('settings'));

    const configure = (properties: readonly string[], kubeconfig: string | object = `${CONFIG}/kubeconfig`): void =>
      here.configure({
        driver: {
          use: 'kubernetes',
          kubeconfig,
          namespace: 'edge',
          admission: {},
          strays: 'stop',
          unit: { properties },
          // the workload is asked over the network, which the updater has not
          health: [{ tcp: `127.0.0.1:${cluster.port}` }, { command: ['/bin/bash', '-c', `exec 3<>/dev/tcp/127.0.0.1/${cluster.port}`] }],
          startSeconds: 60,
          start: undefined,
          stopGraceSeconds: undefined,
        },
      });

    /** A kubeconfig of this site, and what it names beside it, as `owner` alone may read them. */
    const giveKubeconfig = async (name: string, owner: string, user: object, ca64?: string): Promise<void> => {
      const authority = ca64 === undefined ? { 'certificate-authority': 'cluster-ca.crt' } : { 'certificate-authority-data': ca64 };
      const server = { server: `https://127.0.0.1:${cluster.port}`, ...authority };
      const config = {
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'site',
        clusters: [{ name: 'edge', cluster: server }],
        users: [{ name: 'site', user }],
        contexts: [{ name: 'site', context: { cluster: 'edge', user: 'site' } }],
      };
      const { ca, cert, key } = cluster.userFiles('harbour-7');
      const files = { [name]: JSON.stringify(config), 'cluster-ca.crt': ca, 'site.crt': cert, 'site.key': key };
      for (const [file, text] of Object.entries(files)) {
        writeFileSync(inMachine(`${CONFIG}/${file}`), text, { mode: 0o600 });
        await here.machine.must('chown', `${owner}:root`, `${CONFIG}/${file}`);
      }
    };

    const asUser = { 'client-certificate': 'site.crt', 'client-key': 'site.key' };

    beforeAll(async () => {
      dir = mkdtempSync(path.join(tmpdir(), 'sealane-b09-ki-'));
      mkdirSync(path.join(dir, 'cluster'));
      [cluster, here] = await Promise.all([startCluster(path.join(dir, 'cluster')), installSite()]);
      const rights = readFileSync(path.join(ROOT, 'docs', 'examples', 'kubernetes-rights.yaml'), 'utf8');
      for (const document of parseAllDocuments(rights)) {
        const object = document.toJS();
        expect(await cluster.send('POST', placeOf(object), object), object.kind).toBe(201);
      }
      await giveKubeconfig('kubeconfig', 'root', asUser);
      configure([]);
      await here.machine.must('systemctl', 'enable', '--now', APPLY);
    });

    afterAll(async () => {
      await cluster.stop();
      await here.stop();
      rmSync(dir, { recursive: true, force: true });
    });

    test('B9 B11 kubernetes: the installed service, which has no network, installs a set and the next one, removes what has left, and leaves no unit', async () => {
      expect(await here.show(APPLY, 'PrivateNetwork')).toBe('yes');
      const first = await publish('1.0.0');
      await update(0, { outcome: 'installed', release: first });
      const { spec, status } = await cluster.get(`${DEPLOYMENTS}/readings`);
      expect([spec.replicas, status.availableReplicas]).toEqual([2, 2]);
      await update(0, { outcome: 'installed', release: await publish('1.1.0'), previous: first });
      expect(await settings()).toEqual(['settings-1.1.0']);
      expect(
        await here.machine.must(
          'systemctl',
          'list-units',
          '--all',
          '--plain',
          '--no-legend',
          'sealane-{try,permit,apply,look,remove,strays}-harbour*',
        ),
      ).toBe('');
    });

    test('B9 B8 kubernetes: a set that does not come up goes back as a whole', async () => {
      const bad = await publish('1.2.0', { nodeSelector: { nowhere: 'yes' }, deadline: 2 });
      await update(7, { outcome: 'rolled-back', release: bad, reason: 'HEALTH_FAILED' });
      expect(await settings()).toEqual(['settings-1.1.0']);
      expect((await cluster.get(`${DEPLOYMENTS}/readings`)).spec.template.spec.nodeSelector).toBeUndefined();
    });

    test('B18 kubernetes: told by the installed service, the API server admits no pod of another image; what was edited is put back', async () => {
      expect(await cluster.send('POST', PODS, pod('foreign', FOREIGN))).toBe(422);
      expect(await cluster.send('PATCH', `${DEPLOYMENTS}/readings`, { spec: { replicas: 5 } })).toBe(200);
      await here.site('update');
      expect((await cluster.get(`${DEPLOYMENTS}/readings`)).spec.replicas).toBe(2);
      expect((await here.site('status')).json.strays).toMatchObject([{ what: 'apps/v1 Deployment  readings', did: 'put back' }]);
    });

    test('B9 kubernetes: rights that were taken away defer and say whose; given back, it goes on', async () => {
      const binding = await cluster.get(`${RIGHTS}/namespaces/edge/rolebindings/sealane-site`);
      expect(await cluster.send('DELETE', `${RIGHTS}/namespaces/edge/rolebindings/sealane-site`)).toBe(200);
      const next = await publish('1.3.0');
      const { exit, json } = await here.site('update');
      expect({ exit, json }).toMatchObject({ exit: 5, json: { outcome: 'deferred', reason: 'DRIVER_NOT_READY' } });
      expect(JSON.stringify(json)).toContain('\\"harbour-7\\" cannot');
      const { roleRef, subjects } = binding;
      expect(
        await cluster.send('POST', `${RIGHTS}/namespaces/edge/rolebindings`, {
          ...binding,
          metadata: { name: 'sealane-site' },
          roleRef,
          subjects,
        }),
      ).toBe(201);
      await update(0, { outcome: 'installed', release: next });
    });

    test('B9 B11 kubernetes: units run as a user of their own, who alone may read the kubeconfig', async () => {
      await giveKubeconfig('kubeconfig-of-daemon', 'daemon', asUser);
      configure(['User=daemon', 'NoNewPrivileges=yes', 'ProtectSystem=strict'], `${CONFIG}/kubeconfig-of-daemon`);
      await here.machine.must('systemctl', 'restart', APPLY);
      await update(0, { outcome: 'installed', release: await publish('1.4.0') });
      expect(await settings()).toEqual(['settings-1.4.0']);
      await here.machine.must('chown', 'root:root', `${CONFIG}/site.key`);
      await publish('1.5.0');
      await update(5, { outcome: 'deferred', reason: 'DRIVER_NOT_READY' });
    });

    test('B9 B11 kubernetes: a kubeconfig that systemd decrypts for the units of the cluster alone is in no file that they can read', async () => {
      const { ca, cert, key } = cluster.userFiles('harbour-7');
      const asData = (pem: string): string => Buffer.from(pem).toString('base64');
      await giveKubeconfig('kubeconfig', 'root', { 'client-certificate-data': asData(cert), 'client-key-data': asData(key) }, asData(ca));
      const sealed = '/etc/credstore.encrypted/kubeconfig';
      await here.machine.must('mkdir', '-p', '-m', '700', '/etc/credstore.encrypted');
      await here.machine.must('systemd-creds', 'encrypt', '--name=kubeconfig', '--with-key=host', `${CONFIG}/kubeconfig`, sealed);
      for (const file of ['kubeconfig', 'kubeconfig-of-daemon', 'site.key', 'site.crt', 'cluster-ca.crt'])
        await here.machine.must('rm', '-f', `${CONFIG}/${file}`);
      configure(['User=daemon', 'NoNewPrivileges=yes', 'ProtectSystem=strict'], { loadCredentialEncrypted: sealed });
      await here.machine.must('systemctl', 'restart', APPLY);
      await update(0, { outcome: 'installed', release: await publish('1.6.0') });
      expect(await settings()).toEqual(['settings-1.6.0']);
      await here.machine.must('rm', sealed);
      await publish('1.7.0');
      await update(5, { outcome: 'deferred', reason: 'DRIVER_NOT_READY' });
    });
  },
);

function configMap(name: string): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: 'b' } };
}

/** Where an object of these rights is made. */
function placeOf({
  apiVersion,
  kind,
  metadata,
}: {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly namespace?: string };
}): string {
  const base = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  const within = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${base}${within}/${kind.toLowerCase()}s`;
}
