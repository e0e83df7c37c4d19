/** A machine of our own: a minimal Debian with its own systemd as first process, in a container. Made once, then laid under each machine. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Isolated } from './netns.js';
import { requireProgram } from './require-program.js';
import { type Ended, runProgram } from './run.js';

/** Where each minimal Debian is kept between runs; removing one makes the next run fetch it anew. */
const CACHE = process.env['SEALANE_MACHINE_CACHE'] ?? '/var/cache/sealane-test';

/** Debian 12, or 13, whose Podman has quadlet. */
export type Debian = 'bookworm' | 'trixie';

const PACKAGES = 'systemd,systemd-sysv,dbus,procps,podman,runc,catatonit,netavark';

/** A systemd of today starts under the first version of control groups only if it is told to, and lets PrivateNetwork= go where it may set up no network. */
const TRIXIE = [
  '--setenv=SYSTEMD_PROC_CMDLINE=systemd.unified_cgroup_hierarchy=0 SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1',
  '--capability=CAP_NET_ADMIN',
];

/** Longest that anything in here is waited for: a busy machine starts a program in seconds. */
const PATIENCE_MS = 180_000;

/** A booted machine. It has the network of this host, or that of a namespace. */
export interface Machine {
  /** Its root, as this host sees it. */
  readonly root: string;
  /** Runs a command in it as root, as an administrator would at its console. */
  run(...words: readonly string[]): Promise<Ended>;
  /** As `run`, but it must end with 0; returns its standard output. */
  must(...words: readonly string[]): Promise<string>;
  /** Runs a command again and again until it ends with 0 and says `expected`. */
  until(expected: RegExp, ...words: readonly string[]): Promise<string>;
  /** Process ids as this host sees them, of a process that the machine calls `pid`. */
  hostPid(pid: string): string;
  /** Reboots it in good order, or as if its power had been cut. */
  reboot(how: 'orderly' | 'power-cut'): Promise<void>;
  /** Waits until something in it reboots it, and for the boot after that. */
  rebooted(): Promise<void>;
  stop(): Promise<void>;
}

/** Whether this host can have one: root, debootstrap, systemd-nspawn, rsync. */
export function canBoot(): boolean {
  const programs = ['debootstrap', 'systemd-nspawn', 'nsenter', 'rsync'].map(requireProgram);
  return programs.every((program) => program !== undefined) && process.getuid?.() === 0;
}

