/** KEYREF: how a command line names a key without holding it. */
import path from 'node:path';
import { EXAMPLE_KEY_IDS, PromoterError, type Signer } from '@sealane/core';
import { readOptional } from '../disk-shell.js';
import type { Home } from '../home.js';
import { parsePrivateKey, type PrivateKey, readPrivateKey, signerOf } from './key-file.js';

/** Where a KEYREF is looked up. */
export interface KeyPlace {
  readonly home: Pick<Home, 'keys' | 'owners'>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Whether the lane was made from the example keys: only then may they sign. */
  readonly isExampleLane: boolean;
}

/**
 * The signer that a KEYREF names: `file:PATH`, `env:NAME` (PEM in the environment), or the name of a key under HOME/keys.
 *
 * @throws PromoterError `USAGE` an unknown scheme; `KEY_EXAMPLE` an example key in a lane that was not made from them; as `readPrivateKey`
 */
export function signerAt(keyRef: string, place: KeyPlace): Signer {
  return signerOf(allowed(privateKeyAt(keyRef, place), keyRef, place));
}

function privateKeyAt(keyRef: string, { home, env, cwd }: KeyPlace): PrivateKey {
  const [, scheme, rest = ''] = /^(file|env|pkcs11|exec|oidc):?(.*)$/s.exec(keyRef.includes(':') || keyRef === 'oidc' ? keyRef : '') ?? [];
  if (scheme === 'file') return readPrivateKey(path.resolve(cwd, rest));
  if (scheme === 'env') return fromEnvironment(rest, env);
  if (scheme !== undefined || keyRef.includes(':')) {
    throw new PromoterError('USAGE', `read key reference ${keyRef}: expected file:PATH, env:NAME or the name of a key`);
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(keyRef))
    throw new PromoterError('USAGE', `read key reference ${keyRef}: expected the name of a key`);
  const owner = path.join(home.owners, `${keyRef}.pem`);
  const file = path.join(home.keys, `${keyRef}.pem`);
  return readPrivateKey(readOptional(file) === undefined && readOptional(owner) !== undefined ? owner : file);
}

function fromEnvironment(name: string, env: KeyPlace['env']): PrivateKey {
  const pem = env[name];
  if (pem === undefined || pem === '')
    throw new PromoterError('CONFIG_INVALID', `read key env:${name}: expected PEM in that variable, got nothing`);
  return parsePrivateKey(pem, `env:${name}`);
}

function allowed(key: PrivateKey, source: string, { isExampleLane }: KeyPlace): PrivateKey {
  if (!isExampleLane && EXAMPLE_KEY_IDS.has(key.id)) {
    throw new PromoterError(
      'KEY_EXAMPLE',
      `use key ${source}: it is an example key that everybody has, and this lane was not made from them`,
    );
  }
  return key;
}
