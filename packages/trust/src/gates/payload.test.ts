/** What manifests may not ask for: each rule in each format, by file and line, and that nothing unread ever passes. */
import { canonicalJson, type Digest, type JsonObject, sha256, utf8 } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import { gate, GateLane } from '../testing/gate-lane.js';
import { evaluateGates, validateGateConfig } from './index.js';
import { payloadGate } from './payload.js';

const HEX = 'a'.repeat(64);
const IMAGE = `registry.example/app@sha256:${HEX}`;
const LIMITS = '{ limits: { cpu: 500m, memory: 64Mi } }';
const POD = `apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  containers:
    - name: app
      image: ${IMAGE}
      resources: ${LIMITS}
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
PublishPort=127.0.0.1:8080:80
PodmanArgs=--memory 64m --cpus 0.5
`;

const LIMITLESS = QUADLET.replace(/PodmanArgs=.*\n/, '');
const BOUNDED = `${LIMITLESS}[Service]\nMemoryMax=64M\nCPUQuota=50%\n`;

/** A lane whose release has these manifests. */
function laneOf(files: Readonly<Record<string, string | Uint8Array>>, settings: JsonObject = {}): GateLane {
  const lane = new GateLane(gate('payload', settings));
  const put = (bytes: Uint8Array): Digest => {
    lane.blobs.set(sha256(bytes), bytes);
    return sha256(bytes);
  };
  lane.components = Object.entries(files).map(([title, content], at) => {
    const layer = put(typeof content === 'string' ? utf8(content) : content);
    const layers = [{ digest: layer, annotations: { 'org.opencontainers.image.title': title } }];
    return { name: `manifest-${at}`, kind: 'manifest' as const, digest: put(canonicalJson({ layers })) };
  });
  return lane;
}

const check = (lane: GateLane): ReturnType<GateLane['check']> => lane.check('payload', [payloadGate]);
const judge = (name: string, text: string, settings: JsonObject = {}): ReturnType<GateLane['check']> =>
  check(laneOf({ [name]: text }, settings));

