/**
 * The keys of a home by name and by id. A key that waits for the owners lies beside its predecessor as NAME.next.pem: it signs nothing before
 * they have published it, and takes the name's place then.
 */
import { renameSync } from 'node:fs';
import path from 'node:path';
import { keyIdOf, PromoterError, type Signer } from '@sealane/core';
import { listFolder, readNamed, readOptional, syncFolder } from '../disk-shell.js';
import { isCosignKey } from './cosign-key.js';
import type { KeyFolders, KeyPlace } from './key-place.js';
import { REFERENCE_SUFFIX } from './key-reference-file.js';
import { signerIn } from './key-ref.js';
import { publicKeyOf } from './public-key.js';

/**
 * A key on disk. `half` says whether the private one is here, or where it is kept; `state` whether the name means it now, will, or once did.
 * `keptIn` is how.
 */
export interface StoredKey {
  readonly name: string;
  readonly id: string;
  readonly spki: Uint8Array;
  readonly file: string;
  readonly half: 'private' | 'public';
  readonly keptIn: 'plain file' | 'encrypted file' | 'elsewhere' | 'public half only';
  readonly state: 'current' | 'next' | 'retired';
}

const FILE_NAME = /^([A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*?)(\.next|\.retired-[0-9a-f]{8})?(\.pub\.pem|\.pem|\.keyref)$/;

/** Every key of a home, owners' first, by name. @throws PromoterError `KEY_MALFORMED` a file that is no key */
export function storedKeys(home: KeyFolders): readonly StoredKey[] {
  return keyFiles(home).flatMap(([folder, name]) => storedKey(folder, name) ?? []);
}

function keyFiles(home: KeyFolders): readonly (readonly [folder: string, fileName: string])[] {
  return [home.owners, home.keys].flatMap((folder) =>
    listFolder(folder)
      .toSorted()
      .map((name) => [folder, name] as const),
  );
}

/** The private key with one of the ids. Reading a key costs milliseconds: the files that are called as the role is are read first. */
function privateKeyWith(home: KeyFolders, ids: readonly string[], role: string): StoredKey | undefined {
  const isLikely = ([, fileName]: readonly [string, string]): boolean => fileName.startsWith(`${role}.`);
  const files = keyFiles(home);
  for (const [folder, name] of [...files.filter(isLikely), ...files.filter((file) => !isLikely(file))]) {
    const key = storedKey(folder, name);
    if (key?.half === 'private' && ids.includes(key.id)) return key;
  }
  return undefined;
}

function storedKey(folder: string, fileName: string): StoredKey | undefined {
  const [, name, state, suffix] = FILE_NAME.exec(fileName) ?? [];
  if (name === undefined) return undefined;
  const file = path.join(folder, fileName);
  const text = readText(file);
  const spki = publicHalf(file, text);
  return {
    name,
    id: keyIdOf(spki),
    spki,
    file,
    half: suffix === '.pub.pem' ? 'public' : 'private',
    keptIn: suffix === '.pub.pem' ? 'public half only' : suffix === REFERENCE_SUFFIX ? 'elsewhere' : inFile(text),
    state: state === undefined ? 'current' : state === '.next' ? 'next' : 'retired',
  };
}

function inFile(pem: string): StoredKey['keptIn'] {
  return isCosignKey(pem) ? 'encrypted file' : 'plain file';
}

function readText(file: string): string {
  return Buffer.from(readNamed(file, 'key')).toString('utf8');
}

/** The public half in a key's file, or in NAME.pub.pem beside one that cosign encrypted. @throws PromoterError `KEY_MALFORMED` */
function publicHalf(file: string, text: string): Uint8Array {
  const beside = isCosignKey(text) ? readOptional(file.replace(/\.pem$/, '.pub.pem')) : undefined;
  return publicKeyOf(beside === undefined ? text : Buffer.from(beside).toString('utf8'), file);
}

/**
 * The public half of a key by name: the one that waits for the owners where there is one, since this is for what they sign next.
 *
 * @throws PromoterError `CONFIG_INVALID` no such key; `KEY_MALFORMED`
 */
export function nextPublicHalf(home: KeyFolders, name: string): Uint8Array {
  for (const folder of [home.keys, home.owners]) {
    for (const suffix of ['.next.pem', '.next.keyref', '.next.pub.pem', '.pem', '.keyref', '.pub.pem']) {
      const file = path.join(folder, `${name}${suffix}`);
      if (readOptional(file) !== undefined) return publicHalf(file, readText(file));
    }
  }
  throw new PromoterError(
    'CONFIG_INVALID',
    `look up key ${name}: expected ${name}.pem or ${name}.pub.pem in ${home.keys}, got neither`,
    { name },
    { hint: `make it with: sealane key create ${name}` },
  );
}

/** The public half of the key NAME, its successor NAME.next or predecessor. @throws PromoterError `CONFIG_INVALID` no such key here */
export function publicHalfNamed(home: KeyFolders, name: string): Uint8Array {
  // owners' keys lie apart where they are local
  const files = [home.owners, home.keys].flatMap((folder) =>
    ['.pub.pem', '.pem', REFERENCE_SUFFIX].map((suffix) => path.join(folder, `${name}${suffix}`)),
  );
  const file = files.find((candidate) => readOptional(candidate) !== undefined);
  if (file !== undefined) return publicHalf(file, readText(file));
  throw new PromoterError(
    'CONFIG_INVALID',
    `look up key ${name}: expected ${name}.pem or ${name}.pub.pem in ${home.keys} or ${home.owners}, got neither`,
    { name },
    { hint: 'see which keys there are: sealane key list' },
  );
}

/**
 * The signer of whichever key here has one of the ids: metadata names keys by id, whatever their files are called.
 *
 * `what` names the role in the message.
 *
 * @throws PromoterError `KEY_NOT_NAMED` none of them is here; `KEY_MALFORMED` a file that says to be of another key than it is; as `signerIn`
 */
export async function signerById(place: KeyPlace, ids: readonly string[], what: string): Promise<Signer> {
  const { kept } = place;
  const find = (): Promise<Signer> => findSigner(place, ids, what);
  return await (kept === undefined ? find() : kept.signer(what)(`${ids.join()} ${String(place.isExampleLane)} ${kept.from}`, find));
}

async function findSigner(place: KeyPlace, ids: readonly string[], what: string): Promise<Signer> {
  const found = privateKeyWith(place.home, ids, what.replace(/^stage /, ''));
  if (found === undefined) {
    throw new PromoterError(
      'KEY_NOT_NAMED',
      `sign as ${what}: expected the private half of key ${ids.join(' or ')} in ${place.home.keys}, got none`,
      { ids },
    );
  }
  const signer = await signerIn(found.file, place);
  if (signer.keyId === found.id) return signer;
  throw new PromoterError('KEY_MALFORMED', `sign as ${what}: expected key ${found.id} behind ${found.file}, got ${signer.keyId}`);
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
      const suffix = old.half === 'public' ? '.pub.pem' : path.extname(old.file);
      renameSync(old.file, path.join(folder, `${old.name}.retired-${old.id.slice(0, 8)}${suffix}`));
    }
    renameSync(next.file, path.join(folder, path.basename(next.file).replace('.next.', '.')));
    syncFolder(folder);
  }
  return settled;
}
