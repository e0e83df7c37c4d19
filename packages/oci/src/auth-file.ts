/** Logins out of the files that `docker login`, `podman login` and `oras login` write (containers-auth.json(5)), or who keeps them. Pure: text in, a lookup out. */
import { fromBase64, fromUtf8, type JsonObject, type JsonValue, OciError } from '@sealane/core';
import { objectOf } from './descriptor.js';
import { MAX_TOKEN_BYTES } from './limits.js';
import { parseOciJson } from './manifest.js';
import type { RegistryCredentials } from './registry-auth.js';

/** Docker's hub is written as this address, for reasons of age. */
const HUB = 'index.docker.io';

/** As it is called where helpers keep its login. */
const HUB_SERVER = 'https://index.docker.io/v1/';

/** A program `docker-credential-NAME` that keeps a login, and the name that it knows the registry by. */
export interface LoginKeeper {
  readonly helper: string;
  readonly server: string;
  /** It keeps all logins of this machine, or this one: then it must be there. */
  readonly keeps: 'all' | 'this';
}

/**
 * The login for a repository: with the program that keeps this registry's (`credHelpers`), else that of the longest name in the file which the repository is at or below, else with the program
 * that keeps all (`credsStore`).
 *
 * @throws OciError `CONTENT_MALFORMED` no such file, without a word of what is in it
 */
export function loginFor(file: Uint8Array, registry: string, repository: string): RegistryCredentials | LoginKeeper | undefined {
  const document = unquoted('a file of logins', () => objectOf(parseOciJson(file, MAX_TOKEN_BYTES, 'a file'), 'a file'));
  const server = registry === 'docker.io' ? HUB_SERVER : registry;
  const own = Object.entries(partOf(document, 'credHelpers')).find(([name]) => placeOf(name) === registry)?.[1];
  if (own !== undefined) return { helper: helperIn(own), server, keeps: 'this' };
  const found = credentialsIn(partOf(document, 'auths'), registry, repository);
  if (found !== undefined) return found;
  const { credsStore } = document;
  return credsStore === undefined || credsStore === '' ? undefined : { helper: helperIn(credsStore), server, keeps: 'all' };
}

function credentialsIn(auths: JsonObject, registry: string, repository: string): RegistryCredentials | undefined {
  const wanted = `${registry}/${repository}/`;
  const fitting = Object.entries(auths)
    .map(([name, value]) => ({ name: placeOf(name), value }))
    .filter(({ name }) => wanted.startsWith(`${name}/`))
    .sort((a, b) => b.name.length - a.name.length);
  for (const { value } of fitting) {
    const credentials = loginIn(value);
    if (credentials !== undefined) return credentials;
  }
  return undefined;
}

/**
 * What `docker-credential-NAME get` printed.
 *
 * @throws OciError `REGISTRY_DENIED` no login, without a word of what it is
 */
export function keptLogin(printed: Uint8Array, helper: string): RegistryCredentials {
  const wrong = (): OciError =>
    new OciError('REGISTRY_DENIED', `read the answer of docker-credential-${helper}: expected Username and Secret, got something else`);
  try {
    const { Username: username, Secret: secret } = objectOf(parseOciJson(printed, MAX_TOKEN_BYTES, 'an answer'), 'an answer');
    if (typeof username !== 'string' || typeof secret !== 'string' || secret === '') throw wrong();
    // docker-credential-helpers: this name says that the secret is an identity token
    return username === '<token>' ? { identityToken: secret } : { username, password: secret };
  } catch {
    // the cause would quote what it could not read: that is the password
    throw wrong();
  }
}

function partOf(document: JsonObject, part: 'auths' | 'credHelpers'): JsonObject {
  return document[part] === undefined ? {} : unquoted(`${part} of a file of logins`, () => objectOf(document[part], part));
}

/** The end of a program's name: no folder, no option. */
function helperIn(value: JsonValue): string {
  if (typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(value)) return value;
  throw new OciError('CONTENT_MALFORMED', 'read a file of logins: expected the name of a credential helper, got something else');
}

/** `https://HOST/v1/` of old entries is HOST. */
function placeOf(name: string): string {
  const place = name.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '');
  return place === HUB ? 'docker.io' : place;
}

/** A reader says what it found instead: in a file that a script put together, that is the password. Neither its words nor the cause are kept. */
function unquoted<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof OciError)) throw error;
    const [at = ''] = / at offset \d+/.exec(error.message) ?? [];
    throw new OciError('CONTENT_MALFORMED', `read ${what}: expected a JSON object, got something else${at}`);
  }
}

/** An entry without a login is what a credential helper leaves behind. */
function loginIn(value: JsonValue | undefined): RegistryCredentials | undefined {
  const { auth, username, password, identitytoken } = unquoted('an entry of a file of logins', () => objectOf(value, 'an entry'));
  if (typeof identitytoken === 'string' && identitytoken !== '') return { identityToken: identitytoken };
  if (typeof username === 'string' && typeof password === 'string' && username !== '') return { username, password };
  if (typeof auth !== 'string' || auth === '') return undefined;
  const text = decoded(auth);
  const colon = text.indexOf(':');
  if (colon < 1) throw new OciError('CONTENT_MALFORMED', 'read a login: expected base64 of NAME:PASSWORD, got something else');
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function decoded(auth: string): string {
  try {
    return fromUtf8(fromBase64(auth));
  } catch {
    // the cause would quote what it could not read: that is the password
    throw new OciError('CONTENT_MALFORMED', 'read a login: expected standard base64, got something else');
  }
}
