/** PKCS#11 URIs (RFC 7512): which token, which key in it, through which module. Never the PIN: a command line is no place for one. */
import { PromoterError } from '@sealane/core';

/** What a URI says. Text must match exactly; what is undefined matches anything, and exactly one token and one key must be left. */
export interface Pkcs11Uri {
  readonly token: Readonly<Partial<Record<'token' | 'manufacturer' | 'serial' | 'model', string>>>;
  readonly slotId: number | undefined;
  readonly object: string | undefined;
  readonly id: Uint8Array | undefined;
  readonly modulePath: string | undefined;
  /** The file of the PIN. */
  readonly pinFile: string | undefined;
}

const PATH_NAMES = ['token', 'manufacturer', 'serial', 'model', 'slot-id', 'object', 'id', 'type'];
const QUERY_NAMES = ['pin-source', 'module-path'];
/** CKA_ID is a few bytes, labels at most 32; a path of a module fits too. */
const MAX_VALUE = 4096;

/**
 * Reads what follows `pkcs11:`.
 *
 * @throws PromoterError `USAGE` an attribute that is unknown, twice, or not taken (`pin-value`, `module-name`); no key is named
 */
export function parsePkcs11Uri(rest: string): Pkcs11Uri {
  const [pathPart = '', queryPart = '', ...more] = rest.split('?');
  if (more.length > 0) throw refused('at most one ? in it');
  const attributes = parts(pathPart, ';', PATH_NAMES);
  const query = parts(queryPart, '&', QUERY_NAMES);
  const text = (value: Uint8Array | undefined): string | undefined => (value === undefined ? undefined : asText(value));
  if (!['private', undefined].includes(text(attributes.get('type')))) throw refused('type=private');
  const [object, id] = [text(attributes.get('object')), attributes.get('id')];
  if (object === undefined && id === undefined) throw refused('a key by object= or id=');
  const token = Object.fromEntries(
    (['token', 'manufacturer', 'serial', 'model'] as const).flatMap((name) => {
      const value = text(attributes.get(name));
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return {
    token,
    slotId: slotId(text(attributes.get('slot-id'))),
    object,
    id,
    modulePath: absolute('module-path', text(query.get('module-path'))),
    pinFile: absolute('pin-source', text(query.get('pin-source'))?.replace(/^file:(?:\/\/(?=\/))?/, '')),
  };
}

function parts(text: string, separator: string, names: readonly string[]): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const part of text === '' ? [] : text.split(separator)) {
    const [, name = '', value = ''] = /^([a-z-]+)=(.*)$/s.exec(part) ?? [];
    if (name === 'pin-value') throw refused('the PIN in a file (pin-source=) or in the environment, never in the reference itself');
    if (!names.includes(name)) throw refused(`${names.join('=, ')}=`);
    if (found.has(name)) throw refused(`${name}= once`);
    if (value === '' || value.length > MAX_VALUE) throw refused(`a value after ${name}=`);
    found.set(name, unescaped(name, value));
  }
  return found;
}

function unescaped(name: string, value: string): Uint8Array {
  if (/%(?![0-9A-Fa-f]{2})/.test(value)) throw refused(`two hex digits after each % of ${name}=`);
  const bytes = [
    ...Buffer.from(value, 'utf8')
      .toString('latin1')
      .matchAll(/%([0-9A-Fa-f]{2})|[^%]/gs),
  ];
  return Uint8Array.from(bytes, ([char, hex]) => (hex === undefined ? char.charCodeAt(0) : Number.parseInt(hex, 16)));
}

function asText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // a label in another encoding could be shown as one name and match another
    throw refused('UTF-8');
  }
}

function slotId(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,10}$/.test(text)) throw refused('a number after slot-id=');
  return Number(text);
}

function absolute(name: string, file: string | undefined): string | undefined {
  if (file === undefined || (file.startsWith('/') && !file.includes('\u0000'))) return file;
  throw refused(`an absolute path after ${name}=`);
}

/** The reference is not quoted: somebody may have put a PIN into it after all. */
function refused(expected: string): PromoterError {
  return new PromoterError('USAGE', `read key reference pkcs11:…: expected ${expected}`);
}
