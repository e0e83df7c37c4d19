/** KEYREF: how a command line names a key without holding it. */
import path from 'node:path';
import { PromoterError, type Signer } from '@sealane/core';
import { readOptional } from '../disk-shell.js';
import { execSigner } from './exec-signer-shell.js';
import { parsePrivateKey, type PrivateKey, readPrivateKey, signerOf } from './key-file.js';
import { allowed, type KeyPlace } from './key-place.js';
import { readKeyReference, REFERENCE_SUFFIX } from './key-reference-file.js';
import { passphraseFrom } from './passphrase.js';
import { pkcs11Signer } from './pkcs11-signer-shell.js';

/**
 * The signer that a KEYREF names: `file:PATH`, `env:NAME` (both PEM, plain or encrypted by cosign), `pkcs11:URI`, `exec:CMD`, `oidc`
 * (keyless), or the name of a key under HOME/keys. What has a slash in it is no name and no scheme: it is taken for a path.
 *
 * @throws PromoterError `USAGE` an unknown scheme; `KEY_EXAMPLE` an example key in a lane that was not made from them; as `readPrivateKey`,
 * `pkcs11Signer`, `execSigner`, `keylessSigner`
 */
export async function signerAt(keyRef: string, place: KeyPlace): Promise<Signer> {
  // loaded when it is asked for: its client of HTTP costs more than reading a key
  if (keyRef === 'oidc') return await (await import('./keyless/keyless-signer-shell.js')).keylessSigner(place);
  const [, scheme, rest = ''] = /^([a-z0-9]+):(.*)$/s.exec(keyRef) ?? (keyRef.includes('/') ? [keyRef, 'file', keyRef] : []);
  switch (scheme) {
    case undefined:
      return await namedSigner(keyRef, place);
    case 'file':
      return allowed(signerOf(readPrivateKey(path.resolve(place.cwd, rest), passphraseFrom(place))), keyRef, place);
    case 'env':
      return allowed(signerOf(fromEnvironment(rest, place)), keyRef, place);
    case 'pkcs11':
      return allowed(await pkcs11Signer(rest, place), 'pkcs11:…', place);
    case 'exec':
      return allowed(await execSigner(rest, place), 'exec:…', place);
    default:
      throw new PromoterError(
        'USAGE',
        `read key reference ${scheme}:…: expected file:PATH, env:NAME, pkcs11:URI, exec:CMD, oidc or the name of a key`,
      );
  }
}

/** A key by name: a private key of the home, or where one is kept. Keys under keys/ come before those of owners. */
async function namedSigner(name: string, place: KeyPlace): Promise<Signer> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
    throw new PromoterError('USAGE', `read key reference ${JSON.stringify(name.slice(0, 80))}: expected the name of a key`);
  const { keys, owners } = place.home;
  const files = [keys, owners].flatMap((folder) => ['.pem', REFERENCE_SUFFIX].map((suffix) => path.join(folder, `${name}${suffix}`)));
  const file = files.find((candidate) => readOptional(candidate) !== undefined);
  if (file !== undefined) return await signerIn(file, place);
  throw new PromoterError(
    'CONFIG_INVALID',
    `look up key ${name}: expected ${name}.pem in ${keys} or ${owners}, got neither`,
    { name },
    {
      hint: name.endsWith('.pem')
        ? `a file is named with a slash or by file: --key ./${name}; a key of this home without its ending: --key ${name.slice(0, -'.pem'.length)}`
        : `see which keys there are: sealane key list; name a file of your own: --key file:PATH; or make one: sealane key create ${name}`,
    },
  );
}

/** The signer of a key's file, or of the reference in it. @throws PromoterError as `signerAt` */
export async function signerIn(file: string, place: KeyPlace): Promise<Signer> {
  if (file.endsWith(REFERENCE_SUFFIX)) return await signerAt(readKeyReference(file), place);
  return allowed(signerOf(readPrivateKey(file, passphraseFrom(place))), file, place);
}

function fromEnvironment(name: string, place: KeyPlace): PrivateKey {
  const pem = place.env[name];
  if (pem === undefined || pem === '')
    throw new PromoterError(
      'CONFIG_INVALID',
      `read key env:${name}: expected PEM in that variable, got nothing`,
      { name },
      { hint: `export ${name} with the whole PEM in it, or name a file: --key file:PATH` },
    );
  return parsePrivateKey(pem, `env:${name}`, passphraseFrom(place));
}
