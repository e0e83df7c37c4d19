/** Real RAUC on two slots that are files: its service on a bus of its own, a boot loader that is a file, and a restart that is a new service. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { requireProgram } from './require-program.js';
import { runProgram } from './run.js';

const rauc = requireProgram('rauc');
const dbus = requireProgram('dbus-daemon');

/** Whether this machine has RAUC and what it calls. */
export const hasRauc = [rauc, dbus, requireProgram('mksquashfs'), requireProgram('openssl')].every((program) => program !== undefined);

/** A slot, as the boot loader names it. */
export type BootName = 'A' | 'B';

export interface RaucHost {
  /** What commands that talk to this RAUC need in their environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The slot that runs. */
  booted(): BootName;
  /** What lies in a slot. */
  content(slot: BootName): string;
  /** Makes a signed bundle whose one image holds `text`. */
  bundle(file: string, text: string, signer?: 'trusted' | 'stranger'): Promise<void>;
  stop(): Promise<void>;
}

const SLOT_BYTES = 64 * 1024;

/** Makes the host in `dir`, booted from slot A. `$REBOOT` in its environment starts the slot that is marked as the next one. */
export async function raucHost(dir: string): Promise<RaucHost> {
  mkdirSync(dir, { recursive: true });
  const at = (name: string): string => path.join(dir, name);
  for (const name of ['trusted', 'stranger']) await makeKey(dir, name);
  for (const slot of ['A', 'B']) {
    writeFileSync(at(`slot-${slot}`), '');
    truncateSync(at(`slot-${slot}`), SLOT_BYTES);
  }
  writeFileSync(at('primary'), 'A\n');
  writeFileSync(at('booted'), 'A\n');
  script(
    at('boot'),
    `case "$1" in get-primary) cat "${at('primary')}" ;; set-primary) echo "$2" > "${at('primary')}" ;; get-state) echo good ;; esac`,
  );
  writeFileSync(at('system.conf'), systemConf(dir));
  const bus = await startBus(dir);
  const env = { DBUS_SESSION_BUS_ADDRESS: bus.address, DBUS_STARTER_BUS_TYPE: 'session' };
  // a restart: the slot that is marked runs, and the service sees it as booted
  const [pid, booted] = [at('pid'), at('booted')];
  script(
    at('reboot'),
    [
      `cp '${at('primary')}' '${booted}'`,
      `if [ -f '${pid}' ]; then p=$(cat '${pid}'); kill "$p"; while kill -0 "$p" 2> /dev/null; do sleep 0.1; done; fi`,
      `TMPDIR='${dir}' setsid '${rauc ?? ''}' -c '${at('system.conf')}' service --override-boot-slot="$(cat '${booted}')" >> '${at('service.log')}' 2>&1 < /dev/null &`,
      `echo $! > '${pid}'`,
      `for i in $(seq 1200); do '${rauc ?? ''}' -c '${at('system.conf')}' status > /dev/null 2>&1 && exit 0; sleep 0.1; done`,
      'exit 1',
    ].join('\n'),
  );
  const started = await runProgram(at('reboot'), [], { env });
  if (started.exit !== 0) throw new Error(`start rauc: expected it to answer\n${started.stderr}${readFileSync(at('service.log'), 'utf8')}`);
  return {
    env: { ...env, REBOOT: at('reboot') },
    booted: () => readFileSync(booted, 'utf8').trim() as BootName,
    content: (slot) => readFileSync(at(`slot-${slot}`), 'utf8').replace(/\0+$/, ''),
    bundle: (file, text, signer = 'trusted') => makeBundle(dir, file, text, signer),
    stop: async () => {
      await runProgram('/bin/sh', ['-c', `kill "$(cat '${pid}')"`]);
      bus.child.kill();
    },
  };
}

function systemConf(dir: string): string {
  return [
    '[system]',
    'compatible=sealane-test',
    'bootloader=custom',
    'activate-installed=false',
    `mountprefix=${dir}/mnt`,
    `statusfile=${dir}/status`,
    '[handlers]',
    `bootloader-custom-backend=${dir}/boot`,
    '[keyring]',
    `path=${dir}/trusted.crt`,
    ...['A', 'B'].flatMap((slot, at) => [`[slot.rootfs.${at}]`, `device=${dir}/slot-${slot}`, 'type=raw', `bootname=${slot}`]),
    '',
  ].join('\n');
}

async function makeKey(dir: string, name: string): Promise<void> {
  const [key, crt] = [path.join(dir, `${name}.key`), path.join(dir, `${name}.crt`)];
  const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', crt, '-days', '3650', '-subj', `/CN=${name}`];
  await must('openssl', words);
}

async function makeBundle(dir: string, file: string, text: string, signer: string): Promise<void> {
  const content = `${file}.content`;
  mkdirSync(content, { recursive: true });
  writeFileSync(path.join(content, 'rootfs.img'), Buffer.concat([Buffer.from(text), Buffer.alloc(SLOT_BYTES - text.length)]));
  writeFileSync(
    path.join(content, 'manifest.raucm'),
    `[update]\ncompatible=sealane-test\nversion=${text}\n[bundle]\nformat=plain\n[image.rootfs]\nfilename=rootfs.img\n`,
  );
  await must(rauc ?? '', [`--cert=${dir}/${signer}.crt`, `--key=${dir}/${signer}.key`, 'bundle', content, file]);
}

async function must(file: string, words: readonly string[]): Promise<void> {
  const ended = await runProgram(file, words);
  if (ended.exit !== 0) throw new Error(`${file} ${words.join(' ')}: expected exit 0, got ${ended.exit ?? ''}: ${ended.stderr}`);
}

async function startBus(dir: string): Promise<{ readonly child: ChildProcess; readonly address: string }> {
  const address = `unix:path=${path.join(dir, 'bus')}`;
  const child = spawn(dbus ?? '', ['--session', '--nofork', `--address=${address}`, '--print-address'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  // it says where it listens when it does
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  return { child, address };
}

function script(file: string, text: string): void {
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
}
