/** Makes a proposal: what pipeline.yaml, keys and revocations say now, against what is published. Pure. */
import { equalBytes, keyIdOf } from '@sealane/core';
import {
  describeTarget,
  encodePolicy,
  encodeTrustedRoot,
  EXAMPLE_MARK,
  type Policy,
  policyDigest,
  type RoleKeys,
  rootMetadata,
  ROOTS_LOGGED_MARK,
  type StageDelegation,
  type TargetDescription,
  targetsMetadata,
  tufExpiryAt,
} from '@sealane/trust';
import type { Pipeline } from '../pipeline/pipeline.js';
import { describedChanges } from './described-changes.js';
import { delegatedStages, keyIdsOf, listedTargets, rootRoleKeys } from './metadata-json.js';
import { policyFor } from './policies.js';
import type { FindKey, RevokedKey } from './policy-source.js';
import { samePolicy } from './policy-changes.js';
import type { Proposal } from './proposal.js';

/** How many earlier policies stay accepted: enough for a year of monthly changes, few enough to read. */
const MAX_ACCEPTED = 16;

/** The published files that a proposal is based on. */
export interface Published {
  readonly root: { readonly version: number; readonly bytes: Uint8Array };
  readonly targets: { readonly version: number; readonly bytes: Uint8Array };
  readonly policies: ReadonlyMap<string, { readonly policy: Policy; readonly bytes: Uint8Array }>;
  /** Reads a target that is listed. */
  readonly file: (target: TargetDescription) => Uint8Array;
  readonly isExample: boolean;
}

/** What is wanted. `replacement` gives the key that takes the place of a key of root, by its id; `renew` makes both roles anew, for longer. */
export interface ProposalWish {
  readonly pipeline: Pipeline;
  readonly findKey: FindKey;
  readonly replacement: (keyId: string) => Uint8Array | undefined;
  readonly revoked: readonly RevokedKey[];
  readonly logVkey: string;
  readonly logSize: number;
  readonly now: string;
  readonly accept: 'earlier-policies' | 'none';
  readonly renew: 'when-changed' | 'always';
}

/** The proposal, or undefined when nothing differs from what is published. @throws PromoterError `CONFIG_INVALID`; TrustError `TRUST_MALFORMED` */
export function propose(published: Published, wish: ProposalWish): Proposal | undefined {
  const root = proposeRoot(published, wish);
  // what the owners of before signed has too few signatures under a root that names others
  const renew = root !== undefined && replacesOwnersOfTargets(published.root.bytes, root) ? 'always' : wish.renew;
  const targets = proposeTargets(published, { ...wish, renew });
  if (root === undefined && targets === undefined) return undefined;
  const files = targets?.files ?? new Map<string, Uint8Array>();
  const parts = {
    currentRoot: published.root.bytes,
    currentTargets: published.targets.bytes,
    currentFiles: new Map([...files.keys()].flatMap((path) => publishedFile(published, path))),
    root: root ?? null,
    targets: targets?.bytes ?? null,
    files,
  };
  return {
    ...parts,
    lane: wish.pipeline.lane,
    basedOn: { root: published.root.version, targets: published.targets.version },
    changes: describedChanges(parts),
  };
}

/** What lies at a path of the published targets, if anything does. */
function publishedFile({ targets, file }: Published, path: string): readonly (readonly [string, Uint8Array])[] {
  return listedTargets(targets.bytes)
    .filter((target) => target.path === path)
    .map((target) => [path, file(target)]);
}

