/**
 * Scopes: which keys, people and source repositories a team has, and for which releases and classes of workload.
 *
 * A key that a scope names signs nothing outside of it, whatever role policy gives it; a key that no scope names is the whole organisation's.
 */
import { canonicalJson, fromUtf8 } from '@sealane/core';
import { z } from 'zod';
import type { Policy, PolicyScope } from './policy-types.js';
import { keyIdShape, MAX_LIST, nameShape } from './shapes.js';
import { classFilterShape, isOfClass, type WorkloadClass } from './workload-class.js';

/** A release's name, or its beginning and `*`; never `*` alone: the organisation's own keys are in no scope. */
const releasePatternShape = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}\*?$/);

/** Zod's shape of a scope. */
export const scopeShape = z.strictObject({
  team: nameShape,
  releases: z.array(releasePatternShape).min(1).max(MAX_LIST),
  classes: classFilterShape,
  signers: z.array(keyIdShape).max(MAX_LIST),
  people: z.array(nameShape).max(MAX_LIST),
  repositories: z.array(z.string().min(1).max(2048)).max(MAX_LIST),
});

/** What of a release decides its scope. */
export interface ScopedRelease {
  readonly name: string;
  readonly declares?: { readonly class?: WorkloadClass };
}

/** The scope of a release; none where policy has no scopes. */
export type ScopeFound = { readonly ok: true; readonly scope: PolicyScope | undefined } | { readonly ok: false; readonly why: string };

/** The one scope that a release is in. In none, or in two at once, it is in none: who may sign for it could not be told. */
export function scopeOf({ scopes = [] }: Pick<Policy, 'scopes'>, release: ScopedRelease): ScopeFound {
  if (scopes.length === 0) return { ok: true, scope: undefined };
  const named = scopes.filter(({ releases }) => releases.some((pattern) => matches(pattern, release.name)));
  const found = named.filter(({ classes }) => isOfClass(classes, release.declares?.class));
  const [scope, other] = found;
  if (scope !== undefined && other === undefined) return { ok: true, scope };
  const teams = (list: readonly PolicyScope[]): string => list.map(({ team }) => team).join(', ');
  if (other !== undefined) return { ok: false, why: `${release.name} is in the scopes of ${teams(found)} at once` };
  if (named.length === 0) return { ok: false, why: `${release.name} is in no scope` };
  const declared = release.declares?.class === undefined ? 'declares no class' : 'is of another class';
  return { ok: false, why: `${release.name} ${declared} than the scope of ${teams(named)} is for` };
}

/** Why a key may not sign about a release; undefined when it may. */
export function outsideScope(policy: Pick<Policy, 'scopes' | 'people'>, release: ScopedRelease, keyId: string): string | undefined {
  const own = (policy.scopes ?? []).filter((scope) => keysOf(policy, scope).includes(keyId));
  if (own.length === 0) return undefined;
  const found = scopeOf(policy, release);
  if (found.ok && found.scope !== undefined && own.includes(found.scope)) return undefined;
  return `key ${keyId} is for the releases of ${own.map(({ team }) => team).join(', ')}, not for ${release.name}`;
}

/** What tells a scope from the others: its team, and the classes it is for. */
export function scopeName({ team, classes }: Pick<PolicyScope, 'team' | 'classes'>): string {
  return `${team} ${fromUtf8(canonicalJson(classes))}`;
}

/** The keys of a scope: its signers', and its people's. */
function keysOf({ people }: Pick<Policy, 'people'>, scope: PolicyScope): readonly string[] {
  return [...scope.signers, ...people.filter(({ id }) => scope.people.includes(id)).flatMap(({ keys }) => keys)];
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
