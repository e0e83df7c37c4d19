/**
 * Keys that come back: one that a role let go and that a proposal would give to it again. Everything that it signed before would verify once more, at every site
 * that did not see what came between.
 */
import path from 'node:path';
import { keyIdOf, PromoterError } from '@sealane/core';
import { publishedMetadataPath, summarizeMetadata } from '@sealane/trust';
import { readOptional } from '../disk-shell.js';
import type { Home } from '../home.js';
import { delegatedStages, keyIdsOf, rootRoleKeys } from './metadata-json.js';
import type { Proposal } from './proposal.js';

type RolesOf = (metadata: Uint8Array) => ReadonlyMap<string, readonly string[]>;

const ROOT_ROLES = ['root', 'targets', 'snapshot', 'timestamp'] as const;

/** @throws PromoterError `KEY_RETURNED` a role would have a key again that it had let go before what the proposal stands on */
export function refuseReturnedKeys(home: Pick<Home, 'trust'>, proposal: Pick<Proposal, 'basedOn' | 'root' | 'targets'>): void {
  const { basedOn, root, targets } = proposal;
  if (root !== null) refuseReturned('root', rootRoles, publishedChain(home, 'root', basedOn.root), root);
  if (targets !== null) refuseReturned('targets', stageRoles, publishedChain(home, 'targets', basedOn.targets), targets);
}

/** What owners published of a role up to a version, oldest first; of long ago only what is kept. */
function publishedChain({ trust }: Pick<Home, 'trust'>, role: 'root' | 'targets', version: number): readonly Uint8Array[] {
  const files = Array.from({ length: version }, (_, at) => path.join(trust, publishedMetadataPath(role, at + 1)));
  return files.flatMap((file) => readOptional(file) ?? []);
}

function refuseReturned(file: 'root' | 'targets', rolesOf: RolesOf, chain: readonly Uint8Array[], next: Uint8Array): void {
  const earlier = chain.map((bytes) => ({ version: summarizeMetadata(bytes).version, roles: rolesOf(bytes) }));
  for (const [role, keyIds] of rolesOf(next)) {
    const named = earlier.map(({ version, roles }) => ({ version, keyIds: roles.get(role) ?? [] }));
    const now = named.at(-1)?.keyIds ?? [];
    for (const keyId of keyIds) {
      const had = named.findLastIndex((each) => each.keyIds.includes(keyId));
      const without = named[had + 1];
      if (had < 0 || without === undefined || now.includes(keyId)) continue;
      throw new PromoterError(
        'KEY_RETURNED',
        `propose ${file} ${summarizeMetadata(next).version}: expected keys that ${role} has or never had, got ${keyId} again, which version ${without.version} let go`,
        { role, keyId, letGoIn: without.version },
      );
    }
  }
}

function rootRoles(root: Uint8Array): ReadonlyMap<string, readonly string[]> {
  return new Map(ROOT_ROLES.map((role) => [role, rootRoleKeys(root, role).keys.map(keyIdOf)]));
}

function stageRoles(targets: Uint8Array): ReadonlyMap<string, readonly string[]> {
  return new Map([...delegatedStages(targets)].map(([stage, keys]) => [stage, keyIdsOf(keys)]));
}
