/** Real Podman with storage and configuration of its own, as it works without an init system: plain files, no cgroups of systemd, no network. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildImage, openLayout, packedFile } from '@sealane/oci';
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

/** Makes an engine in `dir`. */
export function testEngine(dir: string): TestEngine {
  mkdirSync(dir, { recursive: true });
  const conf = path.join(dir, 'containers.conf');
  writeFileSync(
    conf,
    [
      '[containers]',
      'default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]',
      '[engine]',
      'cgroup_manager = "cgroupfs"',
      'runtime = "runc"',
      'events_logger = "file"',
      '',
    ].join('\n'),
  );
  const env = { CONTAINERS_CONF: conf };
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
