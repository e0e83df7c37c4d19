/** Row A11 through the commands: what manifests may not ask for is refused before it reaches a stage, by file and line. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeHome, PIPELINE, type TestHome } from '../../packages/promoter/src/testing/test-home.js';

const IMAGE = `registry.example/app@sha256:${'a'.repeat(64)}`;
const POD = `apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  containers:
    - name: app
      image: ${IMAGE}
      resources: { limits: { cpu: 500m, memory: 64Mi } }
`;
const COMPOSE = `services:
  web:
    image: ${IMAGE}
    mem_limit: 64m
    cpus: 0.5
    ports: ['127.0.0.1:8080:80']
`;
const QUADLET = `[Container]
Image=${IMAGE}
PodmanArgs=--memory 64m --cpus 0.5
`;
const WAIVER = `{ rule: host-network, manifest: waived, owner: network team, reason: multicast, expiresAt: '2099-01-01T00:00:00Z' }`;
const EXPIRED = `{ rule: host-network, manifest: late, owner: network team, reason: multicast, expiresAt: '2020-01-01T00:00:00Z' }`;

let home: TestHome;
let versions = 0;

beforeAll(async () => {
  const gates = `gates: [{ use: payload, with: { waivers: [${WAIVER}, ${EXPIRED}] } }]`;
  home = await makeHome(PIPELINE.replace('gates: [{ use: provenance }]', gates));
});

afterAll(() => home.stop());

/** Promotes a release of one manifest to dev; the check of the gate and the exit code. */
async function promote(file: string, text: string, name = 'manifest'): Promise<{ exit: number; check: { actual: string } }> {
  versions += 1;
  const parts = ['--manifest', `${name}=${home.file(file, text)}`];
  const made = await home.sealane(['release', 'create', '--name', 'web', '--version', `${versions}.0.0`, ...parts, '--key', 'author']);
  const { exit, json } = await home.run(['promote', made.release, '--to', 'dev']);
  return { exit, check: json.checks.find(({ id }: { id: string }) => id === 'payload') };
}

describe('A11 policy as code on the payload', () => {
  test.for([
    ['pod.yaml', POD],
    ['compose.yaml', COMPOSE],
    ['web.container', QUADLET],
  ] as const)('lets a %s in that asks for nothing', async ([file, text]) => {
    expect(await promote(file, text)).toMatchObject({ exit: 0, check: { verdict: 'pass' } });
  });

  test.for([
    ['pod.yaml', POD.replace('spec:\n', 'spec:\n  hostNetwork: true\n'), 'pod.yaml:5 host-network: Pod/web'],
    ['pod.yaml', POD.replace(IMAGE, `${IMAGE}\n      securityContext: { privileged: yes }`), 'pod.yaml:8 privileged'],
    ['pod.yaml', POD.replace('spec:\n', 'spec:\n  volumes: [{ name: v, hostPath: { path: / } }]\n'), 'pod.yaml:5 host-mount: Pod/web'],
    ['compose.yaml', COMPOSE.replace('    mem_limit', "    volumes: ['/etc:/host']\n    mem_limit"), 'compose.yaml:4 host-mount'],
    ['web.container', `${QUADLET}Volume=/etc:/host\n`, 'web.container:4 host-mount'],
    ['pod.yaml', POD.replace('limits: {', 'requests: {'), 'pod.yaml:8 unbounded-resources'],
    [
      'pod.yaml',
      `${POD}---\napiVersion: v1\nkind: Service\nmetadata: { name: s }\nspec: { type: NodePort }\n`,
      'pod.yaml:13 open-route: Service/s',
    ],
    [
      'pod.yaml',
      `${POD}---\napiVersion: v1\nkind: Secret\nmetadata: { name: s }\nstringData: { a: b }\n`,
      'pod.yaml:13 plaintext-secret: Secret/s',
    ],
    ['compose.yaml', COMPOSE.replace(`image: ${IMAGE}`, 'build: .'), 'compose.yaml:3 unpinned-image: service web'],
    ['compose.yaml', COMPOSE.replace('127.0.0.1:', ''), 'compose.yaml:6 open-route: service web'],
    ['web.container', `${QUADLET}Environment=DB_PASSWORD=hunter2\n`, 'web.container:4 plaintext-secret'],
    ['values.yaml', 'replicas: 3\n', 'values.yaml:1 cannot be judged'],
  ] as const)('refuses a %s, by file and line', async ([file, text, where]) => {
    expect(await promote(file, text)).toMatchObject({
      exit: 3,
      check: { verdict: 'fail', code: 'PAYLOAD_REFUSED', actual: expect.stringContaining(where) },
    });
  });

  test('a waiver of the owners’ policy lets one finding through until it expires', async () => {
    const text = POD.replace('spec:\n', 'spec:\n  hostNetwork: true\n');
    expect(await promote('pod.yaml', text, 'waived')).toMatchObject({ exit: 0, check: { actual: '1 manifest holds, 1 waived' } });
    expect(await promote('pod.yaml', text, 'late')).toMatchObject({ exit: 3, check: { code: 'PAYLOAD_REFUSED' } });
  });
});
