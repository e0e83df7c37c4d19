/**
 * Roles that one key must not have together (DESIGN "Two authorities"): what the promoter's host signs by itself is one hand, and neither the owners' nor that of anybody
 * who says what may exist. Whoever took that host would else have an owner's signature, a test result or an exception with it.
 */
import { keyIdOf, PromoterError } from '@sealane/core';
import { parsePolicy, type Policy } from '@sealane/trust';
import { delegatedStages, keyIdsOf, rootRoleKeys } from './metadata-json.js';
import type { Proposal } from './proposal.js';

/** Who has which key: root and targets as they are to be, and the policies beside them. */
export interface Roles {
  readonly root: Uint8Array;
  /** Null where no stage has another key than the policies say. */
  readonly targets: Uint8Array | null;
  readonly policies: readonly Policy[];
}

type Holder = readonly [keyId: string, role: string];

/** @throws PromoterError `KEY_ROLES_SHARED` a key of the promoter's host is an owner's, a person's, a signer's or the registrar's too; or an owner's is a person's */
export function expectRolesApart({ root, targets, policies }: Roles): void {
  const owners = holders(['root', 'targets'], root);
  const online = [...holders(['snapshot', 'timestamp'], root), ...(targets === null ? [] : stages(targets)), ...policies.flatMap(stagesOf)];
  const people = policies.flatMap(peopleOf);
  // policy has other owners than promotion has
  refuseShared(owners, [...online, ...people]);
  refuseShared(online, [...people, ...policies.flatMap(signersOf)]);
}

/**
 * As `expectRolesApart`, of a lane as a proposal would have it. `published`: policies that it may leave as they are; on an owner's machine none is at hand, and
 * what is in the file is judged.
 */
export function expectProposalApart(proposal: Proposal, published: readonly Policy[] = []): void {
  const [root, targets] = [proposal.root ?? proposal.currentRoot, proposal.targets ?? proposal.currentTargets];
  if (root === null || targets === null) return;
  const brought = [...proposal.files].filter(([name]) => name.startsWith('policy/')).map(([, bytes]) => parsePolicy(bytes));
  const kept = published.filter(({ stage }) => delegatedStages(targets).has(stage) && !brought.some((policy) => policy.stage === stage));
  expectRolesApart({ root, targets, policies: [...brought, ...kept] });
}

function refuseShared(these: readonly Holder[], those: readonly Holder[]): void {
  const roleOf = new Map(those);
  for (const [keyId, role] of these) {
    const other = roleOf.get(keyId);
    if (other === undefined) continue;
    throw new PromoterError(
      'KEY_ROLES_SHARED',
      `judge who has which role: expected another key as ${role} than as ${other}, got ${keyId} for both`,
      {
        keyId,
        roles: [role, other],
      },
    );
  }
}

function holders(roles: readonly ('root' | 'targets' | 'snapshot' | 'timestamp')[], root: Uint8Array): readonly Holder[] {
  return roles.flatMap((role) =>
    rootRoleKeys(root, role).keys.map((spki): Holder => [keyIdOf(spki), role === 'root' || role === 'targets' ? `owner of ${role}` : role]),
  );
}

function stages(targets: Uint8Array): readonly Holder[] {
  return [...delegatedStages(targets)].flatMap(([stage, keys]) => keyIdsOf(keys).map((keyId): Holder => [keyId, `stage ${stage}`]));
}

function stagesOf(policy: Policy): readonly Holder[] {
  return policy.chain.flatMap(({ stage, keys }) => inUse(policy, keys, `stage ${stage}`));
}

function peopleOf(policy: Policy): readonly Holder[] {
  return policy.people.flatMap(({ id, keys }) => inUse(policy, keys, `person ${id}`));
}

function signersOf(policy: Policy): readonly Holder[] {
  const signers = Object.entries(policy.signers).flatMap(([kind, keys]) => inUse(policy, keys, `signer of ${kind}`));
  return [...signers, ...inUse(policy, policy.registrar, 'registrar')];
}

/** A key that has ended signs nothing any more: what it signed before stands, in whatever roles it had. */
function inUse({ keys }: Policy, keyIds: readonly string[], role: string): readonly Holder[] {
  return keyIds.filter((keyId) => keys[keyId]?.untilIndex === null).map((keyId): Holder => [keyId, role]);
}
