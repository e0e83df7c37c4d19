/** A machine of QEMU's that runs one script as its first process: Debian's cloud kernel, busybox, this Node, and disks whose every write and flush is logged. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { requireProgram } from '../support/require-program.js';
import { type CpioEntry, file, folder, link, pack } from './cpio.js';

/** Where Debian's cloud kernel lies as its package has it: unpacked for this, or installed. */
const KERNELS = [process.env['SEALANE_KERNEL'] ?? '/usr/local/lib/sealane-kernel', '/'];

/** Modules that the kernel needs for its disks, in this order. */
const MODULES = ['virtio_ring', 'virtio', 'virtio_pci_legacy_dev', 'virtio_pci_modern_dev', 'virtio_pci', 'virtio_blk'];

/** The machine is emulated, on whatever else runs here: what takes half a second elsewhere may take twenty. */
const LIMIT_MS = 20 * 60_000;

const PROGRAMS = ['qemu-system-x86_64', 'busybox', 'mke2fs', 'mount', 'ldd'];

/** Why no machine can run here, or undefined. */
export function whyNoMachine(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'needs Linux on x86-64';
  const missing = PROGRAMS.find((name) => requireProgram(name) === undefined);
  if (missing !== undefined) return `needs ${missing}`;
  if (process.getuid?.() !== 0) return 'needs root to mount disks';
  if (kernel() !== undefined) return undefined;
  if (process.env['SEALANE_REQUIRE'] === 'all')
    throw new Error(`find a cloud kernel: expected one below ${KERNELS.join(' or ')}, got nothing`);
  return "needs Debian's cloud kernel";
}

function kernel(): { readonly image: string; readonly modules: string } | undefined {
  for (const root of KERNELS) {
    const boot = path.join(root, 'boot');
    const name = existsSync(boot) ? readdirSync(boot).find((one) => /^vmlinuz-.*-cloud-amd64$/.test(one)) : undefined;
    if (name !== undefined)
      return { image: path.join(boot, name), modules: path.join(root, 'lib', 'modules', name.slice('vmlinuz-'.length), 'kernel') };
  }
  return undefined;
}

/** A disk of the machine: `image` is changed, `log` is made. */
export interface LoggedDisk {
  readonly image: string;
  readonly log: string;
}

/** Files and folders of this host, found in the machine under the same paths. */
export function carried(...roots: readonly string[]): readonly CpioEntry[] {
  return roots.flatMap((root) =>
    readdirSync(root, { recursive: true, withFileTypes: true }).flatMap((entry) => {
      const at = path.join(entry.parentPath, entry.name);
      if (entry.isDirectory()) return [folder(at)];
      return entry.isFile() ? [file(at, readFileSync(at))] : [];
    }),
  );
}

/** Programs of `dist/` whose names begin so, with `bin/`: as they were built last, and nothing that builds before have left there, since a machine has all this in memory. */
export function carriedPrograms(root: string, name: string): readonly CpioEntry[] {
  const dist = path.join(root, 'dist');
  const chunks = new Set(readdirSync(path.join(dist, 'chunks')));
  const found = new Set(readdirSync(dist).filter((one) => one.startsWith(name) || one === 'load-compiled.mjs'));
  // grows while it is walked
  for (const one of found) {
    const named = [...readFileSync(path.join(dist, one), 'latin1').matchAll(/[\w.-]+\.cjs/g)].flatMap(([chunk]) => [
      chunk,
      `${chunk}.code`,
    ]);
    for (const part of named.filter((each) => chunks.has(each))) found.add(path.join('chunks', part));
  }
  return [...carried(path.join(root, 'bin')), ...[...found].map((one) => file(path.join(dist, one), readFileSync(path.join(dist, one))))];
}

/** What a script said, and the bytes in the log of each disk when it said `mark NAME`. */
export interface Said {
  readonly text: string;
  readonly marks: ReadonlyMap<string, readonly number[]>;
}

/** Boots, runs a script of busybox's shell to its end, turns the machine off. After each `mark NAME` the script reads a line: the log waits with it. */
export async function runInMachine(dir: string, script: string, more: readonly CpioEntry[], disks: readonly LoggedDisk[]): Promise<Said> {
  const found = kernel();
  if (found === undefined) throw new Error('boot a machine: expected a kernel, got none');
  const root = path.join(dir, 'root.cpio');
  writeFileSync(root, pack([...system(found.modules), file('/script', script, 0o755), ...more]));
  for (const { log } of disks) writeFileSync(log, '');
  const words = [
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-accel', 'tcg', '-cpu', 'max', '-m', '768'],
    ...['-kernel', found.image, '-initrd', root, '-append', 'console=ttyS0 quiet loglevel=1 panic=-1 mitigations=off'],
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    ...disks.flatMap(({ image, log }, number) => [
      '-blockdev',
      JSON.stringify({
        driver: 'blklogwrites',
        'node-name': `disk${number}`,
        // the log says what the machine flushed; that this host flushes as well helps nobody
        file: { driver: 'file', filename: image, cache: { direct: false, 'no-flush': true } },
        log: { driver: 'file', filename: log, cache: { direct: false, 'no-flush': true } },
      }),
      ...['-device', `virtio-blk-pci,drive=disk${number}`],
    ]),
  ];
  const marks = new Map<string, readonly number[]>();
  const { end, text } = await talk(words, (name) =>
    marks.set(
      name,
      disks.map(({ log }) => statSync(log).size),
    ),
  );
  rmSync(root);
  if (end !== 0 || !text.includes(`${OFF}\n`))
    throw new Error(`run a machine: expected it to turn itself off, got ${end ?? 'its end by a signal'}\n${text}`);
  return { text, marks };
}

/** The last that a machine says. */
const OFF = 'the machine turns off';

/** Runs the machine; answers each mark that it writes on its console. */
function talk(words: readonly string[], mark: (name: string) => void): Promise<{ end: number | null; text: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('qemu-system-x86_64', words, { stdio: ['pipe', 'pipe', 'inherit'], timeout: LIMIT_MS, killSignal: 'SIGKILL' });
    let [text, line] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece.replaceAll('\r', '');
      const lines = `${line}${piece}`.replaceAll('\r', '').split('\n');
      line = lines.pop() ?? '';
      for (const one of lines) {
        const [word, name] = one.split(' ');
        if (word !== 'mark' || name === undefined) continue;
        mark(name);
        child.stdin.write('\n');
      }
    });
    child.on('error', reject);
    child.on('close', (end) => resolve({ end, text }));
  });
}

const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/
mount -t proc none /proc && mount -t sysfs none /sys
for module in ${MODULES.join(' ')}; do insmod /modules/$module.ko; done
mdev -s
sh /script
echo ${OFF}
poweroff -f
`;

function system(modules: string): readonly CpioEntry[] {
  const all = readdirSync(modules, { recursive: true, encoding: 'utf8' });
  const libraries = [...execFileSync('ldd', [process.execPath], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g)].map(([, at = '']) => at);
  return [
    file('/init', INIT, 0o755),
    ...['/proc', '/sys', '/dev', '/tmp', '/etc'].map(folder),
    file('/bin/busybox', readFileSync(requireProgram('busybox') ?? ''), 0o755),
    ...MODULES.map((name) => {
      const at = all.find((one) => path.basename(one) === `${name}.ko`) ?? name;
      return file(`/modules/${name}.ko`, readFileSync(path.join(modules, at)));
    }),
    ...libraries.map((at) => file(at, readFileSync(at), 0o755)),
    file('/bin/node', readFileSync(process.execPath), 0o755),
    link('/etc/mtab', '/proc/mounts'),
  ];
}