/** Boots one, in the network of this host if no other is given. The caller stops it. */
export async function bootMachine(release: Debian = 'bookworm', network?: Isolated): Promise<Machine> {
  const base = debian(release);
  const dir = mkdtempSync(path.join(tmpdir(), 'sealane-machine-'));
  const at = (name: string): string => path.join(dir, name);
  for (const name of ['upper', 'work', 'root']) mkdirSync(at(name));
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${base},upperdir=${at('upper')},workdir=${at('work')}`, at('root')]);
  const group = path.basename(dir);
  const start = (): ChildProcess => boot(at('root'), release, group, network);
  let nspawn = start();
  const inside = (words: readonly string[]): readonly string[] => [
    ...['-t', String(leader(nspawn)), '-m', '-u', '-i', '-n', '-p', '-C', '--', '/usr/bin/env', '-i', '-C', '/'],
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    ...words,
  ];
  const run = (...words: readonly string[]): Promise<Ended> => runProgram('nsenter', inside(words));
  const machine: Machine = {
    root: at('root'),
    run,
    must: async (...words) => {
      const ended = await run(...words);
      if (ended.exit !== 0)
        throw new Error(`run ${words.join(' ')} in the machine: got exit ${ended.exit ?? ''}\n${ended.stdout}${ended.stderr}`);
      return ended.stdout;
    },
    until: (expected, ...words) => until(expected, words, run),
    hostPid: (pid) => hostPid(leader(nspawn), pid),
    reboot: async (how) => {
      if (how === 'orderly') {
        const ended = endOf(nspawn);
        await run('systemctl', 'reboot');
        await ended;
      } else {
        await killed(nspawn);
      }
      nspawn = start();
      await up(nspawn, run);
    },
    rebooted: async () => {
      await endOf(nspawn);
      nspawn = start();
      await up(nspawn, run);
    },
    stop: async () => {
      await killed(nspawn);
      removeGroup(group);
      execFileSync('umount', [at('root')]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
  await up(nspawn, run);
  return machine;
}

/** The minimal Debian, fetched from its mirrors where it is not here yet: some 40 s. */
function debian(release: Debian): string {
  const folder = path.join(CACHE, `${release}-podman`);
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  const temporary = `${folder}.${process.pid}`;
  execFileSync('debootstrap', ['--variant=minbase', `--include=${PACKAGES}`, release, temporary], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    renameSync(temporary, folder);
  } catch (error) {
    // another file of tests made it at the same time
    if (!existsSync(folder)) throw error;
    rmSync(temporary, { recursive: true });
  }
  return folder;
}

/** Starts it in a control group of its own: units of two machines in one would count each other's processes, and could not be stopped. */
function boot(root: string, release: Debian, group: string, network: Isolated | undefined): ChildProcess {
  const own = network === undefined ? [] : [`--network-namespace-path=/proc/${network.enter[2] ?? ''}/ns/net`, '--resolv-conf=off'];
  const words = ['-D', root, '-b', '--register=no', '--keep-unit', '--console=pipe', `--machine=${group}`, '--quiet', ...own];
  for (const folder of groupsOf(group)) makeGroup(folder);
  // no child before nspawn's own: its first one is the machine
  const join = 'for each in $0; do echo $$ > "$each/cgroup.procs"; done 2> /dev/null; exec systemd-nspawn "$@"';
  const inShell = ['-c', join, groupsOf(group).join(' '), ...words, ...(release === 'trixie' ? TRIXIE : [])];
  return spawn('sh', inShell, { stdio: ['ignore', 'ignore', 'ignore'] });
}

/** Where the hierarchy is read-only, the machine shares what this process is in. */
function makeGroup(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'EROFS' || error.code === 'EACCES'))) throw error;
  }
}

/** The folders of a control group: one, or one in each hierarchy of the first version. */
function groupsOf(group: string): readonly string[] {
  const root = '/sys/fs/cgroup';
  const hierarchies = existsSync(path.join(root, 'cgroup.procs')) ? [root] : readdirSync(root).map((name) => path.join(root, name));
  return hierarchies.map((folder) => path.join(folder, group));
}

/** What runs in it has been killed; groups go from the innermost outwards. */
function removeGroup(group: string): void {
  const folders = groupsOf(group).filter((folder) => existsSync(folder));
  if (folders.length > 0) spawnSync('find', [...folders, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';'], { stdio: 'ignore' });
}

/** With `--keep-unit` a reboot ends the container: who started it starts it again. */
function endOf(nspawn: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (nspawn.exitCode === null && nspawn.signalCode === null) nspawn.once('exit', () => resolve());
    else resolve();
  });
}

/** The first process of the machine; undefined before there is one. */
function leader({ pid }: ChildProcess): number | undefined {
  const file = `/proc/${pid ?? 0}/task/${pid ?? 0}/children`;
  const children = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  return children === '' ? undefined : Number(children.split(' ')[0]);
}

async function up(nspawn: ChildProcess, run: Machine['run']): Promise<void> {
  while (leader(nspawn) === undefined) await wait(50);
  await until(/^(?:running|degraded)$/m, ['sh', '-c', 'systemctl is-system-running || true'], run);
}

async function until(expected: RegExp, words: readonly string[], run: Machine['run']): Promise<string> {
  const late = performance.now() + PATIENCE_MS;
  for (;;) {
    const { exit, stdout, stderr } = await run(...words);
    if (exit === 0 && expected.test(stdout)) return stdout;
    if (performance.now() > late) throw new Error(`wait for ${String(expected)} of ${words.join(' ')}: got\n${stdout}${stderr}`);
    await wait(200);
  }
}

/** proc(5), `NSpid`: the same process in each namespace, ours first. */
function hostPid(first: number | undefined, pid: string): string {
  const pids = execFileSync('ps', ['-e', '-o', 'pid='], { encoding: 'utf8' })
    .split(/\s+/)
    .filter((word) => word !== '');
  const namespace = (of: string): string => readlinkSync(`/proc/${of}/ns/pid`);
  const wanted = namespace(String(first ?? ''));
  for (const each of pids) {
    try {
      const [, inner] = /^NSpid:.*\s(\d+)$/m.exec(readFileSync(`/proc/${each}/status`, 'utf8')) ?? [];
      if (inner === pid && each !== pid && namespace(each) === wanted) return each;
    } catch (error) {
      // it ended while it was looked at
      if (!(error instanceof Error)) throw error;
    }
  }
  throw new Error(`find process ${pid} of the machine: expected one, got none`);
}

async function killed(nspawn: ChildProcess): Promise<void> {
  const first = leader(nspawn);
  if (first === undefined) return;
  const ended = endOf(nspawn);
  process.kill(first, 'SIGKILL');
  nspawn.kill('SIGKILL');
  await ended;
}
