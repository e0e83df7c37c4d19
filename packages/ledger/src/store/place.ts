/** `HOME/ledger/database.json`: the PostgreSQL database that holds a ledger. It names no password: a file or PGPASSFILE does. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type JsonObject, LedgerError, type JsonValue, parseStrictJson } from '@sealane/core';
import { archivePlaces } from '../archive/archive-file.js';

/** The file's name, beside the ledger's own. */
const FILE_NAME = 'database.json';
/** A few short fields. */
const MAX_BYTES = 16 * 1024;
const MAX_DEPTH = 4;
const DEFAULT_PORT = 5432;

/** How the database is reached. */
export interface PostgresPlace {
  /** A host name or address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** A file of mode 0600 with the password; without it PGPASSFILE, PGPASSWORD or ~/.pgpass is asked. */
  readonly passwordFile?: string;
  /** TLS, the server's name and certificate verified; `ca` is a file of authorities (default: those of Node). */
  readonly tls?: { readonly ca?: string };
}

/** Where the rows of a ledger are, and what lies beside them on this host. */
export interface LedgerPlace {
  /** The SQLite file; made when missing and a key is given. Whatever holds the rows, the anchor lies beside it as FILE.anchor; of a database, what was verified as FILE.verified. */
  readonly file: string;
  /** The PostgreSQL database that holds the rows; without it the file does. */
  readonly database?: PostgresPlace;
  /** Where payloads lie that were moved out of the database, as `archivePlace` writes them; the first place that has one gives it. */
  readonly archive?: readonly string[];
}

/** Where this host remembers the newest checkpoint of the ledger at `file`. */
export function anchorOf(file: string): string {
  return `${file}.anchor`;
}

/** The ledger that belongs to the SQLite file `file`: in a database where `database.json` lies beside it, with an archive where `archive.json` does. @throws LedgerError `CONFIG_INVALID` */
export function ledgerAt(file: string): LedgerPlace {
  const place = path.join(path.dirname(file), FILE_NAME);
  const bytes = readIfThere(place);
  const places = archivePlaces(file);
  const archive = places.length === 0 ? {} : { archive: places };
  return bytes === undefined ? { file, ...archive } : { file, database: parseDatabase(bytes, place), ...archive };
}

/** Where `database.json` lies for the ledger of `file`. */
export function databaseFile(file: string): string {
  return path.join(path.dirname(file), FILE_NAME);
}

function readIfThere(file: string): Uint8Array | undefined {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    // most ledgers are in a file of their own
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
    throw error;
  }
}

/**
 * Reads `database.json`. Relative paths in it are relative to its folder.
 *
 * @throws LedgerError `CONFIG_INVALID` an unknown field, a wrong value, or another host without TLS; CoreError `JSON_*`
 */
export function parseDatabase(bytes: Uint8Array, file: string): PostgresPlace {
  const root = objectOf(parseStrictJson(bytes, { maxBytes: MAX_BYTES, maxDepth: MAX_DEPTH }), { file, at: '' });
  const { apiVersion, kind, postgres, ...others } = root;
  expectOnly(others, { file, at: '' });
  if (apiVersion !== 'sealane/v1' || kind !== 'Database') throw wrong({ file, at: 'kind' }, 'sealane/v1 Database');
  const { host, port, database, user, passwordFile, tls, ...unknown } = objectOf(postgres, { file, at: 'postgres' });
  expectOnly(unknown, { file, at: 'postgres' });
  const text = (value: JsonValue | undefined, at: string): string => textOf(value, { file, at: `postgres.${at}` });
  const near = (value: string): string => path.resolve(path.dirname(file), value);
  const place: PostgresPlace = {
    host: text(host, 'host'),
    port: portOf(port, { file, at: 'postgres.port' }),
    database: text(database, 'database'),
    user: text(user, 'user'),
    ...(passwordFile === undefined ? {} : { passwordFile: near(text(passwordFile, 'passwordFile')) }),
    ...(tls === undefined ? {} : { tls: tlsOf(tls, { file, at: 'postgres.tls' }, near) }),
  };
  if (place.tls === undefined && !isThisHost(place.host))
    throw wrong({ file, at: 'postgres.tls' }, 'tls (at least {}) for a database on another host');
  return place;
}

interface At {
  readonly file: string;
  readonly at: string;
}

function tlsOf(value: JsonValue, where: At, near: (file: string) => string): { readonly ca?: string } {
  const { ca, ...others } = objectOf(value, where);
  expectOnly(others, where);
  return ca === undefined ? {} : { ca: near(textOf(ca, { ...where, at: `${where.at}.ca` })) };
}

function objectOf(value: JsonValue | undefined, where: At): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw wrong(where, 'an object');
}

function textOf(value: JsonValue | undefined, where: At): string {
  if (typeof value === 'string' && value !== '' && value.length <= 4096) return value;
  throw wrong(where, 'text');
}

function portOf(value: JsonValue | undefined, where: At): number {
  if (value === undefined) return DEFAULT_PORT;
  if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 65_535) return value;
  throw wrong(where, 'a port');
}

function expectOnly(others: JsonObject, where: At): void {
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw wrong({ ...where, at: where.at === '' ? unknown : `${where.at}.${unknown}` }, 'no such field');
}

/** The folder of a socket, or the loopback. */
function isThisHost(host: string): boolean {
  return host.startsWith('/') || /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host);
}

function wrong({ file, at }: At, expected: string): LedgerError {
  return new LedgerError('CONFIG_INVALID', `read ${file}${at === '' ? '' : ` at ${at}`}: expected ${expected}`, { file });
}
