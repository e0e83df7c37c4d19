/** Real Podman with storage and configuration of its own, as it works without an init system: plain files, no cgroups of systemd, no network. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildImage, openLayout, packedFile } from '@sealane/oci';
import type { TestLane } from './lane.js';
import { requireProgram } from './require-program.js';
import { runProgram } from './run.js';

/** Where it is, or undefined: `describe.skipIf(podman === undefined)`. */
export const podman = requireProgram('podman');

/** A program for images that has no libraries around it. */
export const busybox = requireProgram('busybox');

/** An engine whose every file lies in one folder. */
export interface TestEngine {
  /** The words that call it, for site.yaml. */
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What it says; it must end with 0. */
  say(...words: readonly string[]): Promise<string>;
  /** Removes every pod, container and image. */
  clear(): Promise<void>;
}

/** containers.conf(5) of an engine in a container. */
export const ENGINE_CONF = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
keyring = false
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
`;

/** Makes an engine in `dir`; `more` is put into its environment. */
export function testEngine(dir: string, more: Readonly<Record<string, string>> = {}): TestEngine {
  mkdirSync(dir, { recursive: true });
  const conf = path.join(dir, 'containers.conf');
  writeFileSync(conf, ENGINE_CONF);
  const env = { CONTAINERS_CONF: conf, ...more };
  const words = [podman ?? '', '--root', path.join(dir, 'root'), '--runroot', path.join(dir, 'run'), '--storage-driver', 'vfs'];
  const say: TestEngine['say'] = async (...more) => {
    const ended = await runProgram(words[0] ?? '', [...words.slice(1), ...more], { env });
    if (ended.exit !== 0) throw new Error(`podman ${more.join(' ')}: expected exit 0, got ${ended.exit ?? ''}: ${ended.stderr}`);
    return ended.stdout;
  };
  return {
    words,
    env,
    say,
    clear: async () => {
      await say('pod', 'rm', '--all', '--force', '--time', '0');
      await say('rm', '--all', '--force', '--time', '0');
      await say('rmi', '--all', '--force');
    },
  };
}

/** An image with a shell in it; returns its reference and digest. */
export async function shellImage(folder: string, version: string): Promise<{ readonly reference: string; readonly digest: string }> {
  mkdirSync(folder, { recursive: true });
  const layout = await openLayout(folder, { create: 'if-missing' });
  const entries = [packedFile('bin/sh', readFileSync(busybox ?? ''), 'yes'), packedFile('srv/version', Buffer.from(`${version}\n`))];
  const platform = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };
  const { digest } = await buildImage(layout, { platform, layers: [entries], config: { Entrypoint: ['/bin/sh'] } });
  return { reference: `oci:${folder}@${digest}`, digest };
}

/** What a container runs for as long as it is let. */
export const FOREVER = 'trap "exit 0" TERM; while :; do sleep 0.2; done';

/** A release of one pod. `image` is the image as the manifest names it; by default the one that is a part of the release. */
export interface PodRelease {
  readonly version: string;
  readonly script: string;
  readonly image?: string | undefined;
  /** Secrets that it declares, and mounts at `/run/secrets`; or only mounts. */
  readonly secrets?: readonly string[];
  readonly declares?: readonly string[];
  /** Volumes that it claims, each mounted at `/NAME`. */
  readonly claims?: readonly string[];
  /** What its engine runs in the container to see how it is: words of a shell, as Podman 4.3 puts them together. */
  readonly probe?: string;
}

/** Makes a release of one pod that runs `script` in an image with a shell, and promotes it to prod. */
export async function publishPod(
  lane: TestLane,
  dir: string,
  { version, script, image, secrets = [], declares: declared = secrets, claims = [], probe }: PodRelease,
): Promise<string> {
  const built = await shellImage(path.join(dir, 'images', version), version);
  const folder = path.join(dir, 'manifests', version);
  mkdirSync(folder, { recursive: true });
  const manifest = path.join(folder, 'readings.yaml');
  writeFileSync(manifest, podOf(image ?? `registry.example/edge/readings@${built.digest}`, script, secrets, claims, probe));
  const declares = path.join(folder, '..', `${version}-declares.yaml`);
  writeFileSync(declares, JSON.stringify({ secrets: declared }));
  const more = declared.length === 0 ? [] : ['--declare', declares];
  const words = ['--image', `app=${built.reference}`, '--manifest', `pods=${manifest}`, ...more, '--key', 'author'];
  const { release } = await lane.sealane(['release', 'create', '--name', 'readings', '--version', version, ...words]);
  await lane.promote(release);
  return release;
}

function podOf(image: string, script: string, secrets: readonly string[], claims: readonly string[], probe?: string): string {
  const volumes = [
    ...(secrets.length > 0 ? [{ name: 'secrets', mountPath: '/run/secrets', of: { secret: { secretName: 'sealane' } } }] : []),
    ...claims.map((name) => ({ name, mountPath: `/${name}`, of: { persistentVolumeClaim: { claimName: name } } })),
  ];
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'readings', labels: { app: 'readings' } },
    spec: {
      restartPolicy: script.includes('sleep 0.2; exit') ? 'Always' : 'Never',
      containers: [
        {
          name: 'app',
          image,
          args: ['-c', script],
          envFrom: [{ configMapRef: { name: 'sealane' } }],
          resources: { limits: { memory: '64Mi' } },
          ...(probe !== undefined && { livenessProbe: { exec: { command: probe.split(' ') }, periodSeconds: 3600 } }),
          ...(volumes.length > 0 && { volumeMounts: volumes.map(({ name, mountPath }) => ({ name, mountPath })) }),
        },
      ],
      ...(volumes.length > 0 && { volumes: volumes.map(({ name, of }) => ({ name, ...of })) }),
    },
  });
}
