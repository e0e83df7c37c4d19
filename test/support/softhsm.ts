/** A real SoftHSM token in a folder of its own; keys are made inside it by OpenSC's pkcs11-tool. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What must be on PATH. */
export const SOFTHSM_PROGRAMS = ['softhsm2-util', 'pkcs11-tool'] as const;

export const SOFTHSM_MODULE = '/usr/lib/softhsm/libsofthsm2.so';
/** Writes down each call and hands it to the module that `PKCS11SPY` names; it comes with pkcs11-tool. */
export const SPY_MODULE = spyModule();

function spyModule(): string {
  const folders = readdirSync('/usr/lib').map((name) => path.join('/usr/lib', name, 'pkcs11-spy.so'));
  return folders.find((file) => existsSync(file)) ?? '/usr/lib/pkcs11-spy.so';
}

export interface Token {
  readonly pin: string;
  readonly pinFile: string;
  /** What a process needs to find the token. */
  readonly env: Readonly<Record<string, string>>;
  /** Makes a key pair in the token. */
  generate(label: string, id: string, type?: string): void;
  /** A URI of the key; `secret` is what of the query names the PIN (default: its file). */
  uri(key: string, secret?: string): string;
}

export function makeToken(folder: string): Token {
  const [tokens, conf, pinFile] = ['tokens', 'softhsm2.conf', 'pin'].map((name) => path.join(folder, name)) as [string, string, string];
  const pin = '482913';
  mkdirSync(tokens, { recursive: true });
  writeFileSync(conf, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  writeFileSync(pinFile, `${pin}\n`, { mode: 0o600 });
  const env = { SOFTHSM2_CONF: conf };
  const run = (file: string, words: readonly string[]): void =>
    void execFileSync(file, words, { env: { ...process.env, ...env, TOKEN_PIN: pin }, stdio: ['ignore', 'pipe', 'pipe'] });
  run('softhsm2-util', ['--init-token', '--free', '--label', 'sealane', '--so-pin', '73519264', '--pin', pin]);
  return {
    pin,
    pinFile,
    env,
    generate: (label, id, type = 'EC:prime256v1') => {
      const words = ['--module', SOFTHSM_MODULE, '--token-label', 'sealane', '--login', '--pin', 'env:TOKEN_PIN', '--keypairgen'];
      run('pkcs11-tool', [...words, '--key-type', type, '--label', label, '--id', id]);
    },
    uri: (key, secret = `pin-source=file:${pinFile}`) => {
      const query = [`module-path=${SOFTHSM_MODULE}`, secret].filter((part) => part !== '').join('&');
      return `pkcs11:token=sealane${key === '' ? '' : `;${key}`}?${query}`;
    },
  };
}