describe('payload', () => {
  test('passes manifests of each format that ask for nothing', () => {
    expect(check(laneOf({ 'pod.yaml': POD, 'compose.yaml': COMPOSE, 'web.container': QUADLET }))).toMatchObject({
      verdict: 'pass',
      actual: '3 manifests hold',
    });
  });

  test.each([
    ['of the service', BOUNDED],
    ['behind flags of all kinds', QUADLET.replace('--memory', '-it --env A=b -l=c --memory-swap -1 --replace --memory')],
    ['in two lines', QUADLET.replace('--cpus', '\nPodmanArgs=--cpus')],
    ['the last of two', `${BOUNDED}MemoryMax=infinity\nMemoryMax=64M\n`],
    ['of podman in a control group of its own', QUADLET.replace('Image', 'CgroupsMode=enabled\nImage')],
  ])('passes a quadlet unit with limits %s', (_, text) => {
    expect(judge('web.container', text)).toMatchObject({ verdict: 'pass' });
  });

  test('passes annotations that engines do not act on, or that only confine', () => {
    const annotations = {
      'run.oci.keep_original_groups': '1',
      'io.podman.annotations.ulimit': 'nofile=1024:1024',
      'io.podman.annotations.kube.image.volumes.mount/app': IMAGE,
      'seccomp.security.alpha.kubernetes.io/pod': 'runtime/default',
    };
    expect(judge('pod.yaml', POD.replace('name: web', `name: web, annotations: ${JSON.stringify(annotations)}`))).toMatchObject({
      verdict: 'pass',
    });
  });

  test('passes volumes that the orchestrator makes, and refuses one of them that binds a folder of the host', () => {
    const volumes = 'volumes: [{ name: a, emptyDir: {} }, { name: b, persistentVolumeClaim: { claimName: c } }]';
    const made = {
      'pod.yaml': POD.replace('spec:\n', `spec:\n  ${volumes}\n`),
      'compose.yaml': COMPOSE.replace(
        '    mem_limit',
        "    volumes: ['data:/data', /cache, { type: volume, source: v, target: /v }]\n    mem_limit",
      ),
      'web.container': `${QUADLET}Volume=data.volume:/data\nVolume=/anonymous\nMount=type=tmpfs,destination=/tmp\n`,
      'data.volume': '[Volume]\nLabel=of=readings\n',
    };
    expect(check(laneOf(made))).toMatchObject({ verdict: 'pass' });
    const bound = '[Volume]\nType=none\nOptions=bind\nDevice=/srv\n';
    expect(check(laneOf({ ...made, 'data.volume': bound })).actual).toBe('data.volume:4 host-mount: data.volume, folder /srv of the host');
  });

  const pod = (from: string, to: string): string => {
    expect(POD).toContain(from);
    return POD.replace(from, to);
  };
  const inSpec = (lines: string): string => pod('spec:\n', `spec:\n${lines}\n`);
  const inContainer = (lines: string): string => pod(`      image: ${IMAGE}\n`, `      image: ${IMAGE}\n${lines}\n`);
  const object = (kind: string, rest: string): string =>
    `${POD}---\napiVersion: example/v1\nkind: ${kind}\nmetadata: { name: it }\n${rest}\n`;

  test.each([
    ['a tag', pod(IMAGE, 'registry.example/app:1.2'), 'pod.yaml:7 unpinned-image: Pod/web container app'],
    ['no tag', pod(IMAGE, 'app'), 'pod.yaml:7 unpinned-image'],
    ['a digest that is cut off', pod(HEX, HEX.slice(1)), 'pod.yaml:7 unpinned-image'],
    ['a variable', pod(IMAGE, '"$(IMAGE)"'), 'pod.yaml:7 unpinned-image'],
    ['no image', pod(`      image: ${IMAGE}\n`, ''), 'pod.yaml:6 unpinned-image'],
    [
      'a tag in an init container',
      inSpec('  initContainers: [{ name: init, image: busybox, resources: { limits: { cpu: 1, memory: 1Mi } } }]'),
      'pod.yaml:5 unpinned-image',
    ],
    [
      'a tag behind an alias',
      pod(`image: ${IMAGE}`, 'image: *old').replace('kind: Pod\n', 'kind: Pod\nx: &old nginx:1\n'),
      'pod.yaml:8 unpinned-image',
    ],
    [
      'a tag merged in',
      pod(`      image: ${IMAGE}\n`, '      <<: *old\n').replace('kind: Pod\n', 'kind: Pod\nx: &old { image: "nginx:1" }\n'),
      'unpinned-image',
    ],
    ['an image volume by tag', inSpec('  volumes: [{ name: v, image: { reference: "models:1" } }]'), 'pod.yaml:5 unpinned-image'],
    ['the host’s network', inSpec('  hostNetwork: true'), 'pod.yaml:5 host-network'],
    ['the host’s network in YAML 1.1', inSpec('  hostNetwork: yes'), 'pod.yaml:5 host-network'],
    [
      'a folder of the host',
      inSpec('  volumes: [{ name: v, hostPath: { path: /etc } }]'),
      'pod.yaml:5 host-mount: Pod/web, folder /etc of the host',
    ],
    [
      'a folder of the host in YAML',
      inSpec('  volumes:\n    - name: a\n      emptyDir: {}\n    - name: b\n      hostPath:\n        path: /'),
      'pod.yaml:9 host-mount',
    ],
    [
      'a volume that is a folder of the host',
      object('PersistentVolume', 'spec: { hostPath: { path: /srv } }'),
      'pod.yaml:13 host-mount: PersistentVolume/it, folder /srv',
    ],
    ['a volume that is a disk of the node', object('PersistentVolume', 'spec: { local: { path: /mnt/disk } }'), 'pod.yaml:13 host-mount'],
    ['the host’s processes', inSpec('  hostPID: true'), 'pod.yaml:5 privileged'],
    ['privilege', inContainer('      securityContext: { privileged: true }'), 'pod.yaml:8 privileged'],
    ['privilege as a text', inContainer('      securityContext: { privileged: "True" }'), 'pod.yaml:8 privileged'],
    ['all capabilities', inContainer('      securityContext: { capabilities: { add: [CAP_ALL] } }'), 'pod.yaml:8 privileged'],
    ['no limit of memory', pod(LIMITS, '{ limits: { cpu: 1 } }'), 'pod.yaml:8 unbounded-resources'],
    ['requests only', pod(LIMITS, '{ requests: { cpu: 1, memory: 1Gi } }'), 'pod.yaml:8 unbounded-resources'],
    ['a limit of zero', pod(LIMITS, '{ limits: { cpu: 1, memory: 0 } }'), 'pod.yaml:8 unbounded-resources'],
    ['a port of the host', inContainer('      ports: [{ containerPort: 80, hostPort: 80 }]'), 'pod.yaml:8 open-route'],
    ['a password in a variable', inContainer('      env: [{ name: DB_PASSWORD, value: hunter2 }]'), 'pod.yaml:8 plaintext-secret'],
    ['a password on a command line', inContainer('      args: ["--password=hunter2"]'), 'pod.yaml:8 plaintext-secret'],
    ['a pod in a custom kind', POD.replace('kind: Pod', 'kind: Rollout').replace(IMAGE, 'app:1'), 'pod.yaml:7 unpinned-image: Rollout/web'],
    [
      'a pod in a list',
      `apiVersion: v1\nkind: List\nitems:\n  - ${POD.replace(IMAGE, 'app:1').replaceAll('\n', '\n    ').trimEnd()}\n`,
      'pod.yaml:10 unpinned-image: Pod/web',
    ],
    ['a secret', object('Secret', 'stringData: { a: hunter2 }'), 'pod.yaml:13 plaintext-secret: Secret/it'],
    ['a password in a config map', object('ConfigMap', 'data: { "db.password": hunter2 }'), 'pod.yaml:13 plaintext-secret'],
    ['a private key', object('ConfigMap', 'data: { note: "-----BEGIN PRIVATE KEY-----" }'), 'pod.yaml:13 plaintext-secret'],
    ['a route in from everywhere', object('NetworkPolicy', 'spec: { ingress: [{}] }'), 'pod.yaml:13 open-route'],
    [
      'a route out to everywhere',
      object('NetworkPolicy', 'spec: { egress: [{ to: [{ ipBlock: { cidr: "::/0" } }] }] }'),
      'pod.yaml:13 open-route',
    ],
    ['the world, as Cilium says', object('CiliumNetworkPolicy', 'spec: { egress: [{ toEntities: [world] }] }'), 'pod.yaml:13 open-route'],
    ['a load balancer for all', object('Service', 'spec: { type: LoadBalancer }'), 'pod.yaml:13 open-route'],
    ['a port on every node', object('Service', 'spec: { type: NodePort }'), 'pod.yaml:13 open-route'],
    ['no confinement', inContainer('      securityContext: { seccompProfile: { type: Unconfined } }'), 'pod.yaml:8 privileged'],
    [
      'a label that SELinux does not hold',
      inContainer('      securityContext: { seLinuxOptions: { type: spc_t } }'),
      'pod.yaml:8 privileged',
    ],
    ...[
      ['run.oci.seccomp_bpf_data', 'AAAA', 'privileged'],
      ['run.oci.hooks.stderr', '/etc/passwd', 'privileged'],
      ['org.systemd.property.DevicePolicy', "'auto'", 'privileged'],
      ['io.katacontainers.config.hypervisor.path', '/bin/sh', 'privileged'],
      ['io.podman.annotations.userns', 'ns:/proc/1/ns/user', 'privileged'],
      ['io.podman.annotations.cid-file/app', '/etc/passwd', 'host-mount'],
      ['io.podman.annotations.volumes-from/app', 'database', 'host-mount'],
      ['io.podman.annotations.kube.image.volumes.mount/app', `${IMAGE};models:1`, 'unpinned-image'],
      ['io.kubernetes.cri-o.Devices', '/dev/fuse,/dev/sda:/dev/x', 'host-mount'],
      ['io.kubernetes.cri-o.UnifiedCgroup.app', 'memory.max=max', 'unbounded-resources'],
      ['seccomp-profile.kubernetes.cri-o.io/POD', 'registry.example/profile:1', 'unpinned-image'],
    ].map(([name = '', value = '', rule = '']): [string, string, string] => [
      `annotation ${name}`,
      pod('name: web', `name: web, annotations: { ${name}: ${JSON.stringify(value)} }`),
      `pod.yaml:3 ${rule}`,
    ]),
    ['a disk as a resource', pod('memory: 64Mi', 'memory: 64Mi, podman.io/device=/dev/sda: 1'), 'pod.yaml:8 host-mount'],
    [
      'no confinement by an annotation',
      pod('{ name: web }', '{ name: web, annotations: { io.podman.annotations.label/app: disable } }'),
      'pod.yaml:3 privileged',
    ],
    [
      'a folder of the host by an annotation',
      object('PersistentVolumeClaim', 'metadata: { name: it, annotations: { volume.podman.io/device: /etc } }').replace(
        'metadata: { name: it }\n',
        '',
      ),
      'host-mount: PersistentVolumeClaim/it, annotation volume.podman.io/device: /etc',
    ],
    ['a port of the host on every address, spelt otherwise', inContainer('      ports: [{ hostPort: 80, hostIP: "::0" }]'), 'open-route'],
    ['an ingress for every host name', object('Ingress', 'spec: { rules: [{ http: {} }] }'), 'pod.yaml:13 open-route'],
    [
      'pods without end',
      object('Deployment', 'spec: { replicas: 2147483647 }'),
      'pod.yaml:13 unbounded-resources: Deployment/it, replicas',
    ],
    ['pods without end, as Go writes it', object('Deployment', 'spec: { replicas: 2_147_483_647 }'), 'pod.yaml:13 unbounded-resources'],
    ['jobs without end', object('CronJob', 'spec: { jobTemplate: { spec: { parallelism: 5000 } } }'), 'pod.yaml:13 unbounded-resources'],
    [
      'an autoscaler without bounds',
      object('HorizontalPodAutoscaler', 'spec: { maxReplicas: 1000000 }'),
      'pod.yaml:13 unbounded-resources',
    ],
    [
      'ports without end',
      inContainer(`      ports: ${JSON.stringify(Array.from({ length: 1001 }, () => ({ containerPort: 1 })))}`),
      'pod.yaml:8 unbounded-resources: Pod/web, 1001 ports',
    ],
    [
      'a privileged pod that has init containers alone',
      pod('  containers:', '  hostPID: true\n  initContainers:'),
      'pod.yaml:5 privileged: Pod/web, hostPID',
    ],
    ['a tag in a pod that has init containers alone', pod('  containers:', '  initContainers:').replace(IMAGE, 'app:1'), 'unpinned-image'],
    [
      'a tag in the jobs of a cron job',
      object('CronJob', 'spec: { jobTemplate: { spec: { template: { spec: { initContainers: [{ image: busybox }] } } } } }'),
      'pod.yaml:13 unpinned-image: CronJob/it',
    ],
    [
      'a volume of git, whose hooks run on the host',
      inSpec('  volumes: [{ name: v, gitRepo: { repository: x } }]'),
      'pod.yaml:5 privileged',
    ],
    ['a volume of a driver of the host', inSpec('  volumes: [{ name: v, flexVolume: { driver: x/y } }]'), 'pod.yaml:5 privileged'],
  ])('refuses Kubernetes with %s, by file and line', (_, text, where) => {
    const refused = judge('pod.yaml', text);
    expect(refused).toMatchObject({ verdict: 'fail', code: 'PAYLOAD_REFUSED', actual: expect.stringContaining(where) });
  });

  const compose = (from: string, to: string): string => {
    expect(COMPOSE).toContain(from);
    return COMPOSE.replace(from, to);
  };
  const inService = (lines: string): string => compose('    mem_limit', `${lines}\n    mem_limit`);

  test.each([
    ['a tag', compose(IMAGE, 'app:1'), 'compose.yaml:3 unpinned-image: service web'],
    ['a variable in the image', compose(IMAGE, 'app:${TAG}'), 'compose.yaml:3 unpinned-image'],
    ['a build', compose(`image: ${IMAGE}`, 'build: .'), 'compose.yaml:3 unpinned-image'],
    ['services of another file', `include: [other.yaml]\n${COMPOSE}`, 'compose.yaml:1 unpinned-image'],
    ['privilege', inService('    privileged: true'), 'compose.yaml:4 privileged'],
    ['the host’s processes', inService('    pid: host'), 'compose.yaml:4 privileged'],
    ['a capability', inService('    cap_add: [SYS_ADMIN]'), 'compose.yaml:4 privileged'],
    ['no confinement', inService('    security_opt: ["seccomp:unconfined"]'), 'compose.yaml:4 privileged'],
    ['the host’s network', inService('    network_mode: host'), 'compose.yaml:4 host-network'],
    [
      'a folder of the host',
      inService("    volumes: ['data:/data', '/etc:/host:ro']"),
      'compose.yaml:4 host-mount: service web, folder /etc of the host',
    ],
    ['a folder beside the file', inService("    volumes: ['./data:/data']"), 'compose.yaml:4 host-mount'],
    ['a folder of a user', inService("    volumes: ['~/data:/data']"), 'compose.yaml:4 host-mount'],
    ['a folder of the host by other words', `${COMPOSE}volumes: { v: { driver_opts: { o: rbind, device: /etc } } }\n`, 'host-mount'],
    ['a disk of the host as a volume', `${COMPOSE}volumes: { v: { driver_opts: { type: ext4, device: /dev/sda1 } } }\n`, 'host-mount'],
    ['a disk of the host', inService('    devices: ["/dev/sda:/dev/xvda"]'), 'compose.yaml:4 host-mount'],
    ['disks by their numbers', inService('    device_cgroup_rules: ["b *:* rwm"]'), 'compose.yaml:4 privileged'],
    ['the host’s network as a default', inService('    network_mode: "${MODE:-host}"'), 'compose.yaml:4 host-network'],
    ['the host’s network by its name', `${COMPOSE}networks: { outside: { name: host, external: true } }\n`, 'host-network'],
    ['the host’s processes as a default', inService('    pid: "${PID:-host}"'), 'compose.yaml:4 privileged'],
    ['a capability as a default', inService('    cap_add: ["${CAP:-ALL}"]'), 'compose.yaml:4 privileged'],
    ['a privileged hook', inService('    post_start: [{ command: id, privileged: true }]'), 'compose.yaml:4 privileged'],
    ['the engine’s socket', inService('    use_api_socket: true'), 'compose.yaml:4 host-mount'],
    ['an image volume by tag', inService('    volumes: [{ type: image, source: "models:1", target: /m }]'), 'unpinned-image'],
    ['a port on an address as a default', compose("'127.0.0.1:8080:80'", "'${IP-0.0.0.0}:8080:80'"), 'compose.yaml:6 open-route'],
    ['a port on any address, spelt otherwise', compose("'127.0.0.1:8080:80'", "'[::0]:8080:80'"), 'compose.yaml:6 open-route'],
    ['a folder of Windows', inService("    volumes: ['C:\\\\data:/data']"), 'folder C:'],
    ['a folder that a variable names', inService("    volumes: ['${DATA}:/data']"), 'compose.yaml:4 host-mount'],
    ['a long bind', inService('    volumes: [{ type: bind, source: /run, target: /run }]'), 'compose.yaml:4 host-mount'],
    [
      'a volume that binds',
      `${COMPOSE}volumes: { v: { driver_opts: { type: none, o: "rw,bind", device: /srv } } }\n`,
      'compose.yaml:7 host-mount: volume v',
    ],
    ['no limit of memory', compose('    mem_limit: 64m\n', ''), 'compose.yaml:2 unbounded-resources'],
    ['no limit of cpu', compose('    cpus: 0.5\n', ''), 'compose.yaml:2 unbounded-resources'],
    ['a port on every address', compose("'127.0.0.1:8080:80'", "'8080:80'"), 'compose.yaml:6 open-route'],
    ['a port alone', compose("'127.0.0.1:8080:80'", '80'), 'compose.yaml:6 open-route'],
    ['a port on any address', compose("'127.0.0.1:8080:80'", "'[::]:8080:80'"), 'compose.yaml:6 open-route'],
    ['a long port without an address', compose("['127.0.0.1:8080:80']", '[{ target: 80, published: 80 }]'), 'compose.yaml:6 open-route'],
    ['a password in a map', inService('    environment: { DB_PASSWORD: hunter2 }'), 'compose.yaml:4 plaintext-secret'],
    ['a password in a list', inService('    environment: ["PGPASSWORD=hunter2"]'), 'compose.yaml:4 plaintext-secret'],
    [
      'a password as a default',
      inService('    environment: { DB_PASSWORD: "${DB_PASSWORD:-hunter2}" }'),
      'compose.yaml:4 plaintext-secret',
    ],
    ['an annotation', inService('    annotations: { run.oci.hooks.stdout: /etc/x }'), 'compose.yaml:4 privileged'],
    ['services without end', inService('    deploy: { replicas: 100000 }'), 'compose.yaml:4 unbounded-resources: service web, replicas'],
    ['services without end in other words', inService('    scale: 100000'), 'compose.yaml:4 unbounded-resources'],
    [
      'services without end in one that is called as free maps are',
      inService('    scale: 100000').replace('web:', 'data:'),
      'compose.yaml:4 unbounded-resources: service data, scale',
    ],
    ['as many services as a variable says', inService('    scale: "${N}"'), 'compose.yaml:4 unbounded-resources'],
    ['every port of an address', compose("'127.0.0.1:8080:80'", "'127.0.0.1:1-65535:1-65535'"), 'compose.yaml:6 unbounded-resources'],
    ['a file of the host as its variables', inService('    env_file: /etc/shadow'), 'compose.yaml:4 host-mount'],
    ['a file of the host as a secret', `${COMPOSE}secrets: { db: { file: /etc/shadow } }\n`, 'compose.yaml:7 host-mount: secrets db'],
    ['a file of the host as a config', `${COMPOSE}configs: { db: { file: ../../etc/shadow } }\n`, 'compose.yaml:7 host-mount'],
    ['volumes of a container of the host', inService('    volumes_from: ["container:db"]'), 'compose.yaml:4 host-mount'],
    ['a program as its runtime', inService('    runtime: /tmp/evil'), 'compose.yaml:4 privileged'],
    ['all of /proc', inService('    security_opt: ["unmask=ALL"]'), 'compose.yaml:4 privileged'],
    ['a root of the host, as podman-compose has it', inService('    x-podman.rootfs: /'), 'compose.yaml:4 host-mount'],
    ['flags of podman, as podman-compose has them', `x-podman: { pod_args: ["--pid=host"] }\n${COMPOSE}`, 'compose.yaml:1 privileged'],
    ['a model by tag', `models: { llm: { model: "ai/model:1" } }\n${COMPOSE}`, 'compose.yaml:1 unpinned-image: model llm'],
    [
      'a mount whose type is a variable',
      inService('    volumes: [{ type: "${T:-image}", source: "models:1", target: /m }]'),
      'compose.yaml:4 host-mount',
    ],
    ['a secret’s content', `${COMPOSE}secrets: { db: { content: hunter2 } }\n`, 'compose.yaml:7 plaintext-secret'],
  ])('refuses compose with %s, by file and line', (_, text, where) => {
    expect(judge('compose.yaml', text)).toMatchObject({ verdict: 'fail', code: 'PAYLOAD_REFUSED', actual: expect.stringContaining(where) });
  });

  test.each([
    ['a tag', QUADLET.replace(IMAGE, 'app:1'), 'web.container:2 unpinned-image: web.container, image app:1'],
    ['no image', QUADLET.replace(/Image=.*\n/, ''), 'web.container:1 unpinned-image'],
    ['the host’s network', `${QUADLET}Network=host\n`, 'web.container:5 host-network'],
    ['a folder of the host', `${QUADLET}Volume=/etc:/host:ro\n`, 'web.container:5 host-mount: web.container, folder /etc of the host'],
    ['the home of who runs it', `${QUADLET}Volume=%h/data:/data\n`, 'web.container:5 host-mount'],
    ['a bind', `${QUADLET}Mount=type=bind,source=/run,destination=/run\n`, 'web.container:5 host-mount'],
    ['a folder of the host as root', QUADLET.replace(`Image=${IMAGE}`, 'Rootfs=/srv/root'), 'web.container:2 host-mount'],
    ['a folder past the unit’s own keys', `${QUADLET}PodmanArgs=--volume /etc:/host\n`, 'web.container:5 host-mount'],
    ['a bind past the unit’s own keys', `${QUADLET}PodmanArgs=--mount=type=bind,src=/etc,dst=/x\n`, 'web.container:5 host-mount'],
    ['privilege', `${QUADLET}PodmanArgs=--privileged\n`, 'web.container:5 privileged'],
    ['privilege on the next line', `${QUADLET}PodmanArgs=--tty \\\n  --privileged\n`, 'web.container:5 privileged'],
    ['a capability', `${QUADLET}AddCapability=NET_RAW CAP_SYS_ADMIN\n`, 'web.container:5 privileged'],
    ['a port on every address', `${QUADLET}PublishPort=8080:80\n`, 'web.container:5 open-route'],
    ['the host’s network by its path', `${QUADLET}Network=ns:/proc/1/ns/net\n`, 'web.container:5 host-network'],
    ['a bind in quotes', `${QUADLET}Mount='type=bind','source=/etc',dst=/x\n`, 'web.container:5 host-mount'],
    ['a bind in escapes', `${QUADLET}Mount=type=bi\\x6ed,dst=/x\n`, 'web.container:5 host-mount'],
    ['an image that is mounted by tag', `${QUADLET}Mount=type=image,source=models:1,dst=/x\n`, 'web.container:5 unpinned-image'],
    ['a disk of the host', `${QUADLET}AddDevice=-/dev/sda1:/dev/x\n`, 'web.container:5 host-mount'],
    ['privilege in quotes', `${QUADLET}PodmanArgs="--privileged"\n`, 'web.container:5 privileged'],
    ['a folder behind its letter', `${QUADLET}PodmanArgs=-itv/etc:/host\n`, 'web.container:5 host-mount'],
    ['no confinement', `${QUADLET}PodmanArgs=--security-opt seccomp=unconfined\n`, 'web.container:5 privileged'],
    ['every port', `${QUADLET}PodmanArgs=-P\n`, 'web.container:5 open-route'],
    ['a capability in quotes', `${QUADLET}AddCapability="CAP_SYS_ADMIN"\n`, 'web.container:5 privileged'],
    ['a command of the host', `${QUADLET}[Service]\nExecStartPre=/bin/sh\n`, 'web.container:6 privileged'],
    ['a password whose name is in quotes', `${QUADLET}Environment="DB_PASSWORD"=hunter2\n`, 'web.container:5 plaintext-secret'],
    [
      'an image that a variable makes of a mount',
      `${QUADLET}Mount=type=\${X}image,source=models,dst=/x\n`,
      'web.container:5 unpinned-image',
    ],
    ['an image that a specifier makes of a mount', `${QUADLET}Mount=type=%p,source=models,dst=/x\n`, 'web.container:5 unpinned-image'],
    ['a flag in place of a value that is none', `${QUADLET}HostName=$X\nAnnotation=--privileged=true\n`, 'web.container:5 privileged'],
    ['flags in a variable', `${QUADLET}PodmanArgs=--tty $X\n[Service]\nEnvironment=X=--privileged\n`, 'web.container:5 privileged'],
    ['a line in a mount', `${QUADLET}Mount='type=volume,"source=a\\nExecStartPre=/bin/sh",dst=/x'\n`, 'web.container:5 privileged'],
    ['what SELinux does not hold', `${QUADLET}SecurityLabelType=spc_t\n`, 'web.container:5 privileged'],
    ['all of /proc by a variable', `${QUADLET}Unmask=A\${X}LL\n`, 'web.container:5 privileged'],
    ['no limit of memory', QUADLET.replace('--memory 64m', ''), 'web.container:1 unbounded-resources'],
    ['a limit that is the value of another flag', QUADLET.replace('--memory', '--label --memory'), 'web.container:1 unbounded-resources'],
    ['a limit behind a flag without its value', QUADLET.replace('--memory', '--env\nPodmanArgs=--memory'), 'web.container:1 unbounded-res'],
    ['a limit that a later one takes away', `${QUADLET}PodmanArgs=--memory=0\n`, 'web.container:1 unbounded-resources'],
    ['a limit behind the image', `${LIMITLESS}PodmanArgs=-t -- --memory 64m --cpus 1\n`, 'web.container:1 unbounded-resources'],
    ['a limit of another section', `${LIMITLESS}[X-Service]\nMemoryMax=1G\nCPUQuota=5%\n`, 'web.container:1 unbounded-resources'],
    [
      'a limit of the service that is lifted',
      `${BOUNDED}MemoryMax=infinity\n`,
      'web.container:1 unbounded-resources: web.container, no limit of m',
    ],
    ['a limit of the service alone', BOUNDED.replace('Image', 'CgroupsMode=enabled\nImage'), 'web.container:1 unbounded-resources'],
    ['no control group', QUADLET.replace('--memory', '--cgroups=disabled --memory'), 'web.container:1 unbounded-resources'],
    ['another image', `${QUADLET}PodmanArgs=--tty other.example/app:1\n`, 'web.container:5 unpinned-image'],
    ['a flag that takes the image for its value', `${QUADLET}PodmanArgs=--label\nExec=other:1\n`, 'web.container:5 unpinned-image'],
    ['another command', `${QUADLET}GlobalArgs=run other:1\n`, 'web.container:5 privileged'],
    ['volumes of another container', `${QUADLET}PodmanArgs=--volumes-from db\n`, 'web.container:5 host-mount'],
    ['a file of the host that is written', `${QUADLET}LogOpt=path=/etc/passwd\n`, 'web.container:5 host-mount'],
    [
      'a file of the host that its end removes',
      `${QUADLET}Annotation=io.podman.annotations.cid-file=/etc/passwd\n`,
      'web.container:5 host-m',
    ],
    ['a file that hooks write', `${QUADLET}PodmanArgs=--annotation run.oci.hooks.stdout=/etc/x\n`, 'web.container:5 privileged'],
    ['every port of an address', `${QUADLET}PublishPort=127.0.0.1:1-65535:1-65535\n`, 'web.container:5 unbounded-resources'],
    ['a file of the host as its variables', `${QUADLET}EnvironmentFile=/etc/shadow\n`, 'web.container:5 host-mount'],
    ['variables of a file, past its keys', `${QUADLET}PodmanArgs=--env-file /etc/shadow\n`, 'web.container:5 host-mount'],
    ['a log that is a file of the host', `${QUADLET}[Service]\nStandardOutput=append:/etc/cron.d/x\n`, 'web.container:6 host-mount'],
    ['the loopback of the host', `${QUADLET}Network=slirp4netns:allow_host_loopback=true\n`, 'web.container:5 host-network'],
    ['a port of the loopback of the host', `${QUADLET}Network=pasta:-T,5432\n`, 'web.container:5 host-network'],
    ['a network that writes a file of the host', `${QUADLET}Network=pasta:--log-file,/etc/x\n`, 'web.container:5 host-network'],
    ['a control group without its bounds', `${QUADLET}PodmanArgs=--cgroup-conf=memory.max=max\n`, 'web.container:5 unbounded-resources'],
    ['all of /proc, past its keys', `${QUADLET}PodmanArgs=--security-opt unmask=ALL\n`, 'web.container:5 privileged'],
    ['an artifact by tag', `${QUADLET}Mount=type=artifact,source=models:1,dst=/x\n`, 'web.container:5 unpinned-image'],
    ['a password', `${QUADLET}Environment=MODE=x "DB_PASSWORD=hunter2"\n`, 'web.container:5 plaintext-secret'],
  ])('refuses a quadlet unit with %s, by file and line', (_, text, where) => {
    expect(judge('web.container', text)).toMatchObject({
      verdict: 'fail',
      code: 'PAYLOAD_REFUSED',
      actual: expect.stringContaining(where),
    });
  });

  test.each([
    ['data.volume', '[Volume]\n[Service]\nExecStartPre=/bin/sh\n', 'data.volume:3 privileged'],
    ['plant.network', '[Network]\n[Service]\nExecStopPost=/bin/sh\n', 'plant.network:3 privileged'],
    ['app.image', `[Image]\nImage=${IMAGE}\n[Service]\nExecStartPre=/bin/sh\n`, 'app.image:4 privileged'],
    ['data.volume', '[Volume]\nGlobalArgs=--module=/tmp/evil.conf\n', 'data.volume:2 privileged'],
    ['data.volume', '[Volume]\nPodmanArgs=--driver image --opt image=other:1\n', 'data.volume:2 unpinned-image'],
    ['data.volume', '[Volume]\nPodmanArgs=--opt o=b\\x69nd --opt dev\\x69ce=/etc\n', 'data.volume:2 host-mount'],
    ['app.pod', '[Pod]\nPodmanArgs=--infra-image other:1\n', 'app.pod:2 unpinned-image'],
    ['app.artifact', '[Artifact]\nArtifact=models:1\n', 'app.artifact:2 unpinned-image'],
    ['app.kube', '[Kube]\nYaml=a.yaml\nConfigMap=/etc/x\n', 'app.kube:3 host-mount'],
  ])('refuses a unit %s with %j', (name, text, where) => {
    expect(judge(name, text)).toMatchObject({ verdict: 'fail', code: 'PAYLOAD_REFUSED', actual: expect.stringContaining(where) });
  });

  test('passes what is merged in before what is written out, and beside it', () => {
    const merged = `x: &x { image: other }\n${COMPOSE.replace('web:', 'web:\n    <<: *x')}`;
    expect(judge('compose.yaml', merged)).toMatchObject({ verdict: 'pass' });
    expect(judge('compose.yaml', `x: &x { user: "1" }\n${COMPOSE}    <<: *x\n`)).toMatchObject({ verdict: 'pass' });
  });

  test.each([
    ['no manifest at all', {}, 'the release has no manifest'],
    ['an empty file', { 'pod.yaml': '' }, 'pod.yaml:1 cannot be judged'],
    ['comments only', { 'pod.yaml': '# nothing\n' }, 'cannot be judged'],
    ['YAML of another kind', { 'values.yaml': 'replicas: 3\n' }, 'values.yaml:1 cannot be judged: it is neither'],
    ['one good document and one of another kind', { 'pod.yaml': `${POD}---\nhello: 1\n` }, 'cannot be judged'],
    [
      'a field as only Podman reads it',
      { 'pod.yaml': POD.replace('    - name', '    - securityContext: { Privileged: true }\n      name') },
      'pod.yaml:6 cannot be judged: field Privileged',
    ],
    ...['\r', '\u0085', '\u2028', '\u2029'].map((end): [string, Record<string, string>, string] => [
      `a line that ends where only Go sees it, at ${JSON.stringify(end)}`,
      { 'pod.yaml': POD.replace('spec:\n', `spec:\n  # a note${end}  hostNetwork: true\n`) },
      'pod.yaml:5 cannot be judged: it has a character that parsers read differently',
    ]),
    [
      'a key in a spelling that only Go decodes',
      { 'pod.yaml': POD.replace('spec:\n', 'spec:\n  !!binary aG9zdE5ldHdvcms=: true\n') },
      'pod.yaml:5 cannot be judged: it has a tag',
    ],
    ...["'<<'", '! <<', '!!str <<'].map((key): [string, Record<string, string>, string] => [
      `what not everybody merges in, by ${key}`,
      { 'pod.yaml': POD.replace('spec:\n', `spec:\n  ${key}: { hostNetwork: true }\n`) },
      'pod.yaml:5 cannot be judged',
    ]),
    [
      'an image that kubectl merges in over it',
      { 'pod.yaml': `${POD.replace('kind: Pod\n', 'kind: Pod\nx: &x { image: other }\n')}      <<: *x\n` },
      'pod.yaml:10 cannot be judged: it has a <<',
    ],
    [
      'two that are merged in',
      { 'compose.yaml': `x: &x { image: ${IMAGE} }\ny: &y { image: other }\n${COMPOSE.replace(/ {4}image:.*/, '    <<: *x\n    <<: *y')}` },
      'cannot be judged: it has a <<',
    ],
    [
      'a compose file that says of itself that it is of Kubernetes',
      { 'compose.yaml': `apiVersion: v1\nkind: Pod\n${COMPOSE.replace(IMAGE, 'other')}` },
      'cannot be judged',
    ],
    [
      'containers as only Podman reads them',
      { 'pod.yaml': POD.replace('spec:', 'spec:\n  Containers: []') },
      'pod.yaml:5 cannot be judged',
    ],
    ['a count that only Podman reads', { 'pod.yaml': POD.replace('spec:', 'spec:\n  Replicas: 100000') }, 'pod.yaml:5 cannot be judged'],
    [
      'a field with a letter that only Go takes for another',
      { 'pod.yaml': POD.replace('spec:', 'spec:\n  ho\u017ftNetwork: true') },
      'pod.yaml:5 cannot be judged',
    ],
    [
      'a line that ends where only systemd sees it',
      { 'web.container': `${QUADLET}Label=a\rPodmanArgs=--privileged\n` },
      'web.container:5 cannot be judged',
    ],
    [
      'a line that goes on for nobody else',
      { 'web.container': `${QUADLET}Label=a\\ \nPodmanArgs=--privileged\n` },
      'web.container:5 cannot be judged',
    ],
    ['YAML that does not parse', { 'pod.yaml': `${POD}  bad: [\n` }, 'cannot be judged'],
    ['a key twice', { 'pod.yaml': POD.replace('kind: Pod', 'kind: Pod\nkind: Pod') }, 'pod.yaml:3 cannot be judged'],
    ['a template', { 'pod.yaml': POD.replace(IMAGE, '{{ .Values.image }}') }, 'cannot be judged'],
    ['bytes that are no text', { 'pod.yaml': new Uint8Array([0xff, 0xfe]) }, 'cannot be judged: it is not UTF-8'],
    [
      'a bomb of aliases',
      {
        'pod.yaml': `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c]\n`,
      },
      'cannot be judged',
    ],
    ['a quadlet unit with a stray line', { 'web.container': `${QUADLET}what is this\n` }, 'web.container:5 cannot be judged'],
    ['a good one beside a bad one', { 'a.yaml': POD, 'b.yaml': POD.replace(IMAGE, 'app:1') }, 'b.yaml:7 unpinned-image'],
  ])('refuses %s', (_, files, why) => {
    expect(check(laneOf(files as Record<string, string>))).toMatchObject({
      verdict: 'fail',
      code: 'PAYLOAD_REFUSED',
      actual: expect.stringContaining(why),
    });
  });

  test('judges a file by the name under which sites lay it down, though it can be read as something else too', () => {
    const both = `;x: |\n  [Container]\n  Image=${IMAGE}\n  PodmanArgs=--memory 64m --cpus 0.5\n  Network=host\n  A=b: \\\n${POD.replaceAll('\n', ' # \\\n')}`;
    const under = (component: string, title: string): string => {
      const lane = laneOf({ [title]: both });
      lane.components = lane.components.map((part) => ({ ...part, name: component }));
      return check(lane).actual;
    };
    expect(under('pods', 'pod.yaml')).toBe('1 manifest holds');
    expect(under('pods', 'web.container')).toContain('web.container:5 host-network');
    expect(under('web.container', 'a folder/pod.yaml')).toContain('web.container:5 host-network');
  });

  test('refuses a manifest that is not there, or has other bytes', () => {
    const [missing, other] = [laneOf({ 'pod.yaml': POD }), laneOf({ 'pod.yaml': POD })];
    missing.blobs.delete(sha256(utf8(POD)));
    other.blobs.set(sha256(utf8(POD)), utf8('kind: Pod\n'));
    expect(check(missing)).toMatchObject({ verdict: 'fail', code: 'CONTENT_MISSING' });
    expect(check(other)).toMatchObject({ verdict: 'fail', code: 'CONTENT_DIGEST' });
  });

  test('passes what looks like one of these and is none', () => {
    const held = {
      'pod.yaml': `${POD}---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: it, labels: { Name: it } }\ndata: { Image: any, Path: /etc }\n`,
      'compose.yaml': `${COMPOSE}    devices: ["/dev/ttyUSB0:/dev/ttyUSB0", "vendor.example/gpu=all"]\nvolumes: { v: { driver_opts: { type: cifs, device: //server/share } } }\n`,
      'web.container': `${QUADLET}AddDevice=/dev/ttyUSB0\nEnvironment="A=b c" D=\\"e\n`,
    };
    expect(check(laneOf(held))).toMatchObject({ verdict: 'pass' });
  });

  test('a rule is switched off by policy only, and the others still hold', () => {
    const text = POD.replace(IMAGE, 'app:1').replace('spec:\n', 'spec:\n  hostNetwork: true\n');
    const refused = judge('pod.yaml', text, { rules: { 'unpinned-image': 'allow' } });
    expect(refused.actual).toBe('pod.yaml:5 host-network: Pod/web, hostNetwork');
    expect(judge('pod.yaml', text, { rules: { 'unpinned-image': 'allow', 'host-network': 'allow' } }).verdict).toBe('pass');
  });

  test('a waiver lets one finding through, with an owner and until it expires', () => {
    const text = POD.replace('spec:\n', 'spec:\n  hostNetwork: true\n  hostPID: true\n');
    const waiver = {
      rule: 'host-network',
      manifest: 'manifest-0',
      object: 'Pod/web',
      owner: 'net',
      reason: 'multicast',
      expiresAt: '2026-11-24T10:00:01Z',
    };
    expect(judge('pod.yaml', text, { waivers: [waiver] }).actual).toBe('pod.yaml:6 privileged: Pod/web, hostPID');
    const both = { waivers: [waiver, { ...waiver, rule: 'privileged' }] };
    expect(judge('pod.yaml', text, both)).toMatchObject({ verdict: 'pass', actual: '1 manifest holds, 2 waived' });
    for (const other of [{ expiresAt: '2026-11-24T10:00:00Z' }, { manifest: 'manifest-1' }, { object: 'Pod/db' }])
      expect(judge('pod.yaml', text, { waivers: [{ ...waiver, ...other }] }).actual).toContain('host-network');
  });

  test.each([
    [{ waivers: [{ rule: 'privileged', manifest: 'x', reason: 'y', expiresAt: '2027-01-01T00:00:00Z' }] }],
    [{ waivers: [{ rule: 'privileged', manifest: 'x', owner: 'o', reason: 'y' }] }],
    [{ waivers: [{ rule: 'privileged', manifest: 'x', owner: 'o', reason: 'y', expiresAt: 'never' }] }],
    [{ rules: { privileged: 'off' } }],
    [{ rules: { privilege: 'allow' } }],
  ])('settings %j are refused when the pipeline is read', (settings) => {
    expect(() => validateGateConfig('payload', settings, [payloadGate])).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(judge('pod.yaml', POD, settings)).toMatchObject({ verdict: 'error', code: 'GATE_ERROR' });
  });

  test('a release without manifests passes only where policy says so', () => {
    expect(check(laneOf({}, { noManifests: 'allow' })).verdict).toBe('pass');
  });

  test('a program that has not loaded the gate refuses', () => {
    expect(evaluateGates(laneOf({ 'pod.yaml': POD }).input()).at(-1)).toMatchObject({
      id: 'payload',
      verdict: 'error',
      code: 'GATE_UNKNOWN',
    });
  });
});
