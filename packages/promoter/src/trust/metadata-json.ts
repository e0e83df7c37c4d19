/** What the publisher reads back out of its own metadata: keys as SPKI, listed targets, marks. Nothing here verifies a signature. */
import { createPublicKey } from 'node:crypto';
import { type JsonObject, type JsonValue, keyIdOf, LIMITS, parseStrictJson, PromoterError } from '@sealane/core';
import type { RoleKeys, TargetDescription } from '@sealane/trust';

/** The `signed` part of a metadata file. @throws PromoterError `TRUST_MALFORMED` */
export function signedPart(bytes: Uint8Array): JsonObject {
  return objectAt(objectOf(parseStrictJson(bytes, { maxBytes: LIMITS.targetsBytes, maxDepth: LIMITS.jsonDepth }), 'metadata'), 'signed');
}

/** Keys (SPKI DER) and threshold of a role that root names. */
export function rootRoleKeys(root: Uint8Array, role: 'root' | 'targets' | 'snapshot' | 'timestamp'): RoleKeys {
  const signed = signedPart(root);
  return roleKeys(objectAt(signed, 'keys'), objectAt(objectAt(signed, 'roles'), role));
}

/** Keys and threshold of every delegated stage of a targets file. */
export function delegatedStages(targets: Uint8Array): ReadonlyMap<string, RoleKeys> {
  const delegations = signedPart(targets)['delegations'];
  if (delegations === undefined) return new Map();
  const { keys, roles } = objectOf(delegations, 'delegations');
  return new Map(
    listOf(roles, 'roles').map((item) => {
      const role = objectOf(item, 'role');
      return [textAt(role, 'name'), roleKeys(objectOf(keys, 'keys'), role)];
    }),
  );
}

/** The delegations of a targets file as they are signed, with keys by the ids that are used everywhere else. */
export function delegationsIn(targets: Uint8Array): JsonObject {
  const delegations = signedPart(targets)['delegations'];
  if (delegations === undefined) return {};
  const { keys, ...others } = objectOf(delegations, 'delegations');
  const idOf = (id: JsonValue): string => keyIdOf(spkiOf(objectAt(objectOf(keys, 'keys'), typeof id === 'string' ? id : '')));
  const roles = listOf(others['roles'], 'roles').map((item) => {
    const role = objectOf(item, 'role');
    return { ...role, keyids: listOf(role['keyids'], 'keyids').map(idOf) };
  });
  return { ...others, roles };
}

/** The targets that a targets file lists itself. */
export function listedTargets(targets: Uint8Array): readonly TargetDescription[] {
  return Object.entries(objectAt(signedPart(targets), 'targets')).map(([path, value]) => {
    const target = objectOf(value, path);
    const length = target['length'];
    if (typeof length !== 'number') throw malformed(`a length of ${path}`);
    return { path, lengthBytes: length, sha256Hex: textAt(objectAt(target, 'hashes'), 'sha256') };
  });
}

/** Key ids (hex SHA-256 of SPKI) of a role. */
export function keyIdsOf({ keys }: RoleKeys): readonly string[] {
  return keys.map(keyIdOf);
}

function roleKeys(keys: JsonObject, role: JsonObject): RoleKeys {
  const { threshold, keyids } = role;
  if (typeof threshold !== 'number') throw malformed('a threshold');
  return { threshold, keys: listOf(keyids, 'keyids').map((id) => spkiOf(objectAt(keys, typeof id === 'string' ? id : ''))) };
}

function spkiOf(key: JsonObject): Uint8Array {
  return new Uint8Array(createPublicKey(textAt(objectAt(key, 'keyval'), 'public')).export({ type: 'spki', format: 'der' }));
}

function objectAt(from: JsonObject, name: string): JsonObject {
  return objectOf(from[name], name);
}

function objectOf(value: JsonValue | undefined, what: string): JsonObject {
  if (typeof value === 'object' && value !== null && !isList(value)) return value;
  throw malformed(`an object as ${what}`);
}

function listOf(value: JsonValue | undefined, what: string): readonly JsonValue[] {
  if (isList(value)) return value;
  throw malformed(`a list as ${what}`);
}

function textAt(from: JsonObject, name: string): string {
  const value = from[name];
  if (typeof value === 'string') return value;
  throw malformed(`text as ${name}`);
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function malformed(expected: string): PromoterError {
  return new PromoterError('TRUST_MALFORMED', `read metadata: expected ${expected}, got something else`);
}
