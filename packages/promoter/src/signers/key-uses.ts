/** Where each key of the lane is used, by the policies in force. */
import { readdirSync } from 'node:fs';
import type { Policy } from '@sealane/trust';
import type { Promoter } from '../promoter.js';
import { readPublicHalf } from './key-file.js';

/** A key with the names of its files here, its uses (`prod: approver alice`), and the log indexes in which it counts. */
export interface KeyUse {
  readonly id: string;
  readonly names: readonly string[];
  readonly uses: readonly string[];
  readonly fromIndex: number;
  readonly untilIndex: number | null;
}

/** Every key of every policy, each once. */
export function keyUses({ lane, home }: Promoter, idOf: (spki: Uint8Array) => string): readonly KeyUse[] {
  const names = namesById(home.keys, idOf);
  const ids = new Set([...lane.stages.values()].flatMap(({ policy }) => Object.keys(policy.keys)));
  return [...ids].map((id) => {
    const policies = [...lane.stages.values()].map(({ policy }) => policy).filter((policy) => id in policy.keys);
    const row = policies.at(-1)?.keys[id];
    return {
      id,
      names: names.get(id) ?? [],
      uses: [...new Set(policies.flatMap((policy) => usesIn(policy, id)))],
      fromIndex: row?.fromIndex ?? 0,
      untilIndex: row?.untilIndex ?? null,
    };
  });
}

function usesIn(policy: Policy, id: string): readonly string[] {
  return [
    ...policy.chain.filter(({ keys }) => keys.includes(id)).map(({ stage }) => `decides for ${stage}`),
    ...policy.people.filter(({ keys }) => keys.includes(id)).map((person) => `${policy.stage}: approver ${person.id}`),
    ...Object.entries(policy.signers)
      .filter(([, keys]) => keys.includes(id))
      .map(([kind]) => `${policy.stage}: signs ${kind}`),
    ...(policy.registrar.includes(id) ? [`${policy.stage}: registrar`] : []),
  ];
}

function namesById(folder: string, idOf: (spki: Uint8Array) => string): Map<string, string[]> {
  const names = [
    ...new Set(
      readdirSync(folder)
        .filter((file) => file.endsWith('.pem'))
        .map((file) => file.replace(/(\.pub)?\.pem$/, '')),
    ),
  ];
  const byId = new Map<string, string[]>();
  for (const name of names) {
    const id = idOf(readPublicHalf(folder, name));
    byId.set(id, [...(byId.get(id) ?? []), name]);
  }
  return byId;
}
