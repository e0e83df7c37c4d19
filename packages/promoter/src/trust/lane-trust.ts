/** The lane's trust as this host published it: policies, channels, versions. Read through the TUF client, as everybody reads it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Digest, LIMITS, PromoterError } from '@sealane/core';
import {
  type Channel,
  EXAMPLE_MARK,
  parseChannel,
  parsePolicy,
  type Policy,
  policyDigest,
  readTarget,
  refreshTrust,
  trustFromRoot,
  type TrustedMetadata,
  type TufRead,
  type Authority,
  channelPath,
  publishedMetadataPath,
  summarizeMetadata,
} from '@sealane/trust';
import { isNotFound } from '../disk-shell.js';
import type { Home } from '../home.js';

/** One stage as published. `version` and `expiresAt` are those of its TUF role. */
export interface StageTrust {
  readonly policy: Policy;
  readonly digest: Digest;
  readonly policyBytes: Uint8Array;
  readonly channel: Channel;
  readonly version: number;
  readonly expiresAt: string;
}

export interface LaneTrust {
  readonly metadata: TrustedMetadata;
  readonly stages: ReadonlyMap<string, StageTrust>;
  readonly trustedRoot: Uint8Array;
  readonly isExample: boolean;
  /** The lane's name: the origin of its log. */
  readonly origin: string;
  /** Ids (hex SHA-256 of SPKI) of the keys that sign a stage's channel; none for a stage that is not delegated. */
  readonly stageKeyIds: (stage: string) => readonly string[];
  /** Ids of the keys of one of root's roles. */
  readonly topKeyIds: (role: 'root' | 'targets' | 'snapshot' | 'timestamp') => readonly string[];
}

/** How a lane is read: by whom its files, by whom its policies (default: as they lie there). */
export interface LaneReading {
  readonly read?: TufRead;
  readonly parse?: (bytes: Uint8Array) => Policy;
  /** The root to begin with, handed over by another way (default: the first that lies there, at its word). */
  readonly root?: Uint8Array;
  /** Now, for who relies on the lane being fresh (default: nothing has expired). */
  readonly now?: string;
}

/** A time before every expiry: who published the lane must be able to read it when it has gone stale, to refresh it. */
const BEFORE_ALL_EXPIRY = '1970-01-01T00:00:00Z';

/**
 * Reads the published trust of a lane: of the stages given, by default of all that it has. `read` is asked for its files.
 *
 * @throws PromoterError `CONFIG_INVALID` nothing is published; TrustError `TRUST_*` the files do not verify
 */
export function readLaneTrust(
  home: Pick<Home, 'trust'>,
  stages?: readonly string[],
  { read = readBelow(home.trust), parse = parsePolicy, root, now = BEFORE_ALL_EXPIRY }: LaneReading = {},
): LaneTrust {
  const first = root ?? read('metadata/1.root.json', LIMITS.rootBytes);
  if (first === undefined)
    throw new PromoterError(
      'CONFIG_INVALID',
      `read the lane ${home.trust}: expected metadata/1.root.json, got nothing`,
      {},
      { hint: 'make a lane with: sealane init DIR' },
    );
  const metadata = refreshTrust({ state: trustFromRoot(first), read, now, expiry: 'network' });
  const target = (file: string): { bytes: Uint8Array; version: number; expiresAt: string } =>
    readTarget({ trusted: metadata, read, path: file });
  const roles = [...metadata.snapshot.roles.keys()];
  const entries = (stages ?? roles.filter((role) => role !== 'targets'))
    .filter((stage) => roles.includes(stage))
    .map((stage): [string, StageTrust] => {
      const policy = target(`policy/${stage}.json`).bytes;
      const channel = target(`channel/${stage}.json`);
      return [
        stage,
        {
          policy: parse(policy),
          digest: policyDigest(policy),
          policyBytes: policy,
          channel: parseChannel(channel.bytes),
          version: channel.version,
          expiresAt: roleExpiry(read, stage, channel.version),
        },
      ];
    });
  const [, firstStage] = entries[0] ?? [];
  return {
    metadata,
    stages: new Map(entries),
    trustedRoot: target('trusted_root.json').bytes,
    isExample: metadata.root.extra[EXAMPLE_MARK] === true,
    origin: firstStage?.policy.lane ?? '',
    stageKeyIds: (stage) =>
      metadata.targets.delegations
        ?.forPath(channelPath(stage))
        .filter(({ name }) => name === stage)
        .flatMap(spkiIds) ?? [],
    topKeyIds: (role) => spkiIds(metadata.root.roles[role]),
  };
}

/** The expiry that the stage role's own metadata says. */
function roleExpiry(read: TufRead, stage: string, version: number): string {
  const bytes = read(publishedMetadataPath(stage, version), LIMITS.stageBytes);
  return bytes === undefined ? '' : summarizeMetadata(bytes).expiresAt;
}

function spkiIds({ keys, keyIds }: Authority): readonly string[] {
  return keyIds.flatMap((id) => keys.get(id)?.spkiId ?? []);
}

/** Reads files of a `trust/` folder. */
export function readBelow(folder: string): TufRead {
  return (name, maxBytes) => {
    try {
      const bytes = new Uint8Array(readFileSync(path.join(folder, name)));
      if (bytes.length > maxBytes)
        throw new PromoterError('TRUST_TOO_LARGE', `read ${name}: expected at most ${maxBytes} bytes, got ${bytes.length}`);
      return bytes;
    } catch (error) {
      // absent is an answer to the client
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
}
