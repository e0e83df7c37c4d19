/**
 * The keys of a home by name and by id. A key that waits for the owners lies beside its predecessor as NAME.next.pem: it signs nothing before
 * they have published it, and takes the name's place then.
 */
import { createPublicKey } from 'node:crypto';
import { renameSync } from 'node:fs';
import path from 'node:path';
import { keyIdOf, PromoterError, type Signer } from '@sealane/core';
import { listFolder, readNamed, readOptional, syncFolder } from '../disk-shell.js';
import type { Home } from '../home.js';
import { readPrivateKey, signerOf } from './key-file.js';

/** A key on disk. `half` says whether the private one is here; `state` whether the name means it now, will, or once did. */
export interface StoredKey {
  readonly name: string;
  readonly id: string;
  readonly spki: Uint8Array;
  readonly file: string;
  readonly half: 'private' | 'public';
  readonly state: 'current' | 'next' | 'retired';
}

/** Where a key's name is looked up: owners' keys and all others lie apart. */
export type KeyFolders = Pick<Home, 'keys' | 'owners'>;

const FILE_NAME = /^([A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*?)(\.next|\.retired-[0-9a-f]{8})?(\.pub)?\.pem$/;

/** Every key of a home, owners' first, by name. @throws PromoterError `KEY_MALFORMED` a file that is no key */
export function storedKeys(home: KeyFolders): readonly StoredKey[] {
  return [home.owners, home.keys].flatMap((folder) =>
    listFolder(folder)
      .toSorted()
      .flatMap((name) => storedKey(folder, name) ?? []),
  );
}

function storedKey(folder: string, fileName: string): StoredKey | undefined {
  const [, name, state, half] = FILE_NAME.exec(fileName) ?? [];
  if (name === undefined) return undefined;
  const file = path.join(folder, fileName);
  const spki = publicHalf(file, readNamed(file, 'key'));
  return {
    name,
    id: keyIdOf(spki),
    spki,
    file,
    half: half === undefined ? 'private' : 'public',
    state: state === undefined ? 'current' : state === '.next' ? 'next' : 'retired',
  };
}

/** SPKI DER of a private or public key in PEM. @throws PromoterError `KEY_MALFORMED` */
function publicHalf(source: string, pem: Uint8Array | string): Uint8Array {
  try {
    return new Uint8Array(createPublicKey(Buffer.from(pem)).export({ type: 'spki', format: 'der' }));
  } catch (cause) {
    throw new PromoterError('KEY_MALFORMED', `read key ${source}: expected an unencrypted key in PEM`, { source }, { cause });
  }
}

/**
 * The public half of a key by name: the one that waits for the owners where there is one, since this is for what they sign next.
 *
 * @throws PromoterError `CONFIG_INVALID` no such key; `KEY_MALFORMED`
 */
export function nextPublicHalf(home: KeyFolders, name: string): Uint8Array {
  for (const folder of [home.keys, home.owners]) {
    for (const suffix of ['.next.pem', '.next.pub.pem', '.pem', '.pub.pem']) {
      const file = path.join(folder, `${name}${suffix}`);
      const pem = readOptional(file);
      if (pem !== undefined) return publicHalf(file, pem);
    }
  }
  throw new PromoterError(
    'CONFIG_INVALID',
    `look up key ${name}: expected ${name}.pem or ${name}.pub.pem in ${home.keys}, got neither`,
    { name },
    { hint: `make it with: sealane key create ${name}` },
  );
}

/**
 * The signer of whichever key here has one of the ids: metadata names keys by id, whatever their files are called.
 *
 * `what` names the role in the message.
 *
 * @throws PromoterError `KEY_NOT_NAMED` none of them is here; `KEY_EXPOSED`
 */
export function signerById(home: KeyFolders, ids: readonly string[], what: string): Signer {
  const found = storedKeys(home).find(({ id, half }) => half === 'private' && ids.includes(id));
  if (found === undefined) {
    throw new PromoterError(
      'KEY_NOT_NAMED',
      `sign as ${what}: expected the private half of key ${ids.join(' or ')} in ${home.keys}, got none`,
      { ids },
    );
  }
  return signerOf(readPrivateKey(found.file));
}

/**
 * Gives each name to its next key, where that is among the published ids. Every step can be repeated: a kill between the two renames leaves the
 * name without a key until the next call.
 */
export function settleKeys(home: KeyFolders, published: ReadonlySet<string>): readonly StoredKey[] {
  const keys = storedKeys(home);
  const settled = keys.filter(({ id, state }) => state === 'next' && published.has(id));
  for (const next of settled) {
    const folder = path.dirname(next.file);
    for (const old of keys.filter(({ name, state, file }) => name === next.name && state === 'current' && path.dirname(file) === folder)) {
      const suffix = old.half === 'private' ? '.pem' : '.pub.pem';
      renameSync(old.file, path.join(folder, `${old.name}.retired-${old.id.slice(0, 8)}${suffix}`));
    }
    renameSync(next.file, path.join(folder, path.basename(next.file).replace('.next.', '.')));
    syncFolder(folder);
  }
  return settled;
}
