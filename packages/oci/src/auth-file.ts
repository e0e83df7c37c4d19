/** Credentials out of the files that `docker login`, `podman login` and `oras login` write (containers-auth.json(5)). Pure: text in, a lookup out. */
import { fromBase64, fromUtf8, type JsonObject, type JsonValue, OciError } from '@sealane/core';
import { objectOf } from './descriptor.js';
import { MAX_TOKEN_BYTES } from './limits.js';
import { parseOciJson } from './manifest.js';
import type { RegistryCredentials } from './registry-auth.js';

/** Docker's hub is written as this address, for reasons of age. */
const HUB = 'index.docker.io';

/**
 * The login for a repository: that of the longest name in the file which the repository is at or below.
 *
 * @throws OciError `CONTENT_MALFORMED` no such file, without a word of what is in it
 */
export function credentialsIn(file: Uint8Array, registry: string, repository: string): RegistryCredentials | undefined {
  const document = unquoted('a file of logins', () => objectOf(parseOciJson(file, MAX_TOKEN_BYTES, 'a file'), 'a file'));
  const auths: JsonObject =
    document['auths'] === undefined ? {} : unquoted('auths of a file of logins', () => objectOf(document['auths'], 'auths'));
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
  const { auth, username, password } = unquoted('an entry of a file of logins', () => objectOf(value, 'an entry'));
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
