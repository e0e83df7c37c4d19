/** Delegations of a targets role (TUF 4.5): which other role may speak for which paths, in which order. */
import { createHash } from 'node:crypto';
import { type JsonObject, type JsonValue, TrustError } from '@sealane/core';
import type { DelegatedRole, SuccinctRoles } from '@tufjs/models/dist/role.js';
import type { Targets } from '@tufjs/models';
import { isJsonObject } from './json-object.js';
import { matchesPathPattern } from './path-pattern.js';
import type { TufRules } from './rules.js';
import type { Authority } from './signed-document.js';
import { parseTufKey, type TufKey } from './tuf-key.js';

/** One delegated role and the paths it may speak for. */
export interface Delegation extends Authority {
  readonly name: string;
  readonly terminating: boolean;
  readonly covers: (path: string) => boolean;
}

/** The delegations of one role. `forPath` gives those that cover a path, in order of appearance (TUF 5.6.7.2). */
export interface Delegations {
  readonly forPath: (path: string) => readonly Delegation[];
}

type ModelsDelegations = NonNullable<Targets['delegations']>;

/**
 * The delegations of a targets role. `signed` is the role's signed object: the order of roles is taken from there, since models keeps them in an
 * object, where a role named `1` would come first.
 *
 * @throws TrustError `TRUST_MALFORMED`
 */
export function parseDelegations(fileName: string, delegations: ModelsDelegations, signed: JsonObject, rules: TufRules): Delegations {
  const keys = new Map<string, TufKey>();
  for (const [id, key] of Object.entries(delegations.keys)) keys.set(id, parseTufKey(id, key.toJSON(), rules));
  if (delegations.roles !== undefined) {
    const { roles } = delegations;
    const ordered = roleNames(signed).map((name) => delegationOf(fileName, roles[name], keys));
    return { forPath: (path) => ordered.filter((delegation) => delegation.covers(path)) };
  }
  const { succinctRoles } = delegations;
  if (succinctRoles === undefined) return { forPath: () => [] };
  return { forPath: (path) => [binOf(fileName, succinctRoles, path, keys)] };
}

function roleNames(signed: JsonObject): readonly string[] {
  const delegations = signed.delegations;
  const roles = isJsonObject(delegations) ? delegations.roles : undefined;
  if (!Array.isArray(roles)) return [];
  return roles.flatMap((role: JsonValue) => (isJsonObject(role) && typeof role.name === 'string' ? [role.name] : []));
}

function delegationOf(fileName: string, role: DelegatedRole | undefined, keys: ReadonlyMap<string, TufKey>): Delegation {
  if (role === undefined) throw new TrustError('TRUST_MALFORMED', `read ${fileName}: expected every delegated role to have a name`);
  const { paths, pathHashPrefixes } = role;
  const covers = (path: string): boolean =>
    paths?.some((pattern) => matchesPathPattern(path, pattern)) ??
    pathHashPrefixes?.some((prefix) => createHash('sha256').update(path).digest('hex').startsWith(prefix)) ??
    false;
  return { name: role.name, terminating: role.terminating, covers, ...authorityOf(fileName, role, keys) };
}

/** TAP 15: one of 2^n bins, named by the first bits of the path's hash; bins always terminate. */
function binOf(fileName: string, bins: SuccinctRoles, path: string, keys: ReadonlyMap<string, TufKey>): Delegation {
  const name = bins.getRoleForTarget(path);
  return { name, terminating: true, covers: (other) => bins.getRoleForTarget(other) === name, ...authorityOf(fileName, bins, keys) };
}

function authorityOf(
  fileName: string,
  role: { readonly keyIDs: readonly string[]; readonly threshold: number },
  keys: ReadonlyMap<string, TufKey>,
): Authority {
  if (!Number.isSafeInteger(role.threshold)) {
    throw new TrustError('TRUST_MALFORMED', `read ${fileName}: expected a whole threshold, got ${role.threshold}`, { fileName });
  }
  return { keys, keyIds: role.keyIDs, threshold: role.threshold };
}
