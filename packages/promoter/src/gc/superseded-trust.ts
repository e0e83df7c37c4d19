/**
 * Trust that later publications have replaced: each leaves a snapshot, a stage's role and its channel, which no client asks for any more. Roots stay for
 * good, since a site that was away follows them one by one; what owners signed (targets, policies) stays too.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { listFolder } from '../disk-shell.js';
import type { Home } from '../home.js';
import type { LaneTrust } from '../trust/lane-trust.js';
import { digestsIn } from './digests-in.js';

/** Names of versioned metadata (TUF 6.2.1). */
const VERSIONED = /^([1-9]\d*)\.(.+)\.json$/;

/** Versions of snapshot and stages below the current one, and channels that no other metadata names. What is above it was left by a crash: its number is never used again. */
export function supersededTrust(
  { trust }: Pick<Home, 'trust'>,
  { metadata: { snapshot } }: Pick<LaneTrust, 'metadata'>,
): readonly string[] {
  const current = new Map([...snapshot.roles].map(([role, { version }]) => [role, version]));
  current.delete('targets');
  current.set('snapshot', snapshot.version);
  const folder = path.join(trust, 'metadata');
  const isReplaced = (name: string): boolean => {
    const [, version, role = ''] = VERSIONED.exec(name) ?? [];
    return Number(version) < (current.get(role) ?? 0);
  };
  const all = readdirSync(folder);
  const others = all.filter((name) => !isReplaced(name));
  const named = new Set(others.flatMap((name) => [...digestsIn(readFileSync(path.join(folder, name), 'latin1'))]));
  const channels = path.join(trust, 'targets', 'channel');
  return [
    ...all.filter(isReplaced).map((name) => path.join(folder, name)),
    ...listFolder(channels)
      .filter((name) => !named.has(name.slice(0, name.indexOf('.'))))
      .map((name) => path.join(channels, name)),
  ];
}
