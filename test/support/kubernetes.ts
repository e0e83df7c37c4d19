/** A real Kubernetes control plane on loopback, with a node whose pods come up without being run (kwok). */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from './free-port.js';
import { requireProgram } from './require-program.js';
import { runProgram } from './run.js';

const parts = ['control-plane', 'kwok', 'openssl'].map(requireProgram);
const [controlPlane, kwok] = parts;

/** Whether this machine has one: `describe.skipIf(!hasControlPlane)`. */
export const hasControlPlane = !parts.includes(undefined);

/** Longest that its start is waited for. */
const PATIENCE_MS = 120_000;

const TOKEN = 'administrator-of-a-test-on-loopback';

/** A cluster of one node. */
export interface TestCluster {
  readonly kubeconfig: string;
  /** An object, or undefined where there is none. `place` is a path below the server. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what is asserted is the shape itself
  get(place: string): Promise<any>;
  /** A client certificate of that name as PEM, and the authority by which the server is known. */
  userFiles(user: string): { readonly ca: string; readonly cert: string; readonly key: string };
  /** Where it listens, on loopback. */
  readonly port: number;
  /** A merge patch, or a removal, as anybody else would send it. */
  send(method: 'PATCH' | 'POST' | 'DELETE', place: string, body?: object): Promise<number>;
  stop(): Promise<void>;
}

/** Starts it in `dir`. */
export async function startCluster(dir: string): Promise<TestCluster> {
  for (const name of ['certs', 'etcd']) mkdirSync(path.join(dir, name), { recursive: true });
  const at = (name: string): string => path.join(dir, name);
  const [port, store, peer] = [await freePort(), await freePort(), await freePort()];
  const [managers, scheduler, nodes] = [await freePort(), await freePort(), await freePort()];
  const url = `https://127.0.0.1:${port}`;
  const openssl = (...words: readonly string[]): void => {
    execFileSync('openssl', words, { stdio: 'ignore', cwd: at('certs') });
  };
  openssl(
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=clients', '-days', '2'],
    ...['-keyout', 'clients.key', '-out', 'clients.crt'],
  );
  openssl('genrsa', '-out', 'sa.key', '2048');
  openssl('rsa', '-in', 'sa.key', '-pubout', '-out', 'sa.pub');
  writeFileSync(at('certs/tokens.csv'), `${TOKEN},admin,1,system:masters\n`);
  const children: ChildProcess[] = [];
  const start = (name: string, program: string, words: readonly string[]): void => {
    const log = openSync(at(`${name}.log`), 'w');
    children.push(spawn(program, words, { stdio: ['ignore', log, log], cwd: dir }));
  };
  const part = (name: string, ...words: readonly string[]): void => start(name, controlPlane ?? '', [name, ...words]);
  const storeUrl = `http://127.0.0.1:${store}`;
  const peerUrl = `http://127.0.0.1:${peer}`;
  part(
    'etcd',
    ...['--data-dir', at('etcd'), '--listen-client-urls', storeUrl, '--advertise-client-urls', storeUrl],
    ...[
      '--listen-peer-urls',
      peerUrl,
      '--initial-advertise-peer-urls',
      peerUrl,
      '--initial-cluster',
      `default=${peerUrl}`,
      '--unsafe-no-fsync',
    ],
  );
  part(
    'apiserver',
    ...[`--etcd-servers=${storeUrl}`, '--service-account-issuer=https://test', `--service-account-key-file=${at('certs/sa.pub')}`],
    ...[`--service-account-signing-key-file=${at('certs/sa.key')}`, `--token-auth-file=${at('certs/tokens.csv')}`],
    ...[`--client-ca-file=${at('certs/clients.crt')}`, '--authorization-mode=RBAC', `--cert-dir=${at('certs')}`],
    ...['--bind-address=127.0.0.1', `--secure-port=${port}`],
    ...['--service-cluster-ip-range=10.96.0.0/24', '--disable-admission-plugins=ServiceAccount'],
  );
  const kubeconfig = at('kubeconfig');
  const ready = performance.now() + PATIENCE_MS;
  // the server makes its certificate when it starts: it is its own authority
  const ask = async (method: string, place: string, body?: object): Promise<{ readonly status: number; readonly text: string }> => {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const words = [
      '-sS',
      '--cacert',
      at('certs/apiserver.crt'),
      '-X',
      method,
      '-H',
      `Authorization: Bearer ${TOKEN}`,
      '-w',
      '\n%{http_code}',
    ];
    const { stdout } = await runProgram('curl', [
      ...words,
      ...(body === undefined ? [] : ['-H', `Content-Type: ${type}`, '--data-binary', JSON.stringify(body)]),
      `${url}${place}`,
    ]);
    const cut = stdout.lastIndexOf('\n');
    return { status: Number(stdout.slice(cut + 1)), text: stdout.slice(0, cut) };
  };
  const until = async (place: string): Promise<void> => {
    while ((await ask('GET', place)).status !== 200) {
      if (performance.now() > ready)
        throw new Error(`start the API server: ${place} does not answer\n${readFileSync(at('apiserver.log'), 'utf8').slice(-2000)}`);
      await wait(200);
    }
  };
  await until('/readyz');
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'x',
      clusters: [{ name: 'c', cluster: { server: url, 'certificate-authority': 'certs/apiserver.crt' } }],
      users: [{ name: 'u', user: { token: TOKEN } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    }),
  );
  const common = [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--bind-address=127.0.0.1'];
  part(
    'controller-manager',
    ...common,
    `--secure-port=${managers}`,
    `--cert-dir=${at('certs/managers')}`,
    '--use-service-account-credentials=false',
  );
  part('scheduler', ...common, `--secure-port=${scheduler}`, `--cert-dir=${at('certs/scheduler')}`);
  start('kwok', kwok ?? '', [
    `--config=${path.join(path.dirname(kwok ?? ''), 'kwok-stages.yaml')}`,
    `--kubeconfig=${kubeconfig}`,
    '--manage-all-nodes=true',
    `--server-address=127.0.0.1:${nodes}`,
  ]);
  await ask('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'edge-1' } });
  await until('/api/v1/namespaces/default');
  return {
    kubeconfig,
    port,
    userFiles: (user) => {
      openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${user}`, '-keyout', `${user}.key`, '-out', `${user}.csr`);
      openssl(
        ...['x509', '-req', '-in', `${user}.csr`, '-CA', 'clients.crt', '-CAkey', 'clients.key', '-CAcreateserial'],
        ...['-days', '2', '-out', `${user}.crt`],
      );
      const pem = (name: string): string => readFileSync(at(`certs/${name}`), 'utf8');
      return { ca: pem('apiserver.crt'), cert: pem(`${user}.crt`), key: pem(`${user}.key`) };
    },
    get: async (place) => {
      const { status, text } = await ask('GET', place);
      return status === 200 ? (JSON.parse(text) as unknown) : undefined;
    },
    send: async (method, place, body) => (await ask(method, place, body)).status,
    stop: async () => {
      const running = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
      const ended = running.map((child) => new Promise((resolve) => child.once('exit', resolve)));
      for (const child of running) child.kill('SIGKILL');
      await Promise.all(ended);
    },
  };
}
