/** The TUF part of a sync: roots, timestamp, snapshot, targets, the stage's role, and the three documents that they vouch for. */
import { digestFromHex, LIMITS } from '@sealane/core';
import {
  type Channel,
  driveTufAsync,
  locateFlow,
  parseChannel,
  refreshFlow,
  targetFlow,
  type TrustedMetadata,
  type TufRequest,
} from '@sealane/trust';
import { isNamed, type Mirror } from './mirror.js';
import type { SyncJob } from './sync-job.js';
import type { Upstream } from './upstream.js';

/** Thrown through the workflow when the timestamp is the one that the mirror was made from: nothing else can have changed. */
export class Unchanged extends Error {}

/** Largest of the kept copies that are looked at: a role's file. */
const MAX_ROLE_BYTES = LIMITS.targetsBytes;

/**
 * Follows the workflow; what came from the upstream is put into `files` under its path in the lane, also when it is refused, and all that was used into
 * `named`.
 *
 * @throws TrustError `TRUST_*`; `Unchanged` when `wantsNothing(timestamp)`; SiteError `FETCH_FAILED`
 */
export async function fetchMetadata(
  upstream: Upstream,
  mirror: Mirror,
  job: SyncJob,
  files: Map<string, Uint8Array>,
  named: Set<string>,
  wantsNothing: (timestamp: Uint8Array) => boolean,
): Promise<{ readonly trusted: TrustedMetadata; readonly channel: Channel }> {
  const answer = async (request: TufRequest): Promise<Uint8Array | undefined> => {
    if (request.ask === 'keep') return undefined;
    if (request.ask === 'cached') {
      const copy = keptCopy(mirror, request.role);
      if (copy !== undefined) named.add(copy);
      return copy === undefined ? undefined : mirror.read(copy, MAX_ROLE_BYTES);
    }
    const name = `trust/${request.name}`;
    named.add(name);
    const kept = keptTarget(mirror, name, request.maxBytes);
    if (kept !== undefined) return kept;
    const bytes = await upstream.get(name, request.maxBytes);
    if (bytes !== undefined) files.set(name, bytes);
    if (bytes !== undefined && name === 'trust/metadata/timestamp.json' && wantsNothing(bytes)) throw new Unchanged();
    return bytes;
  };
  const trusted = await driveTufAsync(refreshFlow({ rules: 'lane', expiry: job.expiry, now: job.now }, job.tuf), answer);
  const target = async (path: string, role: string, maxBytes: number): Promise<Uint8Array> => {
    const located = await driveTufAsync(locateFlow(trusted, path, role), answer);
    return (await driveTufAsync(targetFlow(trusted, located, maxBytes), answer)).bytes;
  };
  await target('trusted_root.json', 'targets', LIMITS.trustedRootBytes);
  await target(`policy/${job.stage}.json`, 'targets', LIMITS.policyBytes);
  const channel = parseChannel(await target(`channel/${job.stage}.json`, job.stage, LIMITS.channelBytes));
  return { trusted, channel };
}

/** Where the newest copy of a role lies in the mirror; the workflow checks whether it is the listed one. A timestamp is always asked for. */
function keptCopy(mirror: Mirror, role: string): string | undefined {
  const end = `.${encodeURIComponent(role)}.json`;
  const versions = mirror
    .list('trust/metadata')
    .filter((name) => name.endsWith(end) && /^\d+$/.test(name.slice(0, -end.length)))
    .map((name) => Number(name.slice(0, -end.length)));
  return versions.length === 0 ? undefined : `trust/metadata/${Math.max(...versions)}${end}`;
}

/** Targets are named by their hash: one that is there needs no fetching. */
function keptTarget(mirror: Mirror, name: string, maxBytes: number): Uint8Array | undefined {
  const [, hash] = /^trust\/targets\/(?:.*\/)?([0-9a-f]{64})\.[^/]*$/.exec(name) ?? [];
  if (hash === undefined || !mirror.has(name)) return undefined;
  const bytes = mirror.read(name, maxBytes);
  return isNamed(bytes, digestFromHex(hash)) ? bytes : undefined;
}
