/**
 * The four kinds of TUF metadata as typed values (TUF 4.3 to 4.6). `@tufjs/models` reads the format; what it lets pass and we do not is checked here.
 *
 * Call these only on documents whose signatures were verified.
 */
import { type JsonObject, TrustError } from '@sealane/core';
import { type MetaFile, Root, Snapshot, Targets, Timestamp } from '@tufjs/models';
import { type Delegations, parseDelegations } from './delegation.js';
import { parseExpiry } from './expiry.js';
import { type Hashes, parseHashes } from './file-hash.js';
import { isJsonObject } from './json-object.js';
import { TOP_ROLES, type TopRole, type TufRules } from './rules.js';
import type { Authority, SignedDocument } from './signed-document.js';
import { parseTufKey, type TufKey } from './tuf-key.js';

/** What every role's metadata has. `expiresMs` is in milliseconds since 1970. */
export interface RoleMetadata {
  readonly version: number;
  readonly expiresMs: number;
}

/** What a role says of another file: its version, and length and hashes where listed. */
export interface ListedFile {
  readonly version: number;
  readonly lengthBytes: number | undefined;
  readonly hashes: Hashes | undefined;
}

/** `extra` holds the fields that the specification does not name, such as `x-sealane-example`. */
export interface RootMetadata extends RoleMetadata {
  readonly consistentSnapshot: boolean;
  readonly keys: ReadonlyMap<string, TufKey>;
  readonly roles: Readonly<Record<TopRole, Authority>>;
  readonly extra: JsonObject;
}

export interface TimestampMetadata extends RoleMetadata {
  readonly snapshot: ListedFile;
}

/** `roles` maps role name (no `.json`) → its listed file; `targets` is one of them. */
export interface SnapshotMetadata extends RoleMetadata {
  readonly roles: ReadonlyMap<string, ListedFile>;
}

/** One target: its length, hashes (sha256 or sha512, at least one) and the publisher's own fields. */
export interface TargetEntry {
  readonly lengthBytes: number;
  readonly hashes: Hashes;
  readonly custom: JsonObject;
}

export interface TargetsMetadata extends RoleMetadata {
  readonly targets: ReadonlyMap<string, TargetEntry>;
  readonly delegations: Delegations | undefined;
}

/** @throws TrustError `TRUST_MALFORMED` */
export function parseRoot(fileName: string, document: SignedDocument, rules: TufRules): RootMetadata {
  const root = parseWith(fileName, 'root', document, (signed) => Root.fromJSON(signed));
  const keys = new Map<string, TufKey>();
  for (const [id, key] of Object.entries(root.keys)) keys.set(id, parseTufKey(id, key.toJSON(), rules));
  const roles: Partial<Record<TopRole, Authority>> = {};
  for (const name of TOP_ROLES) {
    const role = root.roles[name];
    if (role === undefined) throw malformed(fileName, `a role ${name}`);
    roles[name] = { keys, keyIds: role.keyIDs, threshold: wholeNumber(fileName, 'threshold', role.threshold, 1) };
  }
  // every name of TOP_ROLES was set by the loop above
  const complete = roles as Record<TopRole, Authority>;
  return {
    ...commonFields(fileName, root, rules),
    consistentSnapshot: root.consistentSnapshot,
    keys,
    roles: complete,
    extra: extraFields(document.signed),
  };
}

/** @throws TrustError `TRUST_MALFORMED` */
export function parseTimestamp(fileName: string, document: SignedDocument, rules: TufRules): TimestampMetadata {
  const timestamp = parseWith(fileName, 'timestamp', document, (signed) => Timestamp.fromJSON(signed));
  return { ...commonFields(fileName, timestamp, rules), snapshot: listedFile(fileName, timestamp.snapshotMeta) };
}

/** @throws TrustError `TRUST_MALFORMED` */
export function parseSnapshot(fileName: string, document: SignedDocument, rules: TufRules): SnapshotMetadata {
  const snapshot = parseWith(fileName, 'snapshot', document, (signed) => Snapshot.fromJSON(signed));
  const roles = new Map<string, ListedFile>();
  for (const [name, file] of Object.entries(snapshot.meta)) {
    if (!name.endsWith('.json')) throw malformed(fileName, `file names that end in .json, not ${JSON.stringify(name.slice(0, 64))}`);
    roles.set(name.slice(0, -'.json'.length), listedFile(fileName, file));
  }
  return { ...commonFields(fileName, snapshot, rules), roles };
}

/** @throws TrustError `TRUST_MALFORMED` */
export function parseTargets(fileName: string, document: SignedDocument, rules: TufRules): TargetsMetadata {
  const role = parseWith(fileName, 'targets', document, (signed) => Targets.fromJSON(signed));
  const targets = new Map<string, TargetEntry>();
  for (const [path, target] of Object.entries(role.targets)) {
    const custom = target.unrecognizedFields.custom;
    targets.set(path, {
      lengthBytes: wholeNumber(fileName, 'length', target.length, 0),
      hashes: parseHashes(fileName, target.hashes),
      custom: isJsonObject(custom) ? custom : {},
    });
  }
  const delegations = role.delegations === undefined ? undefined : parseDelegations(fileName, role.delegations, document.signed, rules);
  return { ...commonFields(fileName, role, rules), targets, delegations };
}

/** Fields of root that TUF 4.3 does not name. */
function extraFields(signed: JsonObject): JsonObject {
  const known = ['_type', 'spec_version', 'version', 'expires', 'consistent_snapshot', 'keys', 'roles'];
  return Object.fromEntries(Object.entries(signed).filter(([field]) => !known.includes(field)));
}

/** A document's `_type` must be the one asked for (TUF 4.3): a snapshot signed by the timestamp's key is no timestamp. */
function parseWith<T>(fileName: string, type: TopRole, document: SignedDocument, parse: (signed: ModelsJson) => T): T {
  if (document.signed._type !== type)
    throw malformed(fileName, `_type ${type}, got ${JSON.stringify(document.signed._type ?? null).slice(0, 40)}`);
  try {
    // strict JSON has no undefined in it, and models only reads: the types differ in readonly alone
    return parse(document.signed as ModelsJson);
  } catch (cause) {
    // models throws TypeError, ValueError and the like for every shape it does not know
    if (!(cause instanceof Error)) throw cause;
    throw new TrustError('TRUST_MALFORMED', `read ${fileName}: ${cause.message}`, { fileName }, { cause });
  }
}

/** JSON as models types it. */
type ModelsJson = Parameters<typeof Root.fromJSON>[0];

interface CommonFields {
  readonly version: number;
  readonly expires: string;
}

function commonFields(fileName: string, signed: CommonFields, rules: TufRules): RoleMetadata {
  return { version: wholeNumber(fileName, 'version', signed.version, 1), expiresMs: parseExpiry(fileName, signed.expires, rules) };
}

function listedFile(fileName: string, file: MetaFile): ListedFile {
  return {
    version: wholeNumber(fileName, 'listed version', file.version, 1),
    lengthBytes: file.length === undefined ? undefined : wholeNumber(fileName, 'listed length', file.length, 0),
    hashes: file.hashes === undefined ? undefined : parseHashes(fileName, file.hashes),
  };
}

/** models takes any number, also 1.5 and -3. */
function wholeNumber(fileName: string, field: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw malformed(fileName, `${field} to be a whole number of at least ${least}, got ${value}`);
}

function malformed(fileName: string, expected: string): TrustError {
  return new TrustError('TRUST_MALFORMED', `read ${fileName}: expected ${expected}`, { fileName });
}
