/** Updating the top-level targets role, and searching the delegations for a path (TUF 5.6). */
import { LIMITS, TrustError } from '@sealane/core';
import type { Delegation } from './delegation.js';
import { requireFresh } from './expiry.js';
import type { TufFlow } from './flow.js';
import { type LoadedRole, loadListedRole } from './listed-role.js';
import { parseTargets, type RootMetadata, type SnapshotMetadata, type TargetEntry, type TargetsMetadata } from './metadata.js';
import type { TufRun } from './rules.js';
import type { Authority } from './signed-document.js';
import { type TufState, withSigners } from './state.js';

/** TUF 5.6.7.1: the most roles that one search may visit. A lane has one level of delegations. */
const MAX_VISITED_ROLES = 32;

/** What a search needs of the roles above. */
export interface TargetsContext {
  readonly root: RootMetadata;
  readonly snapshot: SnapshotMetadata;
  readonly state: TufState;
}

/** A target and the role that speaks for it. */
export interface FoundTarget {
  readonly role: string;
  readonly metadata: TargetsMetadata;
  readonly entry: TargetEntry;
}

/** @throws TrustError `TRUST_MISMATCH`, `TRUST_TOO_LARGE`, `TRUST_THRESHOLD`, `TRUST_MALFORMED`, `TRUST_EXPIRED` */
export function* updateTargets(
  run: TufRun,
  context: TargetsContext,
): TufFlow<{ readonly targets: TargetsMetadata; readonly state: TufState }> {
  const { metadata, signedBy } = yield* loadTargetsRole(run, context, 'targets', context.root.roles.targets, () => true);
  return { targets: metadata, state: withSigners(context.state, 'targets', metadata.version, signedBy, run.rules) };
}

/**
 * Searches for a target, pre-order and depth-first from the top-level role (TUF 5.6.7). Undefined when no role that may speak for the path lists it.
 *
 * A role is verified anew under each role that delegates to it: authority is never inherited from another path of the search.
 *
 * @throws TrustError as `updateTargets` for a role on the way; `TRUST_WRONG_ROLE` under `lane` rules when a role lists paths outside its delegation
 */
export function* findTarget(
  run: TufRun,
  context: TargetsContext,
  targets: TargetsMetadata,
  path: string,
): TufFlow<FoundTarget | undefined> {
  const visited = new Set(['targets']);
  const own = targets.targets.get(path);
  if (own !== undefined) return { role: 'targets', metadata: targets, entry: own };
  let queue: readonly Delegation[] = searchNext(targets, path);
  for (let next = queue[0]; next !== undefined && visited.size < MAX_VISITED_ROLES; next = queue[0]) {
    queue = queue.slice(1);
    // TUF 5.6.7.1: a role that was visited before is skipped, so cycles end
    if (visited.has(next.name)) continue;
    visited.add(next.name);
    const { metadata } = yield* loadTargetsRole(run, context, next.name, next, next.covers);
    const entry = metadata.targets.get(path);
    if (entry !== undefined) return { role: next.name, metadata, entry };
    // TUF 5.6.7.2.1: behind a terminating delegation nothing but its own descendants is searched
    const descendants = searchNext(metadata, path);
    queue = next.terminating ? descendants : [...descendants, ...queue];
  }
  return undefined;
}

/** The delegations to follow for a path: up to and with the first terminating one, the others can never be reached. */
function searchNext(metadata: TargetsMetadata, path: string): readonly Delegation[] {
  return metadata.delegations?.forPath(path) ?? [];
}

function* loadTargetsRole(
  run: TufRun,
  context: TargetsContext,
  role: string,
  authority: Authority,
  covers: (path: string) => boolean,
): TufFlow<LoadedRole<TargetsMetadata>> {
  const listed = context.snapshot.roles.get(role);
  if (listed === undefined) {
    throw new TrustError('TRUST_MISMATCH', `load ${role}: expected the snapshot to list ${role}.json, got no entry`, { role });
  }
  const loaded = yield* loadListedRole(run, {
    role,
    listed,
    authority,
    consistentSnapshot: context.root.consistentSnapshot,
    maxBytes: role === 'targets' ? LIMITS.targetsBytes : LIMITS.stageBytes,
    parse: parseTargets,
    check: (fileName, metadata) => {
      if (run.rules === 'lane') requireOwnPaths(fileName, role, metadata, covers);
      // TUF 5.6.5: for stage roles this is what judges an imported medium; only people lift it, and never that of the owners' role
      if (role === 'targets' || run.expiry !== 'lifted') requireFresh(fileName, metadata.expiresMs, run);
    },
  });
  if (!loaded.kept) yield { ask: 'keep', role, bytes: loaded.bytes, state: context.state };
  return loaded;
}

/** Plain TUF passes over paths outside a role's delegation; in a lane they are a sign that the role's key is in other hands. */
function requireOwnPaths(fileName: string, role: string, metadata: TargetsMetadata, covers: (path: string) => boolean): void {
  const outside = [...metadata.targets.keys()].find((path) => !covers(path));
  if (outside === undefined) return;
  throw new TrustError(
    'TRUST_WRONG_ROLE',
    `check ${fileName}: expected only paths delegated to ${role}, got ${JSON.stringify(outside.slice(0, 128))}`,
    {
      fileName,
      role,
      path: outside,
    },
  );
}
