/** An authority of site certificates over a real lane: the owners' root in a file of its own, the issuer in the lane's home. And foreign certificates by openssl. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestLane } from './lane.js';
import { expectJson } from './run.js';

/** Files of an authority. */
export interface TestAuthority {
  readonly dir: string;
  readonly origin: string;
  /** The root's certificate, what sites are given by hand. */
  readonly root: string;
  /** Issuer and root. */
  readonly chain: string;
  readonly rootKey: string;
}

/** Makes one in `dir` and installs it, as owners and an operator would. */
export async function makeAuthority(lane: Pick<TestLane, 'sealane' | 'origin'>, dir: string): Promise<TestAuthority> {
  mkdirSync(dir, { recursive: true });
  const at = (name: string): string => path.join(dir, name);
  const files = { dir, origin: lane.origin, root: at('ca-root.pem'), chain: at('chain.pem'), rootKey: at('root-key.pem') };
  await lane.sealane(['ca', 'request', '--out', at('issuer.csr')]);
  await expectJson('sealane', ['key', 'create', files.rootKey]);
  await signIssuer(files, at('issuer.csr'), files.chain);
  await lane.sealane(['ca', 'install', files.chain]);
  return files;
}

/** The owners' signature over an issuer's request. */
export async function signIssuer(
  { origin, rootKey, root }: TestAuthority,
  request: string,
  out: string,
  more: readonly string[] = [],
): Promise<void> {
  await expectJson('sealane', [
    'ca',
    'sign',
    request,
    '--origin',
    origin,
    '--key',
    `file:${rootKey}`,
    '--root',
    root,
    '--out',
    out,
    ...more,
  ]);
}

/** Runs openssl in a folder; its output, both streams, whatever it ends with. */
export function openssl(program: string, cwd: string, words: readonly string[]): { readonly ok: boolean; readonly output: string } {
  try {
    return { ok: true, output: execFileSync(program, words, { cwd, stdio: 'pipe' }).toString() };
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: unknown; stderr?: unknown };
    return { ok: false, output: `${String(stdout)}${String(stderr)}` };
  }
}

/** Words of `openssl req` and `x509` for a new P-256 key in `NAME.key`. */
function newKey(name: string): readonly string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
}

/** A PKCS #10 request by openssl (DER), with more of its words: extensions that are asked for. */
export function opensslCsr(program: string, dir: string, subject: string, more: readonly string[] = [], key = newKey('asked')): Buffer {
  mkdirSync(dir, { recursive: true });
  return execFileSync(program, ['req', '-new', ...key, '-subj', subject, '-outform', 'DER', ...more], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** A certificate by a key and certificate in `dir`, with extensions of the openssl kind; days may be negative. Written to `NAME.pem`. */
export function opensslIssue(
  program: string,
  dir: string,
  {
    name,
    subject,
    by,
    extensions,
    days = '2',
  }: {
    readonly name: string;
    readonly subject: string;
    readonly by: { readonly certificate: string; readonly key: string };
    readonly extensions: readonly string[];
    readonly days?: string;
  },
): string {
  const run = (words: readonly string[]): unknown => execFileSync(program, words, { cwd: dir, stdio: 'pipe' });
  run(['req', '-new', ...newKey(name), '-out', `${name}.csr`, '-subj', subject]);
  writeFileSync(path.join(dir, `${name}.ext`), `${extensions.join('\n')}\n`);
  run([
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-CA',
    by.certificate,
    '-CAkey',
    by.key,
    '-CAcreateserial',
    '-days',
    days,
    '-extfile',
    `${name}.ext`,
    '-out',
    `${name}.pem`,
  ]);
  return path.join(dir, `${name}.pem`);
}
