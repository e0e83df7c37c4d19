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
import { delegatedStages, keyIdsOf, listedTargets, rootRoleKeys } from './metadata-json.js';
import { policyFor } from './policies.js';
import type { FindKey, RevokedKey } from './policy-source.js';
import { policyChanges, samePolicy } from './policy-changes.js';
import type { Proposal } from './proposal.js';

/** How many earlier policies stay accepted: enough for a year of monthly changes, few enough to read. */
const MAX_ACCEPTED = 16;

/** The published files that a proposal is based on. */
export interface Published {
  readonly root: { readonly version: number; readonly bytes: Uint8Array };
  readonly targets: { readonly version: number; readonly bytes: Uint8Array };
  readonly policies: ReadonlyMap<string, { readonly policy: Policy; readonly bytes: Uint8Array }>;
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
  const targets = proposeTargets(published, wish);
  if (root === undefined && targets === undefined) return undefined;
  return {
    lane: wish.pipeline.lane,
    basedOn: { root: published.root.version, targets: published.targets.version },
    changes: [...(root?.changes ?? []), ...(targets?.changes ?? [])],
    currentRoot: published.root.bytes,
    root: root?.bytes ?? null,
    targets: targets?.bytes ?? null,
    files: targets?.files ?? new Map(),
  };
}

interface Part {
  readonly bytes: Uint8Array;
  readonly changes: readonly string[];
}

/** A new root when one of its keys has a replacement; the keys of `targets` are root's to name. */
function proposeRoot({ root, isExample }: Published, wish: ProposalWish): Part | undefined {
  const changes: string[] = [];
  const roleOf = (role: 'root' | 'targets' | 'snapshot' | 'timestamp'): RoleKeys => {
    const { keys, threshold } = rootRoleKeys(root.bytes, role);
    const next = keys.map((spki) => wish.replacement(keyIdOf(spki)) ?? spki);
    keys.forEach((spki, at) => {
      const other = next[at];
      if (other !== undefined && !equalBytes(other, spki)) changes.push(`root: ${role}: key ${keyIdOf(spki)} becomes ${keyIdOf(other)}`);
    });
    return { keys: next, threshold };
  };
  const roles = { root: roleOf('root'), targets: roleOf('targets'), snapshot: roleOf('snapshot'), timestamp: roleOf('timestamp') };
  if (changes.length === 0 && wish.renew === 'when-changed') return undefined;
  const expiresAt = tufExpiryAt('root', wish.now);
  const marks = { [ROOTS_LOGGED_MARK]: true, ...(isExample ? { [EXAMPLE_MARK]: true } : {}) };
  const bytes = rootMetadata({ version: root.version + 1, expiresAt, roles, marks });
  return { bytes, changes: [...changes, `root: version ${root.version + 1}, until ${expiresAt}`] };
}

/** New targets when a policy, the trusted root or a stage's key differs: policy and delegation change in one version. */
function proposeTargets(
  published: Published,
  wish: ProposalWish,
): (Part & { readonly files: ReadonlyMap<string, Uint8Array> }) | undefined {
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
  const delegations = delegationChanges(published.targets.bytes, stages);
  if (changed.length + dropped.length + delegations.length === 0 && wish.renew === 'when-changed') return undefined;
  const version = published.targets.version + 1;
  const expiresAt = tufExpiryAt('targets', wish.now);
  return {
    bytes: targetsMetadata({ version, expiresAt, targets, stages }),
    files: new Map([...wanted].filter(([path]) => changed.some((target) => target.path === path))),
    changes: [
      ...policies.flatMap(({ changes }) => changes),
      ...delegations,
      ...dropped.map(({ path }) => `${path}: dropped`),
      `targets: version ${version}, until ${expiresAt}`,
    ],
  };
}

function nextPolicy(
  published: Published,
  wish: ProposalWish,
  stage: string,
): { policy: Policy; bytes: Uint8Array; changes: readonly string[] } {
  const before = published.policies.get(stage);
  const [any] = [...published.policies.values()];
  const source = { ...wish, ...(any === undefined ? {} : { laneBefore: any.policy }) };
  const made = policyFor(before === undefined ? source : { ...source, before: before.policy }, stage);
  if (before === undefined) return { policy: made, bytes: encodePolicy(made), changes: policyChanges(made, undefined) };
  if (samePolicy(made, before.policy)) return { ...before, changes: [] };
  // what was decided under the policy before goes on counting, below this index: owners strike the line where it must not
  const accepted =
    wish.accept === 'none'
      ? []
      : [{ digest: policyDigest(before.bytes), belowIndex: wish.logSize }, ...before.policy.accepts].slice(0, MAX_ACCEPTED);
  const policy = { ...made, accepts: accepted };
  return { policy, bytes: encodePolicy(policy), changes: policyChanges(policy, before.policy) };
}

function sameTarget(a: TargetDescription, b: TargetDescription): boolean {
  return a.path === b.path && a.sha256Hex === b.sha256Hex && a.lengthBytes === b.lengthBytes;
}

function delegationChanges(targets: Uint8Array, stages: readonly StageDelegation[]): readonly string[] {
  const before = delegatedStages(targets);
  const added = stages.flatMap((stage) => {
    const old = before.get(stage.stage);
    const ids = keyIdsOf(stage).join(', ');
    return old !== undefined && keyIdsOf(old).join(', ') === ids
      ? []
      : [`channel/${stage.stage}.json: signed by ${ids}${old === undefined ? '' : `, before by ${keyIdsOf(old).join(', ')}`}`];
  });
  const gone = [...before.keys()].filter((name) => !stages.some(({ stage }) => stage === name));
  return [...added, ...gone.map((name) => `channel/${name}.json: stage dropped`)];
}