/** A new root when one of its keys has a replacement; the keys of `targets` are root's to name. */
function proposeRoot({ root, isExample }: Published, wish: ProposalWish): Uint8Array | undefined {
  const replaced: string[] = [];
  const roleOf = (role: 'root' | 'targets' | 'snapshot' | 'timestamp'): RoleKeys => {
    const { keys, threshold } = rootRoleKeys(root.bytes, role);
    const next = keys.map((spki) => wish.replacement(keyIdOf(spki)) ?? spki);
    if (keys.some((spki, at) => !equalBytes(next[at] ?? spki, spki))) replaced.push(role);
    return { keys: next, threshold };
  };
  const roles = { root: roleOf('root'), targets: roleOf('targets'), snapshot: roleOf('snapshot'), timestamp: roleOf('timestamp') };
  if (replaced.length === 0 && wish.renew === 'when-changed') return undefined;
  const expiresAt = tufExpiryAt('root', wish.now);
  const marks = { [ROOTS_LOGGED_MARK]: true, ...(isExample ? { [EXAMPLE_MARK]: true } : {}) };
  return rootMetadata({ version: root.version + 1, expiresAt, roles, marks });
}

function replacesOwnersOfTargets(before: Uint8Array, after: Uint8Array): boolean {
  const [old, now] = [before, after].map((root) => rootRoleKeys(root, 'targets').keys.map(keyIdOf).sort().join());
  return old !== now;
}

/** New targets when a policy, the trusted root or a stage's key differs: policy and delegation change in one version. */
function proposeTargets(
  published: Published,
  wish: ProposalWish,
): { readonly bytes: Uint8Array; readonly files: ReadonlyMap<string, Uint8Array> } | undefined {
  const policies = wish.pipeline.stages.map(({ name }) => nextPolicy(published, wish, name));
  const last = policies.at(-1);
  if (last === undefined) return undefined;
  const trustedRoot = encodeTrustedRoot(last.policy);
  const before = listedTargets(published.targets.bytes);
  const wanted = new Map([
    ...policies.map(({ policy, bytes }): [string, Uint8Array] => [`policy/${policy.stage}.json`, bytes]),
    ['trusted_root.json', trustedRoot],
  ]);
  const targets = [...wanted].map(([path, bytes]) => describeTarget(path, bytes));
  const stages = wish.pipeline.stages.map(({ name, key }): StageDelegation => ({
    stage: name,
    keys: [wish.findKey(key ?? name)],
    threshold: 1,
  }));
  const changed = targets.filter((target) => !before.some((old) => sameTarget(old, target)));
  const dropped = before.filter(({ path }) => !wanted.has(path));
  const isSame = changed.length + dropped.length === 0 && !areDelegationsChanged(published.targets.bytes, stages);
  if (isSame && wish.renew === 'when-changed') return undefined;
  const term = { version: published.targets.version + 1, expiresAt: tufExpiryAt('targets', wish.now) };
  return {
    bytes: targetsMetadata({ ...term, targets, stages }),
    files: new Map([...wanted].filter(([path]) => changed.some((target) => target.path === path))),
  };
}

function nextPolicy(published: Published, wish: ProposalWish, stage: string): { readonly policy: Policy; readonly bytes: Uint8Array } {
  const before = published.policies.get(stage);
  const [any] = [...published.policies.values()];
  const source = { ...wish, ...(any === undefined ? {} : { laneBefore: any.policy }) };
  const made = policyFor(before === undefined ? source : { ...source, before: before.policy }, stage);
  if (before === undefined) return { policy: made, bytes: encodePolicy(made) };
  if (samePolicy(made, before.policy)) return before;
  // what was decided under the policy before goes on counting, below this index: owners strike the line where it must not
  const accepted =
    wish.accept === 'none'
      ? []
      : [{ digest: policyDigest(before.bytes), belowIndex: wish.logSize }, ...before.policy.accepts].slice(0, MAX_ACCEPTED);
  const policy = { ...made, accepts: accepted };
  return { policy, bytes: encodePolicy(policy) };
}

function sameTarget(a: TargetDescription, b: TargetDescription): boolean {
  return a.path === b.path && a.sha256Hex === b.sha256Hex && a.lengthBytes === b.lengthBytes;
}

function areDelegationsChanged(targets: Uint8Array, stages: readonly StageDelegation[]): boolean {
  const before = delegatedStages(targets);
  const isChanged = (stage: StageDelegation): boolean => {
    const old = before.get(stage.stage);
    return old === undefined || keyIdsOf(old).join() !== keyIdsOf(stage).join();
  };
  return before.size !== stages.length || stages.some(isChanged);
}
